package pipeline_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/pipeline"
)

func noFile(string) ([]byte, error) { return nil, errors.New("no such file") }

func TestFrom(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		env  string // a variable a line
		want pipeline.Facts
	}{
		{"a laptop", "HOME=/home\nCI=true", pipeline.Facts{}},
		{"GitHub, a push", `GITHUB_ACTIONS=true
GITHUB_SERVER_URL=https://github.com
GITHUB_REPOSITORY=acme/infra
GITHUB_RUN_ID=1658821493
GITHUB_RUN_ATTEMPT=2
GITHUB_WORKFLOW=Nightly drift
GITHUB_JOB=scan
GITHUB_REF=refs/heads/main
GITHUB_REF_NAME=main
GITHUB_HEAD_REF=
GITHUB_SHA=ffac537e6cbbf934b08745a378932722df287a53
GITHUB_TOKEN=ghs_planted`, pipeline.Facts{
			"cicd.system.name": "github_actions", "cicd.pipeline.name": "Nightly drift", "cicd.pipeline.run.id": "1658821493", "cicd.pipeline.task.name": "scan",
			"cicd.pipeline.run.url.full": "https://github.com/acme/infra/actions/runs/1658821493/attempts/2",
			"vcs.repository.url.full":    "https://github.com/acme/infra", "vcs.repository.name": "infra",
			"vcs.ref.head.name": "main", "vcs.ref.head.revision": "ffac537e6cbbf934b08745a378932722df287a53",
		}},
		{"GitHub, a pull request", `GITHUB_ACTIONS=true
GITHUB_SERVER_URL=https://github.example.com
GITHUB_REPOSITORY=acme/infra
GITHUB_RUN_ID=7
GITHUB_REF=refs/pull/42/merge
GITHUB_REF_NAME=42/merge
GITHUB_HEAD_REF=open-ssh
GITHUB_SHA=merge
GITHUB_EVENT_PATH=/event.json`, pipeline.Facts{
			"cicd.system.name": "github_actions", "cicd.pipeline.run.id": "7",
			"cicd.pipeline.run.url.full": "https://github.example.com/acme/infra/actions/runs/7",
			"vcs.repository.url.full":    "https://github.example.com/acme/infra", "vcs.repository.name": "infra",
			"vcs.ref.head.name": "open-ssh", "vcs.ref.head.revision": "c0ffee", "vcs.change.id": "42", "vcs.change.title": "Open SSH",
		}},
		{"GitLab, a merge request", `GITLAB_CI=true
CI_PIPELINE_ID=1234
CI_PIPELINE_URL=https://gitlab.example.com/acme/infra/-/pipelines/1234
CI_PIPELINE_NAME=drift
CI_JOB_NAME=scan: [network]
CI_PROJECT_URL=https://gitlab.example.com/acme/infra
CI_PROJECT_PATH=acme/infra
CI_REPOSITORY_URL=https://gitlab-ci-token:planted@gitlab.example.com/acme/infra.git
CI_COMMIT_REF_NAME=refs/merge-requests/9/head
CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=open-ssh
CI_COMMIT_SHA=abc
CI_MERGE_REQUEST_IID=9
CI_MERGE_REQUEST_TITLE=Draft: öffne SSH`, pipeline.Facts{
			"cicd.system.name": "gitlab", "cicd.pipeline.name": "drift", "cicd.pipeline.run.id": "1234", "cicd.pipeline.task.name": "scan: [network]",
			"cicd.pipeline.run.url.full": "https://gitlab.example.com/acme/infra/-/pipelines/1234",
			"vcs.repository.url.full":    "https://gitlab.example.com/acme/infra", "vcs.repository.name": "infra",
			"vcs.ref.head.name": "open-ssh", "vcs.ref.head.revision": "abc", "vcs.change.id": "9", "vcs.change.title": "Draft: öffne SSH",
		}},
		{"Jenkins, with a password in its URL", `JENKINS_URL=https://jenkins.example.com/
JOB_NAME=drift/main
BUILD_NUMBER=17
BUILD_URL=https://jenkins.example.com/job/drift/17/
STAGE_NAME=Scan
GIT_URL=https://bot:planted@git.example.com/acme/infra.git
GIT_BRANCH=origin/main
GIT_COMMIT=abc`, pipeline.Facts{
			"cicd.system.name": "jenkins", "cicd.pipeline.name": "drift/main", "cicd.pipeline.run.id": "17", "cicd.pipeline.task.name": "Scan",
			"cicd.pipeline.run.url.full": "https://jenkins.example.com/job/drift/17/",
			"vcs.repository.url.full":    "https://git.example.com/acme/infra", "vcs.repository.name": "infra",
			"vcs.ref.head.name": "main", "vcs.ref.head.revision": "abc",
		}},
		{"CircleCI, over SSH", `CIRCLECI=true
CIRCLE_PROJECT_REPONAME=infra
CIRCLE_WORKFLOW_ID=w-1
CIRCLE_BUILD_URL=https://circleci.com/gh/acme/infra/12
CIRCLE_JOB=scan
CIRCLE_REPOSITORY_URL=git@github.com:acme/infra.git
CIRCLE_BRANCH=main
CIRCLE_SHA1=abc
CIRCLE_PULL_REQUEST=https://github.com/acme/infra/pull/42`, pipeline.Facts{
			"cicd.system.name": "circleci", "cicd.pipeline.name": "infra", "cicd.pipeline.run.id": "w-1", "cicd.pipeline.task.name": "scan",
			"cicd.pipeline.run.url.full": "https://circleci.com/gh/acme/infra/12",
			"vcs.repository.url.full":    "https://github.com/acme/infra", "vcs.repository.name": "infra",
			"vcs.ref.head.name": "main", "vcs.ref.head.revision": "abc", "vcs.change.id": "42",
		}},
		{"Buildkite, no pull request", `BUILDKITE=true
BUILDKITE_PIPELINE_NAME=Drift
BUILDKITE_BUILD_ID=0185
BUILDKITE_BUILD_URL=https://buildkite.com/acme/drift/builds/3
BUILDKITE_LABEL=:terraform: scan
BUILDKITE_REPO=ssh://git@git.example.com:2222/acme/infra.git
BUILDKITE_BRANCH=main
BUILDKITE_COMMIT=HEAD
BUILDKITE_PULL_REQUEST=false`, pipeline.Facts{
			"cicd.system.name": "buildkite", "cicd.pipeline.name": "Drift", "cicd.pipeline.run.id": "0185", "cicd.pipeline.task.name": ":terraform: scan",
			"cicd.pipeline.run.url.full": "https://buildkite.com/acme/drift/builds/3",
			"vcs.repository.url.full":    "https://git.example.com/acme/infra", "vcs.repository.name": "infra", "vcs.ref.head.name": "main",
		}},
		{"Azure", `TF_BUILD=True
BUILD_DEFINITIONNAME=drift
BUILD_BUILDID=88
SYSTEM_JOBDISPLAYNAME=Scan
SYSTEM_TEAMFOUNDATIONCOLLECTIONURI=https://dev.azure.com/acme/
SYSTEM_TEAMPROJECT=Our Infra
BUILD_REPOSITORY_URI=https://acme@dev.azure.com/acme/Our%20Infra/_git/infra
BUILD_REPOSITORY_NAME=infra
BUILD_SOURCEBRANCH=refs/heads/main
BUILD_SOURCEVERSION=abc`, pipeline.Facts{
			"cicd.system.name": "azure_pipelines", "cicd.pipeline.name": "drift", "cicd.pipeline.run.id": "88", "cicd.pipeline.task.name": "Scan",
			"cicd.pipeline.run.url.full": "https://dev.azure.com/acme/Our%20Infra/_build/results?buildId=88",
			"vcs.repository.url.full":    "https://dev.azure.com/acme/Our%20Infra/_git/infra", "vcs.repository.name": "infra",
			"vcs.ref.head.name": "main", "vcs.ref.head.revision": "abc",
		}},
		{"Bitbucket", `BITBUCKET_BUILD_NUMBER=5
BITBUCKET_REPO_FULL_NAME=acme/infra
BITBUCKET_GIT_HTTP_ORIGIN=https://bitbucket.org/acme/infra
BITBUCKET_BRANCH=open-ssh
BITBUCKET_COMMIT=abc
BITBUCKET_PR_ID=3`, pipeline.Facts{
			"cicd.system.name": "bitbucket_pipelines", "cicd.pipeline.name": "acme/infra", "cicd.pipeline.run.id": "5",
			"cicd.pipeline.run.url.full": "https://bitbucket.org/acme/infra/pipelines/results/5",
			"vcs.repository.url.full":    "https://bitbucket.org/acme/infra", "vcs.repository.name": "infra",
			"vcs.ref.head.name": "open-ssh", "vcs.ref.head.revision": "abc", "vcs.change.id": "3",
		}},
		{"Atlantis", `ATLANTIS_TERRAFORM_VERSION=1.11.4
PROJECT_NAME=network
WORKSPACE=prod
PULL_NUM=42
PULL_URL=https://gitlab.example.com/acme/infra/-/merge_requests/42
BASE_REPO_NAME=infra
HEAD_BRANCH_NAME=open-ssh
HEAD_COMMIT=abc`, pipeline.Facts{
			"cicd.system.name": "atlantis", "cicd.pipeline.name": "network", "cicd.pipeline.task.name": "prod",
			"cicd.pipeline.run.url.full": "https://gitlab.example.com/acme/infra/-/merge_requests/42",
			"vcs.repository.url.full":    "https://gitlab.example.com/acme/infra", "vcs.repository.name": "infra",
			"vcs.ref.head.name": "open-ssh", "vcs.ref.head.revision": "abc", "vcs.change.id": "42",
		}},
		{"Spacelift", `TF_VAR_spacelift_run_id=01HX
TF_VAR_spacelift_account_name=acme
TF_VAR_spacelift_stack_id=network
TF_VAR_spacelift_run_type=TRACKED
TF_VAR_spacelift_repository=infra
TF_VAR_spacelift_commit_branch=main
TF_VAR_spacelift_commit_sha=abc`, pipeline.Facts{
			"cicd.system.name": "spacelift", "cicd.pipeline.name": "network", "cicd.pipeline.run.id": "01HX", "cicd.pipeline.task.name": "tracked",
			"cicd.pipeline.run.url.full": "https://acme.app.spacelift.io/stack/network/run/01HX",
			"vcs.repository.name":        "infra", "vcs.ref.head.name": "main", "vcs.ref.head.revision": "abc",
		}},
		{"a repository in a folder", "JENKINS_URL=http://j\nGIT_URL=/srv/git/infra.git\nBUILD_URL=not a link", pipeline.Facts{
			"cicd.system.name": "jenkins", "vcs.repository.name": "infra",
		}},
	}
	event := []byte(`{"pull_request":{"title":"Open SSH","head":{"sha":"c0ffee"}}}`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := pipeline.From(strings.Split(tt.env, "\n"), func(path string) ([]byte, error) {
				if path == "/event.json" {
					return event, nil
				}
				return noFile(path)
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("From() (-want +got):\n%s", diff)
			}
			for key, value := range got {
				if strings.Contains(value, "planted") {
					t.Errorf("From()[%s] = %q holds a credential", key, value)
				}
			}
		})
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	facts := pipeline.From([]string{"GITHUB_ACTIONS=true", "GITHUB_SHA=abc"}, noFile)
	if err := facts.Set("vcs.ref.head.revision=def"); err != nil || facts[pipeline.Revision] != "def" {
		t.Errorf("Set(a revision) = %v, %v", err, facts)
	}
	if err := facts.Set("vcs.repository.url.full=https://u:planted@git.example.com/a"); err != nil || strings.Contains(facts.Header(), "planted") {
		t.Errorf("Set(a URL with a password) = %v, %s", err, facts.Header())
	}
	for _, wrong := range []string{"vcs.ref.head.revision", "revision=abc", "=abc", ""} {
		if err := facts.Set(wrong); err == nil {
			t.Errorf("Set(%q) = nil, want an error", wrong)
		}
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	if got := (pipeline.Facts{}).Header(); got != "" {
		t.Errorf("Header() of nothing = %q", got)
	}
	full := pipeline.Facts{}
	for _, key := range pipeline.Keys() {
		value := strings.Repeat("ä😀\"\\<", 60)
		if err := full.Set(key + "=" + value); err != nil {
			t.Fatal(err)
		}
	}
	if err := full.Set("vcs.change.id=42"); err != nil {
		t.Fatal(err)
	}
	header := full.Header()
	if len(header) > 4<<10 || len(header) < 1<<10 {
		t.Errorf("Header() has %d bytes, want no more than 4 KiB and most of that", len(header))
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(header), &back); err != nil {
		t.Fatalf("Header() = %s: %v", header, err)
	}
	if back["vcs.change.id"] != "42" || back["cicd.system.name"] != full["cicd.system.name"] || !strings.HasSuffix(full["cicd.system.name"], "…") {
		t.Errorf("Header() = %v, want what matters most in it, as it is in the facts", back)
	}
	for i := range len(header) {
		if header[i] < ' ' || header[i] > '~' {
			t.Fatalf("Header() has byte %#x in it, want ASCII alone", header[i])
		}
	}
}
