package config

import (
	"strings"
	"testing"
)

func TestTelemetryStore(t *testing.T) {
	t.Setenv("FORESIGHT_TELEMETRY_STORE", "mongo")
	for name, c := range map[string]struct{ variable, value, want string }{
		"no address":       {"FORESIGHT_TELEMETRY_MONGO_URI", "", "FORESIGHT_TELEMETRY_MONGO_URI"},
		"another protocol": {"FORESIGHT_TELEMETRY_MONGO_URI", "http://u:hush@host", "FORESIGHT_TELEMETRY_MONGO_URI"},
		"no such store":    {"FORESIGHT_TELEMETRY_STORE", "mysql", "want postgres or mongo"},
		"no such schema":   {"FORESIGHT_TELEMETRY_MONGO_SCHEMA", "mine", "want managed or external"},
		"no database":      {"FORESIGHT_TELEMETRY_MONGO_DATABASE", "a.b", "FORESIGHT_TELEMETRY_MONGO_DATABASE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("FORESIGHT_TELEMETRY_MONGO_URI", "mongodb://host")
			t.Setenv(c.variable, c.value)
			_, err := Load()
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%v, want %q in it and no password", err, c.want)
			}
		})
	}
	t.Setenv("FORESIGHT_TELEMETRY_MONGO_URI", "mongodb://user:hush@host")
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "hush") {
		t.Error("the password is printed")
	}
}
