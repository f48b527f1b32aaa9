package accounts_test

import (
	"testing"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// TestCreatingBearsALostTransaction has PostgreSQL refuse the first row as it
// refuses who lost to another transaction: it is written at the second try.
func TestCreatingBearsALostTransaction(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	// Sequences go on whatever becomes of the transaction.
	pgtest.Exec(t, url, `
		CREATE SEQUENCE users_tries; CREATE SEQUENCE api_keys_tries;
		CREATE FUNCTION lose_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval(TG_TABLE_NAME || '_tries') = 1 THEN
				RAISE EXCEPTION 'lost' USING ERRCODE = 'serialization_failure';
			END IF;
			RETURN NEW;
		END $$;
		CREATE TRIGGER lose BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION lose_once();
		CREATE TRIGGER lose BEFORE INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION lose_once();`)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: url, MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	o := openOn(t, db)
	if user, _, err := o.CreateUser(o.ctx(), accounts.NewUser{Email: alice, Role: auth.Viewer}, operator); err != nil || user.Email != alice {
		t.Errorf("CreateUser(%s) = %+v, %v, want the user", alice, user, err)
	}
	if key, _, err := o.CreateKey(o.ctx(), accounts.NewKey{Name: "ci", Role: auth.Ingest}, operator); err != nil || key.Name != "ci" {
		t.Errorf("CreateKey(ci) = %+v, %v, want the key", key, err)
	}
}
