package pipeline

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// system is one CI system: how to tell that it runs us, and what it says.
type system struct {
	name  string
	runs  func(environment) bool
	facts func(environment, func(string) ([]byte, error)) Facts
}

// set reports that a variable is there and says nothing like no.
func set(name string) func(environment) bool {
	return func(env environment) bool {
		value := strings.ToLower(env(name))
		return value != "" && value != "false" && value != "0"
	}
}

// systems are asked in this order: those that themselves run inside of another
// one first.
var systems = []system{
	{"atlantis", func(e environment) bool {
		return e("ATLANTIS_TERRAFORM_VERSION") != "" || e("PULL_NUM") != "" && e("BASE_REPO_NAME") != ""
	}, atlantis},
	{"spacelift", func(e environment) bool { return e("SPACELIFT") != "" || e("TF_VAR_spacelift_run_id") != "" }, spacelift},
	{"github_actions", set("GITHUB_ACTIONS"), github},
	{"gitlab", set("GITLAB_CI"), gitlab},
	{"circleci", set("CIRCLECI"), circle},
	{"buildkite", set("BUILDKITE"), buildkite},
	{"azure_pipelines", set("TF_BUILD"), azure},
	{"bitbucket_pipelines", set("BITBUCKET_BUILD_NUMBER"), bitbucket},
	{"jenkins", set("JENKINS_URL"), jenkins},
}

func github(env environment, read func(string) ([]byte, error)) Facts {
	f := Facts{
		Name: env("GITHUB_WORKFLOW"), RunID: env("GITHUB_RUN_ID"), Task: env("GITHUB_JOB"),
		RunURL:     env.all("${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}"),
		Repository: env.all("${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}"),
		Ref:        env.first("GITHUB_HEAD_REF", "GITHUB_REF_NAME"), Revision: env("GITHUB_SHA"),
	}
	if attempt, err := strconv.Atoi(env("GITHUB_RUN_ATTEMPT")); err == nil && attempt > 1 && f[RunURL] != "" {
		f[RunURL] += "/attempts/" + strconv.Itoa(attempt)
	}
	if number, ok := strings.CutPrefix(env("GITHUB_REF"), "refs/pull/"); ok {
		f[Change], _, _ = strings.Cut(number, "/")
	}
	// For a pull request GITHUB_SHA is a merge that nobody ever made; what was
	// proposed stands in the event.
	if content, err := read(env("GITHUB_EVENT_PATH")); err == nil && f[Change] != "" {
		var event struct {
			PullRequest struct {
				Title string
				Head  struct{ SHA string }
			} `json:"pull_request"`
		}
		if json.Unmarshal(content, &event) == nil {
			f[Title] = event.PullRequest.Title
			if event.PullRequest.Head.SHA != "" {
				f[Revision] = event.PullRequest.Head.SHA
			}
		}
	}
	return f
}

func gitlab(env environment, _ func(string) ([]byte, error)) Facts {
	return Facts{
		Name: env.first("CI_PIPELINE_NAME", "CI_PROJECT_PATH"), RunID: env("CI_PIPELINE_ID"), RunURL: env("CI_PIPELINE_URL"),
		Task: env("CI_JOB_NAME"), Repository: env("CI_PROJECT_URL"),
		Ref:      env.first("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"),
		Revision: env.first("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"),
		Change:   env("CI_MERGE_REQUEST_IID"), Title: env("CI_MERGE_REQUEST_TITLE"),
	}
}

func jenkins(env environment, _ func(string) ([]byte, error)) Facts {
	return Facts{
		Name: env("JOB_NAME"), RunID: env.first("BUILD_NUMBER", "BUILD_ID"), RunURL: env("BUILD_URL"), Task: env("STAGE_NAME"),
		Repository: env.first("GIT_URL", "GIT_URL_1"),
		Ref:        strings.TrimPrefix(env.first("CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"), "origin/"),
		Revision:   env("GIT_COMMIT"), Change: env("CHANGE_ID"), Title: env("CHANGE_TITLE"),
	}
}

func circle(env environment, _ func(string) ([]byte, error)) Facts {
	return Facts{
		Name: env("CIRCLE_PROJECT_REPONAME"), RunID: env.first("CIRCLE_WORKFLOW_ID", "CIRCLE_BUILD_NUM"), RunURL: env("CIRCLE_BUILD_URL"),
		Task: env("CIRCLE_JOB"), Repository: env("CIRCLE_REPOSITORY_URL"), Ref: env.first("CIRCLE_BRANCH", "CIRCLE_TAG"),
		Revision: env("CIRCLE_SHA1"), Change: lastNumber(env.first("CIRCLE_PR_NUMBER", "CIRCLE_PULL_REQUEST")),
	}
}

