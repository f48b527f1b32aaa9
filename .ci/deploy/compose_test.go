package deploy

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// service is what this test asks of a service in docker-compose.yml; compose itself
// checks the rest (docker-compose config).
type service struct {
	Image       string            `json:"image"`
	Build       any               `json:"build"`
	Restart     string            `json:"restart"`
	ReadOnly    bool              `json:"read_only"`
	Privileged  bool              `json:"privileged"`
	CapDrop     []string          `json:"cap_drop"`
	CapAdd      []string          `json:"cap_add"`
	SecurityOpt []string          `json:"security_opt"`
	MemLimit    string            `json:"mem_limit"`
	PidsLimit   int               `json:"pids_limit"`
	Ports       []string          `json:"ports"`
	Volumes     []string          `json:"volumes"`
	Environment map[string]string `json:"environment"`
	Healthcheck any               `json:"healthcheck"`
	DependsOn   map[string]struct {
		Condition string `json:"condition"`
	} `json:"depends_on"`
	Logging struct {
		Options map[string]string `json:"options"`
	} `json:"logging"`
}

func services(t *testing.T) map[string]service {
	t.Helper()
	var file struct {
		Services map[string]service `json:"services"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"app", "postgres", "otel-collector", "jaeger", "prometheus", "loki", "grafana"} {
		if _, ok := file.Services[name]; !ok {
			t.Errorf("docker-compose.yml has no service %s", name)
		}
	}
	return file.Services
}

func TestComposeServicesAreConfined(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^[a-z0-9/-]+:v?\d+\.\d+(\.\d+)?$`)
	for name, s := range services(t) {
		if !s.ReadOnly || s.Privileged || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s: want read_only, cap_drop ALL and no-new-privileges", name)
		}
		if len(s.CapAdd) > 0 && name != "secrets" {
			t.Errorf("%s: cap_add = %v, want none", name, s.CapAdd)
		}
		if s.MemLimit == "" || s.PidsLimit == 0 || s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
			t.Errorf("%s: want limits of memory and processes, and logs that are rotated", name)
		}
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image = %s, want a fixed tag", name, s.Image)
		}
		// Our own image brings its check along.
		if s.Restart != "no" && s.Healthcheck == nil && s.Image != "driftsentry:local" {
			t.Errorf("%s: want a healthcheck", name)
		}
		for other, on := range s.DependsOn {
			if on.Condition == "service_started" || on.Condition == "" {
				t.Errorf("%s: waits for %s to start, want for its health or its end", name, other)
			}
		}
	}
}

func TestComposePublishesOnLoopback(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"app":        "${BIND_ADDRESS:-127.0.0.1}:${APP_PORT:-3001}:3001",
		"grafana":    "${BIND_ADDRESS:-127.0.0.1}:${GRAFANA_PORT:-3000}:3000",
		"jaeger":     "127.0.0.1:${JAEGER_PORT:-16686}:16686",
		"prometheus": "127.0.0.1:${PROMETHEUS_PORT:-9090}:9090",
	}
	for name, s := range services(t) {
		if got := strings.Join(s.Ports, " "); got != want[name] {
			t.Errorf("%s publishes %q, want %q", name, got, want[name])
		}
	}
}

// What is set for the app is read by it, what is read from .env is explained, and what
// is mounted is there.
func TestComposeRefersToWhatExists(t *testing.T) {
	t.Parallel()
	all := services(t)
	known := variables(t)
	for name := range all["app"].Environment {
		if !known[name] {
			t.Errorf("the app is given %s, which .env.example does not know", name)
		}
	}
	file := read(t, "docker-compose.yml")
	head, _, _ := strings.Cut(file, "\nname:")
	for _, found := range regexp.MustCompile(`\$\{([A-Z_]+)`).FindAllStringSubmatch(file, -1) {
		if !regexp.MustCompile(`\b` + found[1] + `\b`).MatchString(head) {
			t.Errorf("the head of docker-compose.yml does not mention %s", found[1])
		}
	}
	for name, s := range all {
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if !strings.HasPrefix(source, ".") {
				continue
			}
			if _, err := os.Stat(root + "/" + source); err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			}
			if !strings.HasSuffix(volume, ":ro") {
				t.Errorf("%s may write to %s", name, source)
			}
		}
	}
}
