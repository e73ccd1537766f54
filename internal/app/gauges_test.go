package app_test

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"foresight/internal/testkit"
)

// A letter that nobody sends, as no process works jobs, shows as one that waits, and for
// how long.
func TestWhatWaitsIsMeasured(t *testing.T) {
	testkit.NoLeaks(t)
	cfg := settings(t, dataDir(t))
	cfg.Roles = []string{"api", "ingest", "worker"}
	cfg.Mail.Host, cfg.Mail.Port = "127.0.0.1", 1
	a, _ := started(t, cfg)
	defer stop(t, a)
	if err := a.StartDemo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	post(t, a, login(t, a, "admin"), `mutation { inviteUser(input: {email: "new@alpha-grid.example", role: VIEWER}) { invite { id } } }`)
	value := func(series string) float64 {
		t.Helper()
		res, err := http.Get(a.MetricsURL())
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			if v, ok := strings.CutPrefix(s.Text(), series+" "); ok {
				f, err := strconv.ParseFloat(v, 64)
				if err != nil {
					t.Fatal(err)
				}
				return f
			}
		}
		return -1
	}
	testkit.Eventually(t, testkit.Patience, func() bool {
		return value(`foresight_jobs_queued{queue="outward",state="available"}`) == 1 && value(`foresight_jobs_waiting_seconds{queue="outward"}`) > 0
	})
	if other := value(`foresight_jobs_waiting_seconds{queue="default"}`); other != 0 {
		t.Errorf("%v s of the other queue", other)
	}
}
