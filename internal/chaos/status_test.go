package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"foresight/internal/status"
)

// foresight runs a command of the product against the API and returns what it printed.
func (in *installation) foresight(t testing.TB, tenant, role string, args ...string) (string, error) {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, append(args, "--url", in.api.url(), "--email", role+"@"+tenant+".example")...)
	cmd.Env = environment(in.dir(), "FORESIGHT_PASSWORD="+password)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (in *installation) status(t testing.TB) *status.Installation {
	t.Helper()
	var out string
	var err error
	defer func() {
		if err != nil {
			t.Logf("%v: %s", err, out)
		}
	}()
	within(t, patience, "the command tells the status", func() bool { // it waits a quarter of a minute
		out, err = in.foresight(t, alpha, "admin", "status", "--json")
		return err == nil
	})
	var s status.Installation
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return &s
}

// `foresight status` tells of all processes, whichever answers, from what is stored.
func TestStatusCommand(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	l.flows(t, 200)
	var s *status.Installation
	var wrong []string
	defer func() {
		if t.Failed() {
			t.Log(strings.Join(wrong, "\n"))
		}
	}()
	// Whoever stands for a moment loses a lease, or is not heard.
	within(t, patience, "the status tells of all that runs", func() bool {
		s = in.status(t)
		wrong = amiss(s)
		return len(wrong) == 0
	})
	table, err := in.foresight(t, alpha, "admin", "status")
	if err != nil || !strings.Contains(table, "PARTITION") || strings.Count(table, s.Partitions[0].Owner) == 0 || !strings.Contains(table, "READINGS") {
		t.Errorf("%v\n%s", err, table)
	}
	t.Log("\n" + table)
	l.finish(t)
	l.judge(t, alpha, "asked for the status")
	within(t, patience, "nothing lags when all is done", func() bool {
		for _, p := range in.status(t).Partitions {
			if p.LagMessages == nil || p.LagSeconds == nil || *p.LagMessages != 0 || *p.LagSeconds != 0 {
				return false
			}
		}
		return true
	})
}

// amiss lists what the status of the whole installation, as it works, should tell.
func amiss(s *status.Installation) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	roles := map[string]int{}
	held := 0
	for _, p := range s.Processes {
		if p.Alive {
			roles[strings.Join(p.Roles, ",")]++
		}
		if p.Version == "" || p.Address == "" || p.StartedAt.IsZero() {
			say("process %+v", p)
		}
		if slices.Contains(p.Roles, "worker") && p.Alive {
			held += p.PartitionsHeld
		}
	}
	if roles["api"] != 1 || roles["ingest"] < 1 || roles["worker,jobs"] < 2 {
		say("processes %+v", s.Processes)
	}
	if held != partitions || len(s.Partitions) != partitions {
		say("%d of %d partitions held: %+v", held, len(s.Partitions), s.Partitions)
	}
	for _, p := range s.Partitions {
		if !p.Leased || p.Epoch == 0 || p.Process == "" || p.LeaseSeconds <= 0 || p.LagMessages == nil || p.LagSeconds == nil {
			say("partition %+v", p)
		}
	}
	found := false
	for _, x := range s.Streams {
		if x.Name == "READINGS" {
			found = true
			if x.Replicas != 3 || x.Current != 3 || x.Leader == "" || x.LimitBytes != 268435456 {
				say("stream %+v", x)
			}
		}
	}
	if !found || s.LogFailure != "" {
		say("streams %+v %s", s.Streams, s.LogFailure)
	}
	return wrong
}

// The installation is not for tenants to see.
func TestStatusIsForOperators(t *testing.T) {
	in := shared.get(t)
	for _, who := range [][2]string{{beta, "admin"}, {alpha, "engineer"}} {
		if out, err := in.foresight(t, who[0], who[1], "status", "--json"); err == nil || !strings.Contains(out, "403") || strings.Contains(out, "partitions") {
			t.Errorf("%v: %v %s", who, err, out)
		}
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, in.api.url()+"/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := web.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close() // nothing of it is read
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a credential: %s", res.Status)
	}
}
