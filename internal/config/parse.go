package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// is is the usual complaint, for values that are no secrets.
func is(text string) error {
	const longest = 60 // enough to recognise it; a certificate pasted here is not
	if len(text) > longest {
		return fmt.Errorf("is %q…", text[:longest])
	}
	return fmt.Errorf("is %q", text)
}

func oneOf[T ~string](values ...T) kind[T] {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = string(value)
	}
	return kind[T]{
		expected: "one of " + strings.Join(names, ", "),
		parse: func(text string) (T, error) {
			for _, value := range values {
				if strings.EqualFold(text, string(value)) {
					return value, nil
				}
			}
			return "", is(text)
		},
	}
}

var boolean = kind[bool]{
	expected: "true or false",
	parse: func(text string) (bool, error) {
		value, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return false, is(text)
		}
		return value, nil
	},
}

func integer[T ~int | ~int32](lowest, highest T) kind[T] {
	return kind[T]{
		expected: fmt.Sprintf("a whole number from %d to %d", lowest, highest),
		parse: func(text string) (T, error) {
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil || n < int64(lowest) || n > int64(highest) {
				return 0, is(text)
			}
			return T(n), nil
		},
	}
}

func duration(shortest, longest time.Duration) kind[time.Duration] {
	return kind[time.Duration]{
		expected: fmt.Sprintf("a duration with its unit from %s to %s, such as 500ms, 30s or 1m30s", brief(shortest), brief(longest)),
		parse: func(text string) (time.Duration, error) {
			d, err := time.ParseDuration(text)
			if err != nil || d < shortest || d > longest {
				return 0, is(text)
			}
			return d, nil
		},
	}
}

// brief is d without the zero parts that Duration.String drags along: 24h0m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

var (
	sizePattern = regexp.MustCompile(`^(\d+) ?([A-Za-z]*)$`)
	sizeUnits   = map[string]int64{
		"": 1, "b": 1,
		"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
		"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	}
)

var size = kind[int64]{
	expected: "a number of bytes above 0, plain or with a unit, such as 1048576, 500MB or 2GiB",
	parse: func(text string) (int64, error) {
		parts := sizePattern.FindStringSubmatch(text)
		if parts == nil {
			return 0, is(text)
		}
		n, err := strconv.ParseInt(parts[1], 10, 64)
		unit, known := sizeUnits[strings.ToLower(parts[2])]
		if err != nil || !known || n < 1 || n > math.MaxInt64/unit {
			return 0, is(text)
		}
		return n * unit, nil
	},
}

var hostname = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`)

var hostOrIP = kind[string]{
	expected: "an IP address or a host name, without scheme, port or brackets",
	parse: func(text string) (string, error) {
		if _, err := netip.ParseAddr(text); err != nil && !hostname.MatchString(text) {
			return "", is(text)
		}
		return text, nil
	},
}

// list splits at commas; a comma too many at the end is no mistake worth a word.
func list(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

var networks = kind[[]netip.Prefix]{
	expected: "addresses or networks separated by commas, such as 10.0.0.0/8,192.0.2.7,fd00::/8",
	parse: func(text string) ([]netip.Prefix, error) {
		var prefixes []netip.Prefix
		for _, item := range list(text) {
			prefix, err := network(item)
			if err != nil {
				return nil, fmt.Errorf("has %q in it", item)
			}
			prefixes = append(prefixes, prefix)
		}
		return prefixes, nil
	},
}

func network(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		return prefix.Masked(), err
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, errors.New("not an address")
	}
	addr = addr.Unmap()
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}

var origins = kind[[]string]{
	expected: "origins separated by commas, such as https://app.example.com,http://localhost:5173, or * alone",
	parse: func(text string) ([]string, error) {
		items := list(text)
		for i, item := range items {
			if item == "*" {
				if len(items) > 1 {
					return nil, errors.New("has * beside other origins")
				}
				continue
			}
			written, err := origin(item)
			if err != nil {
				return nil, fmt.Errorf("has an origin (number %d) that %w", i+1, err)
			}
			items[i] = written
		}
		return items, nil
	},
}

// origin returns text the way a browser writes it in the Origin header: lower
// case and without the port that goes without saying. Comparing is then exact.
func origin(text string) (string, error) {
	u, err := httpURL(text)
	switch {
	case err != nil:
		return "", err
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("has more than scheme, host and port")
	}
	scheme, name, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		if strings.Contains(name, ":") {
			name = "[" + name + "]"
		}
		return scheme + "://" + name, nil
	}
	return scheme + "://" + net.JoinHostPort(name, port), nil
}

// baseURL is a URL to which paths are appended.
var baseURL = kind[string]{
	expected: "an http:// or https:// URL without query or fragment, such as https://drift.example.com",
	parse: func(text string) (string, error) {
		u, err := httpURL(text)
		switch {
		case err != nil:
			return "", err
		case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
			return "", errors.New("has a query or a fragment")
		}
		return strings.TrimRight(text, "/"), nil
	},
}

// anyURL keeps its query and fragment: log viewers put their whole state there.
var anyURL = kind[string]{
	expected: "an http:// or https:// URL",
	parse: func(text string) (string, error) {
		_, err := httpURL(text)
		return text, err
	},
}

// httpURL parses a URL that names a web server. Its errors complete "NAME …" and
// don't quote the text, which may hold credentials by mistake.
func httpURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https"):
		return nil, errors.New("does not start with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("names no host")
	case u.User != nil:
		return nil, errors.New("has credentials in it, which would end up in logs and links")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errors.New("has a port that is not from 1 to 65535")
		}
	}
	return u, nil
}
