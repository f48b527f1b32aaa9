//go:build unix

package terraformcli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func startGuard(folder string) (*Guard, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self) //nolint:gosec,noctx // G204: itself; it ends with the pipe
	cmd.Args = []string{guardName, folder}
	// It needs nothing of the environment, which holds secrets, and holds neither
	// the caller's output nor its folder.
	cmd.Env, cmd.Dir, cmd.Stdin = []string{}, "/", r
	// What is sent to our group or by our terminal is not meant for it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	r.Close()
	if err != nil {
		w.Close()
		return nil, err
	}
	return &Guard{pipe: w, wait: func() { _ = cmd.Wait() }}, nil // its exit code says nothing
}

// GuardMain is called first in main: it does not return when the program was
// started to be a Guard.
func GuardMain() {
	if len(os.Args) != 2 || os.Args[0] != guardName {
		return
	}
	// Whoever ends a whole job asks everybody; a kill ends us as well.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	guard(os.Stdin, os.Args[1])
	os.Exit(0)
}

// guard reads until whoever it guards is gone, and ends what that has not ended.
func guard(orders io.Reader, folder string) {
	groups := map[int]bool{}
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		var order string
		var group int
		if _, err := fmt.Sscanf(lines.Text(), "%s %d", &order, &group); err != nil {
			continue // cut short by a kill
		}
		switch order {
		case "watch":
			groups[group] = true
		case "forget":
			delete(groups, group)
		}
	}
	for group := range groups {
		// Nothing is asked first: a plan that locks nothing leaves nothing half done.
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
	if folder == "" {
		return
	}
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for range 50 { // who is being killed may still write into it
		if os.RemoveAll(folder) == nil { //nolint:gosec // G703: the folder of whoever started us
			return // nobody is left to tell of an error
		}
		<-pause.C
	}
}
