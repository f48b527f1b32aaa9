package config

import (
	"errors"

	"github.com/driftsentry/driftsentry/internal/secret"
)

// Scan is what a command that uploads needs to know of the server.
type Scan struct {
	ServerURL string        // never ends in a slash
	APIKey    secret.String // empty sends none
}

// LoadScan reads only what uploading needs. That there is a server is checked,
// that it wants a key is for the server to say.
func LoadScan(environ []string) (Scan, error) {
	r := newReader(environ)
	scan := r.scan()
	if scan.ServerURL == "" && !r.wrong("DRIFTSENTRY_URL") {
		r.problem("DRIFTSENTRY_URL", "is not set", baseURL.expected)
	}
	if err := r.err(); err != nil {
		return Scan{}, err
	}
	return scan, nil
}

func (r *reader) scan() Scan {
	return Scan{
		ServerURL: read(r, "DRIFTSENTRY_URL", "", baseURL),
		APIKey:    r.secret("DRIFTSENTRY_API_KEY", apiKey),
	}
}

// apiKey is any text that fits a header: whether it is good is for the server
// to say.
var apiKey = kind[string]{
	expected: "an API key as driftsentry apikey create prints it",
	parse: func(text string) (string, error) {
		for i := range len(text) {
			if text[i] <= ' ' || text[i] > '~' {
				return "", errors.New("has a character in it that no key has")
			}
		}
		return text, nil
	},
}
