package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// demoPlans are untouched outputs of terraform show -json, three for each of
// two stacks; the READMEs beside them tell how they were made.
//
//go:embed demodata/*/plan-*.json
var demoPlans embed.FS

// demoScan is one bundled plan and the stack it belongs to.
type demoScan struct{ stack, file string }

// demoScans lists the bundled plans, each stack's in the order they were made.
func demoScans() ([]demoScan, error) {
	files, err := fs.Glob(demoPlans, "demodata/*/plan-*.json")
	if err != nil {
		return nil, fmt.Errorf("list the bundled plans: %w", err)
	}
	scans := make([]demoScan, len(files))
	for i, file := range files {
		scans[i] = demoScan{stack: strings.Replace(path.Base(path.Dir(file)), "-", "/", 1), file: file}
	}
	return scans, nil
}

// present loads the bundled plans over the API, as anybody would, and says
// what came of it and what to try next.
func (p process) present(ctx context.Context, url string, credentials demoCredentials, dir string) error {
	client := demoClient{url: url, key: credentials.key, http: &http.Client{Timeout: time.Minute}}
	scans, err := demoScans()
	if err != nil {
		return err
	}
	p.print("\nReal plans, made by Terraform after somebody had changed things behind its back:\n\n")
	before := false
	for _, scan := range scans {
		plan, err := demoPlans.ReadFile(scan.file)
		if err != nil {
			return fmt.Errorf("read a bundled plan: %w", err)
		}
		receipt, loaded, err := client.upload(ctx, scan.stack, plan)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("  %-13s %s", scan.stack, path.Base(scan.file))
		if loaded {
			before = true
			p.print("%s   loaded before\n", name)
			continue
		}
		for _, o := range drift.Origins() {
			if c := receipt.ByOrigin[o]; o == drift.Outside || c != (demoCounts{}) {
				p.print("%s   %-7s  %2d new  %2d known  %2d resolved  %2d noise\n",
					name, o, c.Detected, c.Known, c.Resolved, c.Noise)
				name = strings.Repeat(" ", len(name))
			}
		}
	}
	worst, err := client.worst(ctx)
	if err != nil {
		return err
	}
	if len(worst) == 0 && !before {
		return errors.New("the bundled plans left no open drift")
	}
	if len(worst) == 0 { // everything has been decided
		p.print("\nNothing from outside is open.\n\n  Serving on %s, with X-API-Key: %s\n", url, credentials.key.Reveal())
		return nil
	}
	p.print("\nOpen now, the worst first:\n\n")
	for _, d := range worst {
		p.print("  %-8s  %-7s  %-12s  %s\n            %s\n", d.Severity, d.Origin, d.Stack, d.Address, d.SeverityReason)
	}
	kept := "nothing is left behind"
	if dir != "" {
		kept = "the database stays in " + dir
	}
	p.print(demoHints, url, worst[0].ID, kept, credentials.key.Reveal(), demoAdmin, credentials.password.Reveal())
	return nil
}

const demoHints = `
Try it, in another terminal:

  export DRIFTSENTRY_URL=%[1]s DRIFTSENTRY_API_KEY=%[4]s
  ask() { curl -s -H "X-API-Key: $DRIFTSENTRY_API_KEY" "$@"; }

  # what is wrong outside of the code, the worst first
  ask '%[1]s/api/v1/drifts?status=detected&origin=outside&sort=-severity'

  # decide about one, then read its history
  ask '%[1]s/api/v1/drifts/%[2]s/approve' -H 'Content-Type: application/json' \
    -d '{"reason":"not ours; bring it back to the code"}'
  ask '%[1]s/api/v1/drifts/%[2]s/timeline'

  # your own: run these where your Terraform code is
  terraform plan -refresh-only -out=tfplan
  terraform show -json tfplan | ask --data-binary @- '%[1]s/api/v1/scans?stack=my/stack'

  Serving on %[1]s, metrics on %[1]s/metrics
  Log in as %[5]s with the password %[6]s
  Ctrl-C stops it; %[3]s.
`
