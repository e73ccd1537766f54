package config

import (
	"os"
	"strings"
	"testing"
)

func TestDefaultsAreValid(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if !c.EmbeddedDatabase() || !c.Runs(RoleAPI) || c.Secure() {
		t.Errorf("defaults: %+v", c)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ value, want string }{
		"FORESIGHT_HTTP_ADDR":          {"8080", "FORESIGHT_HTTP_ADDR"},
		"FORESIGHT_PUBLIC_URL":         {"example.com", "FORESIGHT_PUBLIC_URL"},
		"FORESIGHT_ROLES":              {"api,cook", `"cook" is no role`},
		"FORESIGHT_LOG_LEVEL":          {"loud", "FORESIGHT_LOG_LEVEL"},
		"FORESIGHT_LOG_FORMAT":         {"xml", "FORESIGHT_LOG_FORMAT"},
		"FORESIGHT_DATABASE_APP_URL":   {"postgres://x", "set all three"},
		"FORESIGHT_NATS_REPLICAS":      {"2", "FORESIGHT_NATS_REPLICAS"},
		"FORESIGHT_NATS_PARTITIONS":    {"0", "FORESIGHT_NATS_PARTITIONS"},
		"FORESIGHT_AUTH_HS256_KEY":     {"short", "at least 32 bytes"},
		"FORESIGHT_BLOB_LINK_KEY":      {"short", "at least 32 bytes"},
		"FORESIGHT_AUTH_ACCESS_TTL":    {"0s", "FORESIGHT_AUTH_ACCESS_TTL"},
		"FORESIGHT_GRAPH_MAX_COST":     {"many", "MaxCost"},
		"FORESIGHT_PIPELINE_RETENTION": {"-1h", "FORESIGHT_PIPELINE_RETENTION"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, c.value)
			_, err := Load()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s=%s: %v, want %q in it", name, c.value, err, c.want)
			}
		})
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Setenv("FORESIGHT_AUTH_HS256_KEY", strings.Repeat("k", 32))
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "kkkk") || !strings.Contains(b.String(), "(set)") {
		t.Error("a secret is printed, or not even its being set")
	}
}

func TestEverythingIsDocumented(t *testing.T) {
	for _, s := range new(Config).Settings() {
		if s.Doc == "" {
			t.Errorf("%s has no documentation", s.Name)
		}
	}
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != Markdown() {
		t.Error("docs/configuration.md is not what `go run . config --markdown` prints")
	}
}

func TestEmptyAddressTurnsTheBrokerOff(t *testing.T) {
	t.Setenv("FORESIGHT_MQTT_ADDR", "")
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if c.MQTTAddr != "" {
		t.Errorf("the broker listens on %q", c.MQTTAddr)
	}
}
