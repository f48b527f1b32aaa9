package pgtest

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Exec runs SQL that a test needs and the service has no method for, such as a
// trigger that fails.
func Exec(tb testing.TB, url, sql string) {
	tb.Helper()
	connected(tb, url, func(ctx context.Context, conn *pgx.Conn) {
		if _, err := conn.Exec(ctx, sql); err != nil {
			tb.Fatalf("%s: %v", sql, err)
		}
	})
}

// Dump is every row of every table as COPY writes it, bytea in hexadecimal: for
// tests of what must not be in the database.
func Dump(tb testing.TB, url string) string {
	tb.Helper()
	var dump strings.Builder
	connected(tb, url, func(ctx context.Context, conn *pgx.Conn) {
		rows, err := conn.Query(ctx, `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
			WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`)
		if err != nil {
			tb.Fatalf("list the tables: %v", err)
		}
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(tables) == 0 {
			tb.Fatalf("list the tables: %q, %v", tables, err)
		}
		for _, table := range tables {
			dump.WriteString("-- " + table + "\n")
			if _, err := conn.PgConn().CopyTo(ctx, &dump, "COPY "+table+" TO STDOUT"); err != nil {
				tb.Fatalf("copy %s: %v", table, err)
			}
		}
	})
	return dump.String()
}

// connected hands a connection of its own to do.
func connected(tb testing.TB, url string, do func(context.Context, *pgx.Conn)) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	defer func() {
		if err := conn.Close(ctx); err != nil {
			tb.Errorf("disconnect: %v", err)
		}
	}()
	do(ctx, conn)
}
