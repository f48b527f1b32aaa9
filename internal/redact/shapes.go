package redact

import "bytes"

// tokenPrefix is how a service begins the tokens it issues, so that scanners
// like this one find them.
type tokenPrefix struct {
	prefix string
	length int // of what follows at least
	// common is set when names begin like this too: then what follows must be
	// hexadecimal or random.
	common bool
}

// tokenPrefixes are looked up by first byte. AWS's AROA, AIDA and others are
// not here: they are public ids.
var tokenPrefixes = byFirstByte([]tokenPrefix{
	{"AKIA", 16, false},
	{"ASIA", 16, false},
	{"ABIA", 16, false},
	{"ACCA", 16, false},
	{"ghp_", 30, false},
	{"gho_", 30, false},
	{"ghu_", 30, false},
	{"ghs_", 30, false},
	{"ghr_", 30, false},
	{"github_pat_", 22, false},
	{"glpat-", 16, false},
	{"gldt-", 16, false},
	{"glrt-", 16, false},
	{"glcbt-", 16, false},
	{"glptt-", 16, false},
	{"glsoat-", 16, false},
	{"glagent-", 16, false},
	{"glimt-", 16, false},
	{"xoxb-", 10, false},
	{"xoxp-", 10, false},
	{"xoxa-", 10, false},
	{"xoxr-", 10, false},
	{"xoxs-", 10, false},
	{"xoxe.", 10, false},
	{"xapp-", 10, false},
	{"sk_live_", 10, false},
	{"sk_test_", 10, false},
	{"rk_live_", 10, false},
	{"rk_test_", 10, false},
	{"whsec_", 16, false},
	{"AIza", 35, false},
	{"GOCSPX-", 20, false},
	{"ya29.", 20, false},
	{"1//0", 30, true},
	{"npm_", 30, true},
	{"pypi-AgE", 30, false},
	{"rubygems_", 40, true},
	{"dckr_pat_", 20, false},
	{"dckr_oat_", 20, false},
	{"AKCp", 60, true},
	{"SG.", 40, false},
	{"key-", 32, true},
	{"SK", 32, true},
	{"sq0atp-", 20, false},
	{"sq0csp-", 20, false},
	{"EAAA", 60, true},
	{"dop_v1_", 32, false},
	{"doo_v1_", 32, false},
	{"dor_v1_", 32, false},
	{"shpat_", 32, false},
	{"shpss_", 32, false},
	{"shpca_", 32, false},
	{"shppa_", 32, false},
	{"dapi", 32, true},
	{"hvs.", 20, false},
	{"hvb.", 20, false},
	{"hvr.", 20, false},
	{"s.", 24, true},
	{"dp.pt.", 20, false},
	{"dp.st.", 20, false},
	{"dp.ct.", 20, false},
	{"NRAK-", 20, false},
	{"NRJS-", 16, false},
	{"NRII-", 20, false},
	{"ATATT3x", 30, false},
	{"ATCTT3x", 30, false},
	{"lin_api_", 30, false},
	{"secret_", 32, true},
	{"ntn_", 30, true},
	{"sk-proj-", 20, false},
	{"sk-ant-", 20, false},
	{"sk-", 32, true},
	{"figd_", 20, false},
	{"glsa_", 30, false},
	{"glc_", 30, true},
	{"pscale_", 30, true},
	{"PMAK-", 30, false},
	{"pul-", 40, true},
	{"sntrys_", 30, false},
	{"sntryu_", 30, false},
	{"sbp_", 30, true},
	{"HRKU-", 30, false},
	{"nvapi-", 30, false},
	{"hf_", 30, true},
	{"r8_", 30, true},
	{"AGE-SECRET-KEY-1", 20, false},
	{"tskey-", 16, false},
	{"EZAK", 50, true},
	{"EZTK", 50, true},
	{"CFPAT-", 30, false},
	{"dsk_", ownLength + 9, false}, // our own: API keys
	{"dsr_", ownLength, false},     // and refresh tokens
})

// ownLength is how long a credential of internal/auth is after its prefix.
const ownLength = 49

func byFirstByte(prefixes []tokenPrefix) (table [256][]tokenPrefix) {
	for _, p := range prefixes {
		table[p.prefix[0]] = append(table[p.prefix[0]], p)
	}
	return table
}

// maxToken is how much of a token is looked at; JSON web tokens are the longest.
const maxToken = 4096

// findToken is the first token a service issued in a run of token characters,
// nil when there is none.
func findToken(run []byte) []byte {
	for i := 0; i+minRandom <= len(run); i++ {
		if i > 0 && isAlnum(run[i-1]) {
			continue
		}
		rest := run[i:min(len(run), i+maxToken)]
		for _, p := range tokenPrefixes[rest[0]] {
			if len(rest) >= len(p.prefix)+p.length && string(rest[:len(p.prefix)]) == p.prefix && isToken(rest, p) {
				return rest
			}
		}
		if token := findJWT(rest); token != nil {
			return token
		}
	}
	return nil
}

// isToken looks at what follows a prefix. AWS keys are exactly twenty capitals
// and digits; others have digits and are long.
func isToken(token []byte, p tokenPrefix) bool {
	rest := token[len(p.prefix):]
	word := 0
	for word < len(rest) && isAlnum(rest[word]) {
		word++
	}
	switch {
	case p.common:
		return word >= p.length && (isHex(rest[:word]) || looksRandom(rest[:word]))
	case len(p.prefix) == 4 && p.length == 16:
		return word == p.length && bytes.Equal(rest[:word], bytes.ToUpper(rest[:word]))
	case p.length >= ownLength:
		// One in a thousand has no digits to speak of, but names aren't as long.
		return !bytes.ContainsAny(rest[:p.length], "./+=~")
	}
	const enough = 256
	digits := 0
	for _, c := range rest[:min(len(rest), enough)] {
		if isDigit(c) {
			digits++
		}
	}
	return digits >= 2
}

// findJWT is the JSON web token, or encrypted one, that run begins with.
func findJWT(run []byte) []byte {
	const longestHeader = 1024
	if len(run) < 30 || string(run[:3]) != "eyJ" || bytes.IndexByte(run[:min(len(run), longestHeader)], '.') < 0 {
		return nil
	}
	dots, end := 0, len(run)
	for i, c := range run {
		if c == '.' {
			dots++
		} else if c == '/' || c == '+' || c == '~' || c == '=' {
			end = i
			break
		}
	}
	if dots < 2 {
		return nil
	}
	return run[:end]
}

// hookHosts are services whose URLs are credentials themselves.
var hookHosts = [][]byte{
	[]byte("hooks.slack.com/services/"), []byte("hooks.slack.com/workflows/"), []byte("hooks.slack.com/triggers/"),
	[]byte("discord.com/api/webhooks/"), []byte("discordapp.com/api/webhooks/"), []byte(".webhook.office.com/webhookb2/"),
	[]byte("hooks.zapier.com/hooks/"), []byte("events.pagerduty.com/integration/"), []byte("api.telegram.org/bot"),
	[]byte("chat.googleapis.com/v1/spaces/"), []byte("outlook.office.com/webhook/"), []byte("alert.victorops.com/integrations/"),
}

// findHook is the rest of the text from a webhook's secret part on.
func findHook(text []byte) []byte {
	for _, host := range hookHosts {
		if _, rest, ok := bytes.Cut(text, host); ok {
			if end := bytes.IndexAny(rest, " \t\r\n\"'<>`,;)"); end >= 0 {
				rest = rest[:end]
			}
			if len(rest) >= 16 {
				return rest
			}
		}
	}
	return nil
}
