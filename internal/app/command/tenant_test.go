package command

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// tenant runs `foresight tenant create` with the arguments.
func tenant(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root, out := Root("test"), &strings.Builder{}
	root.SetOut(out)
	root.SetErr(&strings.Builder{})
	root.SetArgs(append([]string{"tenant", "create"}, args...))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestATenantIsMadeFromTheCommandLine(t *testing.T) {
	db := testkit.NewDB(t)
	t.Setenv("FORESIGHT_LOG_LEVEL", "error")
	t.Setenv("FORESIGHT_DATA_DIR", t.TempDir())
	t.Setenv("FORESIGHT_PUBLIC_URL", "https://foresight.example")
	for name, dsn := range map[string]string{"OWNER": db.OwnerDSN, "APP": db.AppDSN, "WORKER": db.WorkerDSN} {
		t.Setenv("FORESIGHT_DATABASE_"+name+"_URL", dsn)
	}
	good := []string{"--code", "initech", "--name", "Initech", "--admin-email", "ada@initech.example", "--plan", "enterprise", "--currency", "CHF"}
	out, err := tenant(t, good...)
	if err != nil || !regexp.MustCompile(`(?s)^tenant initech \(.*\nadmin  ada@initech\.example\n.*https://foresight\.example/welcome#token=[A-Za-z0-9_-]{43}\n$`).MatchString(out) {
		t.Errorf("%v\n%s", err, out)
	}
	for want, args := range map[string][]string{
		"tenantCode: Another tenant has this code.": good,
		"no plan \"gold\"":                          append(good[:6:6], "--plan", "gold"),
		"email: This is not an e-mail address.":     {"--code", "umbrella", "--name", "Umbrella", "--admin-email", "ada"},
		"required flag(s) \"admin-email\"":          {"--code", "umbrella", "--name", "Umbrella"},
	} {
		if out, err := tenant(t, args...); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(out, "token") {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
	if files, err := os.ReadDir(os.Getenv("FORESIGHT_DATA_DIR")); err != nil || len(files) != 1 || files[0].Name() != "keys" {
		t.Errorf("the data directory holds %v, %v", files, err)
	}
}
