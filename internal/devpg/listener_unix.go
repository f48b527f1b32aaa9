//go:build unix

package devpg

import (
	"fmt"
	"net/url"
	"path/filepath"
)

// authMethod is how the server checks who connects: the socket's folder is
// private to the account, so whoever gets that far may.
const authMethod = "trust"

// maxSocketPath is the room for a path in a socket address on the smallest of
// our systems (macOS: 104 with the closing zero).
const maxSocketPath = 103

// listener is where the server listens and how to get there.
type listener struct {
	addresses string // TCP addresses; none
	socketDir string
	port      string
	url       string
}

// chooseListener puts a socket into base. There is no TCP port to find free,
// to guess or to connect to from elsewhere.
func chooseListener(base string) (*listener, error) {
	l := &listener{socketDir: base, port: "5432"}
	if p := filepath.Join(base, ".s.PGSQL."+l.port); len(p) > maxSocketPath {
		return nil, fmt.Errorf("the path of the socket, %s, is longer than %d bytes: set TMPDIR to a shorter one", p, maxSocketPath)
	}
	q := url.Values{"host": {base}, "port": {l.port}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/postgres", RawQuery: q.Encode()}
	l.url = u.String()
	return l, nil
}

// initdbSecret adds nothing: there is no password.
func (c *cluster) initdbSecret() ([]string, error) { return nil, nil }
