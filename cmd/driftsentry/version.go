package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// These are set by builds that know: -ldflags "-X main.version=1.2.3 -X main.commit=…
// -X main.date=…". The image is one: no repository comes along into its build.
var version, commit, date string

// build is what this binary was made from.
type build struct{ Version, Commit, Date, Go string }

// readBuild asks the linker's flags first and Go's own build information next.
func readBuild() build {
	b := build{Version: version, Commit: cmp.Or(commit, "unknown"), Date: cmp.Or(date, "unknown"), Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	if commit != "" {
		return b // a repository round a build like that is somebody else's
	}
	var modified bool
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Date = setting.Value
		case "vcs.modified":
			modified = setting.Value == "true"
		}
	}
	if modified {
		b.Commit += " with changes"
	}
	return b
}

func (p process) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, build date and Go version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := readBuild()
			_, err := fmt.Fprintf(p.stdout, "driftsentry %s\ncommit: %s\nbuilt:  %s\ngo:     %s\n", b.Version, b.Commit, b.Date, b.Go)
			return err
		},
	}
}
