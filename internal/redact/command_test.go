package redact_test

import (
	"testing"

	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// shown is what may be shown of the JSON text value of the attribute called name.
func shown(name, value string) string {
	var p jsontree.Parser
	in := redact.NewInspector(redact.NewSecrets(), &p)
	tree := p.Parse([]byte(value))
	in.Attribute([]byte(name), tree, nil, redact.Ordinary)
	return redact.Value(tree, &p).JSON()
}

func TestCommands(t *testing.T) {
	const hidden = `"(sensitive value)"`
	for _, tt := range []struct{ name, value, want string }{
		{"command", `["app","--password","Xy7","--port","80"]`, `["app","--password",` + hidden + `,"--port","80"]`},
		{"args", `["--token","hunter2"]`, `["--token",` + hidden + `]`},
		{"args", `["--api-key","hunter2","-v"]`, `["--api-key",` + hidden + `,"-v"]`},
		{"args", `["-password","hunter2"]`, `["-password",` + hidden + `]`},
		{"args", `["mysql","-uroot","-phunter2","db"]`, `["mysql","-uroot",` + hidden + `,"db"]`},
		{"args", `["/usr/bin/curl","-u","user:hunter2"]`, `["/usr/bin/curl","-u",` + hidden + `]`},
		{"args", `["docker","run","-p","8080:80","nginx"]`, `["docker","run","-p","8080:80","nginx"]`},
		{"args", `["--token","$TOKEN"]`, `["--token","$TOKEN"]`},
		{"args", `["--token","--verbose"]`, `["--token","--verbose"]`},
		{"args", `["--token-ttl","300"]`, `["--token-ttl","300"]`},
		{"args", `["mysql","--port","3306","-p"]`, `["mysql","--port","3306","-p"]`},
		{
			"environment", `[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"LEVEL","value":"debug"}]`,
			`[{"name":"DB_PASSWORD","value":` + hidden + `},{"name":"LEVEL","value":"debug"}]`,
		},
		{"parameters", `[{"parameter_key":"DbPassword","parameter_value":"hunter2"}]`, `[{"parameter_key":"DbPassword","parameter_value":` + hidden + `}]`},
		{"container_definitions", `"[{\"command\":[\"app\",\"--password\",\"hunter2\"]}]"`, hidden},

		{"token_validity_units", `[{"access_token":"minutes","refresh_token":"days"}]`, `[{"access_token":"minutes","refresh_token":"days"}]`},
		{"tags", `{"token":"minutes"}`, `{"token":"minutes"}`},
		{"tag", `[{"key":"token","value":"minutes"}]`, `[{"key":"token","value":"minutes"}]`},
	} {
		if got := shown(tt.name, tt.value); got != tt.want {
			t.Errorf("%s = %s is shown as\n%s, want\n%s", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestScripts(t *testing.T) {
	for _, text := range []string{
		"mysql -u root -phunter2 prod", "mysqldump -h db \\\n  -phunter2 prod", "curl -u admin:hunter2 https://x", "curl -fsS --user 'admin:hunter2' https://x",
		"docker login -u me -p hunter2 registry.example.com", "echo hi && sshpass -p hunter2 ssh host", "redis-cli -a hunter2 ping",
		"aws configure set aws_secret_access_key hunter2", "ALTER USER app WITH PASSWORD 'hunter2';", "create user app password 'hunter2'",
		"CREATE USER 'app'@'%' IDENTIFIED BY 'hunter2';", "ALTER USER a IDENTIFIED WITH mysql_native_password BY 'hunter2'",
		"bind 0.0.0.0\nrequirepass hunter2\n", "root:$6$rounds=5000$saltsalt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.:19000::",
		"$2y$10$abcdefghijklmnopqrstuuEaR4O1b9c8d7e6f5g4h3i2j1k0l", "env:\n- name: DB_PASSWORD\n  value: hunter2\n", "env:\n  - name: \"API_KEY\"\n    value: 'hunter2'\n",
	} {
		if !isHidden(t, "something", text) {
			t.Errorf("shown: %s", text)
		}
	}
	for _, text := range []string{
		"docker run -p 8080:80 nginx", "mkdir -p /var/lib/app", "mysql -p", "curl -u $USER:$PASS https://x", "ssh -p 22 host", "tar -xpf a.tar",
		"docker login -p $TOKEN", "the password 'must' be long", "IDENTIFIED BY the owner", "mysql -P 3306", "env:\n- name: LEVEL\n  value: debug\n",
		"costs $6$ per month", "aws configure set region eu-west-1", "-p 80", "set the token to minutes",
	} {
		if isHidden(t, "something", text) {
			t.Errorf("hidden: %s", text)
		}
	}
}
