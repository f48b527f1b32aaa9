package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/auth"
)

func newUser(email string, role auth.Role) accounts.NewUser {
	return accounts.NewUser{Email: email, Role: role}
}

// bucket is a plan in which versioning of some buckets was changed outside, each
// to the value given.
func bucket(takenAt string, drifted map[string]string) string {
	plan := map[string]any{
		"format_version": "1.2", "terraform_version": "1.11.4", "timestamp": takenAt, "applyable": false, "complete": true, "errored": false,
	}
	var changes []any
	for name, value := range drifted {
		changes = append(changes, map[string]any{
			"address": "aws_s3_bucket." + name, "mode": "managed", "type": "aws_s3_bucket", "name": name,
			"provider_name": "registry.terraform.io/hashicorp/aws",
			"change": map[string]any{
				"actions": []string{"update"},
				"before":  map[string]any{"id": name, "acl": "private"}, "after": map[string]any{"id": name, "acl": value},
				"after_unknown": map[string]any{}, "before_sensitive": map[string]any{}, "after_sensitive": map[string]any{},
			},
		})
	}
	plan["resource_drift"] = changes
	text, err := json.Marshal(plan)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// planFile is a plan that Terraform really made.
func planFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../terraform/testdata/plans/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type counts struct{ Resources, Detected, Known, Reopened, Resolved, Noise int }

type severities struct{ Critical, Warning, Info int }

type receipt struct {
	ID            uuid.UUID
	Stack, Status string
	Superseded    bool
	Message       string
	Counts        counts
	Drifts        []struct{ ID uuid.UUID }
	Open          struct{ Outside, Pending severities }
	CorrelationID string
}

// upload sends a plan and expects this status.
func (h *house) upload(stack, plan string, status int, header ...string) receipt {
	h.t.Helper()
	return into[receipt](h.do(http.MethodPost, "/api/v1/scans?stack="+stack, plan, header...).is(status))
}

// minute is a time on which a plan was taken.
func minute(n int) string { return fmt.Sprintf("2026-01-02T03:%02d:00Z", n) }

type driftOf struct {
	ID, ScanID                     uuid.UUID
	PreviousID                     *uuid.UUID
	Stack, Address, Status         string
	Severity, Origin               string
	TimesSeen                      int
	QuietUntil                     *string
	Noise                          *json.RawMessage
	CI                             map[string]string
	CorrelationID, TraceID, SpanID string
	Decisions                      []eventOf
}

type eventOf struct {
	ID                             uuid.UUID
	Action, Actor                  string
	From, To, Reason, Until, Stack *string
	ClientAddress, UserAgent       *string
	DriftID                        *uuid.UUID
	CorrelationID, TraceID, SpanID string
}
