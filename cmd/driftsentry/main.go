// Command driftsentry keeps what Terraform and OpenTofu say about drift, lets
// people decide about it, and explains itself while doing so.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/terraformcli"
)

func main() {
	terraformcli.GuardMain()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	hangups := make(chan os.Signal, 1)
	outlives := signal.Ignored(syscall.SIGHUP) // Notify would forget it
	signal.Notify(hangups, syscall.SIGHUP)
	os.Exit(run(context.Background(), process{
		args: os.Args[1:], env: os.Environ(),
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		signals: signals, hangups: hangups, outlivesTerminal: outlives,
	}))
}

// process is everything the program takes from the machine it runs on, so
// that a test can run all of it in its own process.
type process struct {
	args, env      []string
	stdin          io.Reader
	stdout, stderr io.Writer
	// signals asks to stop: once in order, a second time at once.
	signals <-chan os.Signal
	// hangups asks serve to read the log level again; for other commands it is a
	// terminal that went away.
	hangups <-chan os.Signal
	// outlivesTerminal says that nohup started us: a hangup is no reason to stop.
	outlivesTerminal bool
	// listening hears the address the API can be reached at; nil if nobody asks.
	listening func(address string)
}

// Exit codes. 2 belongs to scan: like terraform plan -detailed-exitcode.
const (
	exitOK      = 0
	exitFailure = 1
)

// errReported ends a command whose failure has already been told.
var errReported = errors.New("already reported")

// run is the program: it returns its exit code.
func run(ctx context.Context, p process) int {
	root := &cobra.Command{
		Use:   "driftsentry",
		Short: "Keeps what Terraform says about drift, and what people decided about it",
		Long: "DriftSentry takes the drift that `terraform plan -refresh-only` finds, keeps it in\n" +
			"PostgreSQL, says what is new, and remembers who decided what and why.\n\n" +
			"Try it with nothing set up:  driftsentry demo",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(p.args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddCommand(p.serveCommand(), p.demoCommand(), p.migrateCommand(), p.scanCommand(),
		p.userCommand(), p.apikeyCommand(), p.auditCommand(), p.healthcheckCommand(), p.versionCommand())

	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDrift): // told, and no failure
		return exitDrift
	case errors.Is(err, errReported):
		return exitFailure
	default:
		p.say("driftsentry: %v\n", err)
		return exitFailure
	}
}

// say writes for a person on stderr. There is nowhere left to report that
// stderr itself is gone.
func (p process) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stderr, format, args...)
}
