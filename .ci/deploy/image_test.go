package deploy

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(root + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// A compiler in the image that is not the one of go.mod is found out by nobody.
func TestDockerfileGoVersion(t *testing.T) {
	t.Parallel()
	want := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "go.mod"))[1]
	image := regexp.MustCompile(`(?m)^ARG GO_IMAGE=golang:([0-9.]+)-`).FindStringSubmatch(read(t, "Dockerfile"))
	if len(image) != 2 || image[1] != want {
		t.Errorf("the Dockerfile's GO_IMAGE is of Go %q, want %s as in go.mod", image, want)
	}
}

// These need a newer builder, another download, or hide what they pull.
func TestDockerfileIsPlain(t *testing.T) {
	t.Parallel()
	dockerfile := read(t, "Dockerfile")
	for what, pattern := range map[string]string{
		"a parser of its own": `(?mi)^#\s*syntax\s*=`, "COPY --link": `(?m)^COPY .*--link`, "a heredoc": `<<-?["']?[A-Z]+`,
		"ADD": `(?m)^ADD `, "the tag latest": `:latest`, "a user by name": `(?m)^USER [^0-9]`,
	} {
		if found := regexp.MustCompile(pattern).FindString(dockerfile); found != "" {
			t.Errorf("the Dockerfile has %s: %q", what, found)
		}
	}
	stages := regexp.MustCompile(`(?m)^FROM (.*)$`).FindAllStringSubmatch(dockerfile, -1)
	if last := stages[len(stages)-1][1]; !strings.HasPrefix(last, "scratch") {
		t.Errorf("the last stage is FROM %s, want scratch", last)
	}
}