func buildkite(env environment, _ func(string) ([]byte, error)) Facts {
	return Facts{
		Name: env.first("BUILDKITE_PIPELINE_NAME", "BUILDKITE_PIPELINE_SLUG"), RunID: env("BUILDKITE_BUILD_ID"),
		RunURL: env("BUILDKITE_BUILD_URL"), Task: env.first("BUILDKITE_LABEL", "BUILDKITE_STEP_KEY"), Repository: env("BUILDKITE_REPO"),
		Ref: env("BUILDKITE_BRANCH"), Revision: commit(env("BUILDKITE_COMMIT")), Change: lastNumber(env("BUILDKITE_PULL_REQUEST")),
	}
}

func azure(env environment, _ func(string) ([]byte, error)) Facts {
	f := Facts{
		Name: env("BUILD_DEFINITIONNAME"), RunID: env("BUILD_BUILDID"), Task: env.first("SYSTEM_JOBDISPLAYNAME", "AGENT_JOBNAME"),
		Repository: env("BUILD_REPOSITORY_URI"), RepoName: env("BUILD_REPOSITORY_NAME"),
		Ref:      env.first("SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH"),
		Revision: env.first("SYSTEM_PULLREQUEST_SOURCECOMMITID", "BUILD_SOURCEVERSION"),
		Change:   env.first("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "SYSTEM_PULLREQUEST_PULLREQUESTID"),
	}
	if project := env.all("${SYSTEM_TEAMFOUNDATIONCOLLECTIONURI}|${SYSTEM_TEAMPROJECT}"); project != "" {
		base, name, _ := strings.Cut(project, "|")
		f[RunURL] = strings.TrimRight(base, "/") + "/" + strings.ReplaceAll(name, " ", "%20") + "/_build/results?buildId=" + env("BUILD_BUILDID")
	}
	return f
}

func bitbucket(env environment, _ func(string) ([]byte, error)) Facts {
	return Facts{
		Name: env("BITBUCKET_REPO_FULL_NAME"), RunID: env("BITBUCKET_BUILD_NUMBER"),
		RunURL:     env.all("https://bitbucket.org/${BITBUCKET_REPO_FULL_NAME}/pipelines/results/${BITBUCKET_BUILD_NUMBER}"),
		Repository: env("BITBUCKET_GIT_HTTP_ORIGIN"), Ref: env.first("BITBUCKET_BRANCH", "BITBUCKET_TAG"),
		Revision: env("BITBUCKET_COMMIT"), Change: env("BITBUCKET_PR_ID"),
	}
}

// An address of a change begins with that of its repository.
var changeURL = regexp.MustCompile(`^(https?://.+?)(?:/-)?/(?:pull|pulls|merge_requests|pull-requests|pullrequest)/\d+`)

func atlantis(env environment, _ func(string) ([]byte, error)) Facts {
	f := Facts{
		Name: env.first("PROJECT_NAME", "REPO_REL_DIR"), RunURL: env("PULL_URL"), RepoName: env.first("BASE_REPO_NAME", "HEAD_REPO_NAME"),
		Ref: env("HEAD_BRANCH_NAME"), Revision: env("HEAD_COMMIT"), Change: env("PULL_NUM"), Task: env("WORKSPACE"),
	}
	if parts := changeURL.FindStringSubmatch(env("PULL_URL")); parts != nil {
		f[Repository] = parts[1]
	}
	return f
}

func spacelift(env environment, _ func(string) ([]byte, error)) Facts {
	variable := func(name string) string { return env("TF_VAR_spacelift_" + name) }
	return Facts{
		Name: variable("stack_id"), RunID: variable("run_id"), Task: strings.ToLower(variable("run_type")),
		RunURL:   env.all("https://${TF_VAR_spacelift_account_name}.app.spacelift.io/stack/${TF_VAR_spacelift_stack_id}/run/${TF_VAR_spacelift_run_id}"),
		RepoName: variable("repository"), Ref: variable("commit_branch"), Revision: variable("commit_sha"),
	}
}

// lastNumber is the number at the end of a text, as in the address of a pull
// request; "false" is none.
func lastNumber(text string) string {
	number := text[strings.LastIndexByte(text, '/')+1:]
	if _, err := strconv.ParseUint(number, 10, 64); err != nil {
		return ""
	}
	return number
}

// commit is a revision, unless the build has not looked yet which.
func commit(text string) string {
	if text == "HEAD" {
		return ""
	}
	return text
}
