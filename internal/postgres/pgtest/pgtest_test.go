package pgtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/devpg"
)

func stacksIn(t *testing.T, url string) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	var n int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM stacks`).Scan(&n); err != nil {
		t.Fatalf("count stacks: %v", err)
	}
	if _, err := conn.Exec(t.Context(), `INSERT INTO stacks (id, name, created_at) VALUES (gen_random_uuid(), 's', now())`); err != nil {
		t.Fatalf("insert a stack: %v", err)
	}
	return n // the connection stays open: dropping the database must not mind
}

func TestEachDatabaseIsFreshAndGoesAway(t *testing.T) { //nolint:tparallel // looks at what is left after its subtests
	t.Parallel()
	s := require(t)
	for name, server := range map[string]*server{"ours": s, "somebody else's": {url: s.url}} {
		var urls []string
		t.Run(name, func(t *testing.T) {
			for range 2 {
				u := server.create(t, server.template)
				if n := stacksIn(t, u); n != 0 {
					t.Errorf("a new database has %d stacks, want it empty and migrated", n)
				}
				urls = append(urls, u)
			}
		})
		for _, u := range urls {
			if conn, err := pgx.Connect(t.Context(), u); err == nil {
				t.Errorf("%s: %s can still be reached after its test", name, u)
				t.Cleanup(func() { _ = conn.Close(context.Background()) }) // it should not exist
			}
		}
	}
}

func TestOpenIsReady(t *testing.T) {
	t.Parallel()
	if err := Open(t).Ready(context.Background()); err != nil {
		t.Errorf("Open().Ready() = %v, want nil", err)
	}
}

func TestWithoutPostgreSQLOnlyALaptopSkips(t *testing.T) {
	missing := fmt.Errorf("start: %w", devpg.ErrNoBinaries)
	for _, tc := range []struct {
		err  error
		ci   string
		want bool
	}{
		{missing, "", true}, {missing, "true", false}, {context.DeadlineExceeded, "", false},
	} {
		t.Setenv("CI", tc.ci)
		if got := maySkip(tc.err); got != tc.want {
			t.Errorf("maySkip(%v) with CI=%q = %v, want %v", tc.err, tc.ci, got, tc.want)
		}
	}
}

func TestDatabaseOfAnyURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://u@/postgres?host=%2Ftmp":    "postgres://u@/x?host=%2Ftmp",
		"postgresql://u:p@h:5432/a?sslmode=off": "postgresql://u:p@h:5432/x?sslmode=off",
		"host=/tmp user=u dbname=a":             "host=/tmp user=u dbname=a dbname=x",
	} {
		if got := (&server{url: url}).database("x"); got != want {
			t.Errorf("database(x) of %s = %s, want %s", url, got, want)
		}
	}
}
