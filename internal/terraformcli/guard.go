package terraformcli

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// Guard ends what a Runner has started when this process dies without being able
// to, even of SIGKILL: Terraform writes to a terminal that is gone, dies of that
// and leaves its plugins running. It is a process of its own, which waits for the
// end of a pipe that nobody else holds.
//
// A nil Guard guards nothing.
type Guard struct {
	mu   sync.Mutex
	pipe *os.File
	wait func()
}

// guardName is what the process is called. The program that is started under this
// name has to call GuardMain.
const guardName = "driftsentry-guard"

// StartGuard starts the process. folder, which may hold secrets, is removed with
// what is ended, and when the guard is closed; empty is none.
func StartGuard(folder string) (*Guard, error) {
	g, err := startGuard(folder)
	if err != nil {
		return nil, fmt.Errorf("start what ends Terraform should we be killed: %w", err)
	}
	return g, nil
}

// Close ends the guard once it has seen to what is left, which is nothing if all
// went well.
func (g *Guard) Close() {
	if g == nil {
		return
	}
	_ = g.pipe.Close() // it is how the process hears of it
	g.wait()
}

func (g *Guard) watch(group int) { g.say(fmt.Sprintf("watch %d\n", group)) }

func (g *Guard) forget(group int) { g.say(fmt.Sprintf("forget %d\n", group)) }

// say can't fail but when somebody has killed the guard: then there is none.
func (g *Guard) say(line string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = io.WriteString(g.pipe, line)
}
