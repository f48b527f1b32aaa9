package config_test

import (
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/config"
)

// FuzzErrorsKeepSecrets looks for a text around a secret that makes some check
// quote it. It also finds the text that makes one panic.
func FuzzErrorsKeepSecrets(f *testing.F) {
	f.Add("postgres://u:", "@host/db")
	f.Add("postgres://u:%", "@host/db?sslmode=")
	f.Add("postgres://u:#", "@[::1,b:/db")
	f.Add("host=x password='", "'")
	f.Add("https://", "@sentry/")
	f.Add("https://host:", "/1")
	f.Add("authorization=", "%zz")
	f.Add("\x00", "\x7f")
	const needle = "hunter2-s3cr3t"
	f.Fuzz(func(t *testing.T, before, after string) {
		value := before + needle + after
		for _, name := range []string{
			"DATABASE_URL", "JWT_SECRET", "FINGERPRINT_KEY", "SENTRY_DSN", "OTEL_EXPORTER_OTLP_HEADERS",
			// No secrets, but the place where people paste URLs with a password in.
			"PUBLIC_URL", "JAEGER_URL", "LOGS_URL", "CORS_ORIGINS", "OTEL_EXPORTER_OTLP_ENDPOINT",
		} {
			_, err := config.Load([]string{"APP_ENV=production", name + "=" + value})
			if err != nil && strings.Contains(err.Error(), needle) {
				t.Errorf("%s=%q: the error shows the secret: %v", name, value, err)
			}
		}
	})
}
