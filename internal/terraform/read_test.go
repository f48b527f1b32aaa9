package terraform_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/terraform"
	"github.com/driftsentry/driftsentry/internal/terraform/plantest"
)

func TestReport(t *testing.T) {
	const noResources = `"format_version":"1.2","planned_values":{"root_module":{}}`
	const entry = `{"address":"a.b","type":"a","name":"b","change":{"actions":["%s"],"before":{"x":1},"after":null}%s}`
	changes := func(action, more string) string {
		return `,"resource_changes":[` + fmt.Sprintf(entry, action, more) + `]`
	}
	provider := func(host string) string {
		return `,"prior_state":{"values":{"root_module":{"resources":[{"address":"a.b","mode":"managed","provider_name":"` + host + `/hashicorp/x","values":{}},
			{"address":"data.a.b","mode":"data","values":{}},{"address":"a.b","mode":"managed","deposed_key":"12345678","values":{}}],
			"child_modules":[{"resources":[{"address":"module.m.a.b","mode":"managed","values":{}}]}]}}}`
	}
	for _, tt := range []struct {
		name, plan string
		want       drift.Report
	}{
		{
			"nothing", `{` + noResources + `,"terraform_version":"1.11.4","timestamp":"2026-01-02T03:04:05Z","complete":true,"errored":false}`,
			drift.Report{
				FormatVersion: "1.2", Tool: "terraform", ToolVersion: "1.11.4", TakenAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
				Status: drift.Complete, Outside: true, Pending: true,
			},
		},
		{
			"an errored plan", `{` + noResources + `,"complete":false,"errored":true}`,
			drift.Report{FormatVersion: "1.2", Status: drift.Errored, Outside: true, Pending: true},
		},
		{
			"a targeted plan", `{` + noResources + `,"complete":false,"errored":false}`,
			drift.Report{FormatVersion: "1.2", Status: drift.Incomplete, Outside: true, Pending: true},
		},
		{
			"an unreadable timestamp", `{` + noResources + `,"timestamp":"yesterday"}`,
			drift.Report{FormatVersion: "1.2", Status: drift.Complete, Outside: true, Pending: true},
		},
		{
			"before there were verdicts", `{` + noResources + `,"terraform_version":"1.3.9"` + changes("no-op", "") + `}`,
			drift.Report{FormatVersion: "1.2", Tool: "terraform", ToolVersion: "1.3.9", Status: drift.Complete, Outside: true, Pending: true, Resources: 1},
		},
		{
			"before there was drift", `{` + noResources + `,"terraform_version":"0.15.3"` + changes("no-op", "") + `}`,
			drift.Report{FormatVersion: "1.2", Tool: "terraform", ToolVersion: "0.15.3", Status: drift.Complete, Pending: true, Resources: 1},
		},
		{
			"the first with drift", `{` + noResources + `,"terraform_version":"0.15.4-rc1"` + changes("no-op", "") + `}`,
			drift.Report{FormatVersion: "1.2", Tool: "terraform", ToolVersion: "0.15.4-rc1", Status: drift.Complete, Outside: true, Pending: true, Resources: 1},
		},
		{
			"OpenTofu, by its registry", `{` + noResources + `,"terraform_version":"1.8.1","errored":false` + provider("registry.opentofu.org") + `}`,
			drift.Report{FormatVersion: "1.2", Tool: "opentofu", ToolVersion: "1.8.1", Status: drift.Complete, Outside: true, Resources: 2},
		},
		{
			"Terraform, by its registry", `{` + noResources + `,"terraform_version":"1.12.1","errored":false` + provider("registry.terraform.io") + `}`,
			drift.Report{FormatVersion: "1.2", Tool: "terraform", ToolVersion: "1.12.1", Status: drift.Complete, Outside: true, Resources: 2},
		},
		{
			"OpenTofu, by what it leaves out", `{` + noResources + `,"terraform_version":"1.10.0","errored":false}`,
			drift.Report{FormatVersion: "1.2", Tool: "opentofu", ToolVersion: "1.10.0", Status: drift.Complete, Outside: true, Pending: true},
		},
		{
			"refresh-only with code", `{` + noResources + `,"configuration":{"root_module":{"resources":[{"address":"a.b","mode":"managed"}]}}}`,
			drift.Report{FormatVersion: "1.2", Status: drift.Complete, Outside: true},
		},
		{
			"refresh-only with data sources alone", `{` + noResources + `,"configuration":{"root_module":{"resources":[{"address":"data.a.b","mode":"data"}]}}}`,
			drift.Report{FormatVersion: "1.2", Status: drift.Complete, Outside: true, Pending: true},
		},
		{
			"to destroy everything", `{` + noResources + changes("delete", "") + `}`,
			drift.Report{FormatVersion: "1.2", Status: drift.Complete, Pending: true, Resources: 1},
		},
		{
			"code removed", `{` + noResources + changes("delete", `,"action_reason":"delete_because_no_resource_config"`) + `}`,
			drift.Report{FormatVersion: "1.2", Status: drift.Complete, Outside: true, Pending: true, Resources: 1},
		},
		{
			"null for what is empty", `{"format_version":"1.2","planned_values":null,"resource_drift":null,"resource_changes":null,"prior_state":null,"variables":null,"configuration":null,"complete":null}`,
			drift.Report{FormatVersion: "1.2", Status: drift.Complete, Outside: true, Pending: true},
		},
		{
			"an old format", `{"format_version":"0.1","planned_values":{}}`,
			drift.Report{FormatVersion: "0.1", Status: drift.Complete, Outside: true, Pending: true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Format = terraform.Format
			s := read(t, tt.plan)
			if s.Report != tt.want {
				t.Errorf("Read().Report = %+v\nwant %+v", s.Report, tt.want)
			}
			if s.Bytes != int64(len(tt.plan)) || s.Digest != sha256.Sum256([]byte(tt.plan)) {
				t.Errorf("Read() counts %d bytes and digest %x of %d bytes", s.Bytes, s.Digest, len(tt.plan))
			}
		})
	}
}

