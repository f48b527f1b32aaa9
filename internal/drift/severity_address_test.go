package drift

import "testing"

func TestWorldIn(t *testing.T) {
	tests := []struct {
		sources []string
		want    string
	}{
		{nil, ""},
		{[]string{"10.0.0.0/8", "sg-1", "", "2001:db8::/32"}, ""},
		{[]string{"0.0.0.0/0"}, "0.0.0.0/0"},
		{[]string{"198.51.100.7/0"}, "0.0.0.0/0"},
		{[]string{"*"}, "0.0.0.0/0"},
		{[]string{"Internet"}, "0.0.0.0/0"},
		{[]string{"0.0.0.0/1", "128.0.0.0/1"}, "0.0.0.0/0"},
		{[]string{"0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"}, "at least half of IPv4"},
		{[]string{"0.0.0.0/1", "0.0.0.0/2", "64.0.0.0/2"}, "at least half of IPv4"},
		{[]string{"0.0.0.0/2", "0.0.0.0/3", "0.0.0.0/4"}, ""},
		{[]string{"::/0"}, "::/0"},
		{[]string{"2000::/3"}, "::/0"},
		{[]string{"2000::/4"}, "at least half of IPv6"},
		{[]string{"::/1", "8000::/1"}, "::/0"},
		{[]string{"8000::/1", "fe80::/10"}, ""},
		{[]string{"::ffff:0.0.0.0/96"}, "0.0.0.0/0"},
		{[]string{"0.0.0.0/-1", "0.0.0.0/33", "0.0.0.0"}, "0.0.0.0/0"},
	}
	for _, test := range tests {
		if got := worldIn(test.sources); got != test.want {
			t.Errorf("worldIn(%q) = %q, want %q", test.sources, got, test.want)
		}
	}
}

func TestSayServices(t *testing.T) {
	tests := []struct {
		ports map[string][]span
		want  string
	}{
		{map[string][]span{"tcp": {{22, 22}}}, "port 22"},
		{map[string][]span{"tcp": {{1000, 2000}}}, "ports 1000-2000"},
		{map[string][]span{"all": {{0, 65535}}}, "all ports"},
		{map[string][]span{"all": {{22, 22}}}, "port 22"},
		{map[string][]span{"tcp": {{0, 65535}}}, "all tcp ports"},
		{map[string][]span{"udp": {{1, 65535}}}, "all udp ports"},
		{map[string][]span{"udp": {{53, 53}}}, "udp port 53"},
		{map[string][]span{"tcp": {{22, 22}, {80, 81}, {443, 443}, {500, 500}, {600, 600}}}, "ports 22, 80-81, 443 and 2 more"},
		{map[string][]span{"udp": {{53, 53}}, "tcp": {{53, 53}}, "icmp": {{0, 65535}}}, "port 53 and udp port 53 and more"},
		{map[string][]span{"esp": {{0, 65535}}, "other": {{0, 65535}}}, "esp and another protocol"},
	}
	for _, test := range tests {
		if got := sayServices(test.ports); got != test.want {
			t.Errorf("sayServices(%v) = %q, want %q", test.ports, got, test.want)
		}
	}
}

func TestGlobCovers(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true},
		{"*", "", true},
		{"*", "s3:*", true},
		{"s3:Get*", "s3:GetObject*", true},
		{"s3:GetObject*", "s3:Get*", false},
		{"a*a", "a", false},
		{"a*b*c", "aXbXbc", true},
		{"a*b*c", "aXcXb", false},
		{"a*", "*", false},
		{"a?", "ab", false},
		{"aws_*_file_system", "aws_fsx_windows_file_system", true},
		{"*_database", "aws_db_subnet_group", false},
	}
	for _, test := range tests {
		if got := globCovers(test.pattern, test.name); got != test.want {
			t.Errorf("globCovers(%q, %q) = %t, want %t", test.pattern, test.name, got, test.want)
		}
	}
}
