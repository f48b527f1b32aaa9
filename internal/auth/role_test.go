package auth_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/auth"
)

func TestMay(t *testing.T) {
	t.Parallel()
	permissions := []auth.Permission{auth.Public, auth.Anyone, auth.Read, auth.Upload, auth.Decide, auth.Administer}
	for _, test := range []struct {
		role auth.Role
		want string // y or - for each permission, in their order
	}{
		{auth.Admin, "yyyyyy"},
		{auth.Engineer, "yyyyy-"},
		{auth.Viewer, "yyy---"},
		{auth.Ingest, "yy-y--"},
		{"", "y-----"},
		{"root", "y-----"},
		{"Admin", "y-----"},
		{"admin ", "y-----"},
	} {
		got := ""
		for _, p := range permissions {
			if test.role.May(p) {
				got += "y"
			} else {
				got += "-"
			}
		}
		if got != test.want {
			t.Errorf("Role(%q) may %s of %v, want %s", test.role, got, permissions, test.want)
		}
		for _, p := range []auth.Permission{0, auth.Administer + 1, 255} {
			if test.role.May(p) {
				t.Errorf("Role(%q).May(%d) = true, want false: there is no such permission", test.role, p)
			}
		}
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]auth.Role{"admin", "engineer", "viewer", "ingest"}, auth.Roles()); diff != "" {
		t.Errorf("Roles() (-want +got):\n%s", diff)
	}
	// Whoever is in the one list and not in the other can't sign in.
	users := slices.DeleteFunc(auth.Roles(), func(r auth.Role) bool { return r == auth.Ingest })
	if diff := cmp.Diff(users, auth.UserRoles()); diff != "" {
		t.Errorf("UserRoles() (-want +got):\n%s", diff)
	}
	auth.Roles()[0] = "mine" // a caller's copy is its own
	if auth.Roles()[0] != auth.Admin {
		t.Error("a caller changed Roles()")
	}
}

func TestPermissionNames(t *testing.T) {
	t.Parallel()
	want := []string{"none", "public", "any", "read", "upload", "decide", "administer", "none"}
	var got []string
	for p := range auth.Administer + 2 {
		got = append(got, p.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("String() of each permission (-want +got):\n%s", diff)
	}
}

func TestPrincipalNames(t *testing.T) {
	t.Parallel()
	user := alice()
	if got, want := user.Actor(), "user:alice@example.com"; got != want {
		t.Errorf("Actor() = %q, want %q", got, want)
	}
	if got, want := user.UserID(), "01890a5d-ac96-774b-bcce-b302099a8057"; got != want {
		t.Errorf("UserID() = %q, want %q", got, want)
	}
	key := auth.Principal{Kind: auth.KindKey, Name: "ci-prod"}
	if got, want := key.Actor(), "key:ci-prod"; got != want {
		t.Errorf("Actor() = %q, want %q", got, want)
	}
	if !key.Expires.Equal(time.Time{}) || !key.Stacks.IsZero() {
		t.Errorf("a new key expires %v and is for %q, want neither", key.Expires, key.Stacks)
	}
}