func TestNotRefreshed(t *testing.T) {
	s, err := terraform.Read(strings.NewReader(minimal), terraform.Options{Key: testKey, NotRefreshed: true})
	if err != nil {
		t.Fatal(err)
	}
	defer closeSnapshot(t, s)
	if s.Outside || len(s.Drifts) != 1 {
		t.Errorf("a plan that was not refreshed: outside %v with %d drifts, want false with 1", s.Outside, len(s.Drifts))
	}
}

// TestActions is about what becomes a drift, and as what.
func TestActions(t *testing.T) {
	for _, tt := range []struct {
		name, section, entry string
		want                 string // origin, action, address, previous address, n news
	}{
		{"update", "resource_drift", `"address":"a.b","change":{"actions":["update"],"before":{"x":1},"after":{"x":2}}`, "outside update a.b  1"},
		{"delete", "resource_drift", `"address":"a.b","change":{"actions":["delete"],"before":{"x":1,"y":null},"after":null}`, "outside delete a.b  1"},
		{"a pure move", "resource_drift", `"address":"a.b","previous_address":"a.c","change":{"actions":["no-op"],"before":{"x":1},"after":{"x":1}}`, ""},
		{"a move with a change", "resource_drift", `"address":"a.b","previous_address":"a.c","change":{"actions":["update"],"before":{"x":1},"after":{"x":2}}`, "outside update a.b a.c 1"},
		{"identical", "resource_drift", `"address":"a.b","change":{"actions":["update"],"before":{"x":1},"after":{"x":1}}`, "noise outside update a.b  0"},
		{"noise", "resource_drift", `"address":"a.b","change":{"actions":["update"],"before":{"x":null},"after":{"x":""}}`, "noise outside update a.b  0"},
		{"data", "resource_changes", `"address":"data.a.b","mode":"data","change":{"actions":["read"],"before":null,"after":{"x":1}}`, ""},
		{"data that is deleted", "resource_changes", `"address":"data.a.b","mode":"data","change":{"actions":["delete"],"before":{"x":1},"after":null}`, ""},
		{"no-op", "resource_changes", `"address":"a.b","mode":"managed","change":{"actions":["no-op"],"before":{"x":1},"after":{"x":1}}`, ""},
		{"create", "resource_changes", `"address":"a.b","change":{"actions":["create"],"before":null,"after":{"x":1,"y":null},"after_unknown":{"id":true}}`, "pending create a.b  2"},
		{"replace", "resource_changes", `"address":"a.b","change":{"actions":["delete","create"],"before":{"x":1},"after":{"x":2},"after_unknown":{"id":true}}`, "pending replace a.b  2"},
		{"replace, created first", "resource_changes", `"address":"a.b","change":{"actions":["create","delete"],"before":{"x":1},"after":{"x":1}}`, "pending replace a.b  0"},
		{"pending noise", "resource_changes", `"address":"a.b","change":{"actions":["update"],"before":{"x":null},"after":{"x":[]}}`, "noise pending update a.b  0"},
		{"import", "resource_changes", `"address":"a.b","change":{"actions":["no-op"],"before":{"x":1},"after":{"x":1},"importing":{"id":"i"}}`, "pending import a.b  0"},
		{"import with a change", "resource_changes", `"address":"a.b","change":{"actions":["update"],"before":{"x":1},"after":{"x":2},"importing":{"id":"i"}}`, "pending update a.b  1"},
		{"forget", "resource_changes", `"address":"a.b","change":{"actions":["forget"],"before":{"x":1},"after":null}`, "pending forget a.b  0"},
		{"created, and the old one forgotten", "resource_changes", `"address":"a.b","change":{"actions":["create","forget"],"before":{"x":1},"after":{"x":2}}`, "pending replace a.b  1"},
		{"deposed", "resource_changes", `"address":"a.b","deposed":"deadbeef","change":{"actions":["delete"],"before":{"x":1},"after":null}`, "pending delete a.b (deposed object deadbeef)  1"},
		{"unknown words of what we do not manage", "resource_changes", `"address":"ephemeral.a.b","mode":"ephemeral","change":{"actions":["open"]}`, ""},
		{"fields nobody knows yet", "resource_drift", `"address":"a.b","new_field":[1],"change":{"actions":["update"],"new_field":{},"before":{"x":1},"after":{"x":2}}`, "outside update a.b  1"},

		{"no address", "resource_drift", `"type":"a","name":"b","module_address":"module.m","change":{"actions":["delete"],"before":{"x":1}}`, "outside delete module.m.a.b  1"},
		{"no address, counted", "resource_drift", `"type":"a","name":"b","index":3,"change":{"actions":["delete"],"before":{"x":1}}`, "outside delete a.b[3]  1"},
		{
			"no address, with a key", "resource_drift", `"type":"a","name":"b","index":"x\"y\\z\n${a}%{b}\u202e","change":{"actions":["delete"],"before":{"x":1}}`,
			`outside delete a.b["x\"y\\z\n$${a}%%{b}\u202e"]  1`,
		},
		{"control characters", "resource_drift", `"address":"a.b[\"\u0000\u001b\"]","change":{"actions":["delete"],"before":{"x":1}}`, `outside delete a.b["\x00\x1b"]  1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := read(t, `{"format_version":"1.2","planned_values":{},"`+tt.section+`":[{`+tt.entry+`}]}`)
			got := ""
			for r, err := range s.EachDrift(nil) {
				if err != nil {
					t.Fatal(err)
				}
				got = fmt.Sprintf("%s %s %s %s %d", r.Origin, r.Action, r.Address, r.PreviousAddress, len(r.News))
			}
			for r, err := range s.EachNoise(nil) {
				if err != nil {
					t.Fatal(err)
				}
				got = fmt.Sprintf("noise %s %s %s %s %d", r.Origin, r.Action, r.Address, r.PreviousAddress, len(r.News))
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhereabouts(t *testing.T) {
	for values, want := range map[string]string{
		`"id":"i-1","arn":"arn:aws:ec2:eu-west-1:123456789012:instance/i-1"`:                                  "i-1 eu-west-1 123456789012",
		`"id":"arn:aws:sns:us-east-1:123456789012:x"`:                                                         "arn:aws:sns:us-east-1:123456789012:x us-east-1 123456789012",
		`"id":"x","region":"eu-central-1","arn":"arn:aws:s3:::x"`:                                             "x eu-central-1 ",
		`"id":"vol-1","availability_zone":"eu-west-1a","owner_id":"123456789012"`:                             "vol-1 eu-west-1 123456789012",
		`"id":"projects/p/zones/europe-west1-b/instances/x","zone":"europe-west1-b","project":"p"`:            "projects/p/zones/europe-west1-b/instances/x europe-west1 p",
		`"id":"projects/p/locations/europe-west3/x"`:                                                          "projects/p/locations/europe-west3/x europe-west3 p",
		`"self_link":"https://www.googleapis.com/compute/v1/projects/p/regions/us-central1/x"`:                "https://www.googleapis.com/compute/v1/projects/p/regions/us-central1/x us-central1 p",
		`"id":"/subscriptions/123e4567-e89b-12d3-a456-426614174000/resourceGroups/x","location":"westeurope"`: "/subscriptions/123e4567-e89b-12d3-a456-426614174000/resourceGroups/x westeurope 123e4567-e89b-12d3-a456-426614174000",
		`"id":"x","owner":"somebody"`:                                                                         "x  ",
		`"id":5`:                                                                                              "  ",
	} {
		s := read(t, `{"format_version":"1.2","resource_drift":[{"address":"a.b","change":{"actions":["delete"],"before":{`+values+`,"z":1}}}]}`)
		for r, err := range s.EachDrift(nil) {
			if err != nil {
				t.Fatal(err)
			}
			if got := r.CloudID + " " + r.Region + " " + r.Account; got != want {
				t.Errorf("%s: got %q, want %q", values, got, want)
			}
		}
	}
	s := read(t, `{"format_version":"1.2","resource_changes":[{"address":"a.b","change":{"actions":["delete","create"],"before":{"id":"old","location":"x"},`+
		`"after":{"location":"y"},"after_unknown":{"id":true}}}]}`)
	for r, err := range s.EachDrift(nil) {
		if err != nil || r.CloudID != "old" || r.Region != "y" {
			t.Errorf("replaced: id %q, region %q, %v; want what is there after, else before", r.CloudID, r.Region, err)
		}
	}
}

// TestEachGivesWhatIsAskedFor asks for some of the resources, twice.
func TestEachGivesWhatIsAskedFor(t *testing.T) {
	const n = 5000 // more than fit into the spool's memory
	var plan bytes.Buffer
	if err := plantest.Write(&plan, n); err != nil {
		t.Fatal(err)
	}
	s := read(t, plan.String())
	if len(s.Drifts) != plantest.NewsOf(n) || len(s.Drifts)+len(s.Noise) != n {
		t.Fatalf("%d drifts and %d noise, want %d and %d", len(s.Drifts), len(s.Noise), plantest.NewsOf(n), n-plantest.NewsOf(n))
	}
	if news, noise := drain(t, s); news != len(s.Drifts) || noise != len(s.Noise) {
		t.Errorf("EachDrift and EachNoise give %d and %d, want %d and %d", news, noise, len(s.Drifts), len(s.Noise))
	}
	random := rand.New(rand.NewPCG(5, 6))
	for _, each := range []struct {
		name      string
		of        func(func(int) bool) func(func(*drift.Resource, error) bool)
		sightings []drift.Sighting
	}{
		{"EachDrift", func(want func(int) bool) func(func(*drift.Resource, error) bool) { return s.EachDrift(want) }, s.Drifts},
		{"EachNoise", func(want func(int) bool) func(func(*drift.Resource, error) bool) { return s.EachNoise(want) }, s.Noise},
	} {
		var wanted []int
		for i := range each.sightings {
			if random.IntN(50) == 0 {
				wanted = append(wanted, i)
			}
		}
		for range 2 {
			i := 0
			for r, err := range each.of(func(n int) bool { _, ok := slices.BinarySearch(wanted, n); return ok }) {
				if err != nil {
					t.Fatal(err)
				}
				if want := each.sightings[wanted[i]]; r.Key() != want.Key || r.Fingerprint != want.Fingerprint {
					t.Fatalf("%s gives %v as number %d, want %v", each.name, r.Key(), i, want.Key)
				}
				i++
			}
			if i != len(wanted) {
				t.Errorf("%s gives %d resources, want %d", each.name, i, len(wanted))
			}
		}
	}
	closeSnapshot(t, s)
	for _, err := range s.EachDrift(nil) {
		if err == nil {
			t.Error("a closed snapshot gives resources")
		}
	}
}

// TestTheOrderOfSectionsDoesNotMatter reads plans whose members a tool has
// sorted, so that the code stands before the variables.
func TestTheOrderOfSectionsDoesNotMatter(t *testing.T) {
	for name, plan := range plans(t) {
		want, got := sortBlocks(describe(t, plan)), sortBlocks(describe(t, sortSections(t, plan)))
		if got != want {
			t.Errorf("%s reads differently once sorted:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// sortBlocks sorts what is told of the resources.
func sortBlocks(description string) string {
	blocks := strings.Split(strings.TrimRight(description, "\n"), "\n\n")
	slices.Sort(blocks)
	return strings.Join(blocks, "\n\n")
}

// sortSections writes a plan as jq -S does: sorted and indented.
func sortSections(t *testing.T, plan []byte) []byte {
	t.Helper()
	var document any
	decoder := json.NewDecoder(bytes.NewReader(plan))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return sorted
}
