package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// beforeAnyChange is pg_trigger's word for BEFORE UPDATE OR DELETE OR TRUNCATE,
// once for each statement.
const beforeAnyChange = 2 | 16 | 8 | 32

// refuseChange is the body of the function that the triggers call.
const refuseChange = `
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
`

// guards looks whether the triggers that keep the trail from being changed by
// mistake are there and work.
func (v *verifier) guards(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `-- name: AuditGuards
		SELECT w.tbl, EXISTS (
			SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
			WHERE t.tgrelid = w.tbl::regclass AND t.tgname = w.tbl || '_append_only'
				AND t.tgtype = $1 AND t.tgqual IS NULL AND t.tgattr::text = '' AND p.prosrc = $2
				AND (t.tgenabled = 'A' OR t.tgenabled = 'O' AND current_setting('session_replication_role') <> 'replica'))
		FROM (VALUES ('audit_seals'), ('events')) AS w (tbl) ORDER BY 1`, beforeAnyChange, refuseChange)
	if err != nil {
		return fmt.Errorf("triggers of the audit trail: %w", err)
	}
	var table string
	var guarded bool
	_, err = pgx.ForEachRow(rows, []any{&table, &guarded}, func() error {
		if !guarded {
			v.flaw(Unguarded, &sealed{}, "rows of "+table+" can be changed: the trigger "+table+"_append_only is missing, disabled or another one")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("triggers of the audit trail: %w", err)
	}
	return nil
}
