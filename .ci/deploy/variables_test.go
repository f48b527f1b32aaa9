package deploy

import (
	"bufio"
	"os"
	"regexp"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// A misspelt variable is no error anywhere else: it is just not read.
func TestVariablesAreRead(t *testing.T) {
	t.Parallel()
	read := variables(t)
	objects := render(t, example)
	for name := range one[*core.ConfigMap](t, objects).Data {
		if !read[name] {
			t.Errorf("the ConfigMap sets %s, which .env.example does not know", name)
		}
	}
	for _, w := range workloads(objects) {
		for _, c := range w.pod.Spec.Containers {
			text, err := yaml.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, variable := range c.Env {
				if !read[variable.Name] && !strings.Contains(string(text), "$("+variable.Name+")") {
					t.Errorf("%s, %s: sets %s, which .env.example does not know and nothing here uses", w.name, c.Name, variable.Name)
				}
			}
		}
	}
}

// variables are the names in .env.example.
func variables(t *testing.T) map[string]bool {
	t.Helper()
	file, err := os.Open(root + "/.env.example")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	names := make(map[string]bool)
	assignment := regexp.MustCompile(`^([A-Z][A-Z0-9_]*)=`)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if found := assignment.FindStringSubmatch(lines.Text()); found != nil {
			names[found[1]] = true
		}
	}
	return names
}
