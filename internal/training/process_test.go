package training

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"foresight/inference/training"
	"foresight/internal/fault"
	"foresight/internal/testkit"
)

// acts is a trainer that does what the script says.
func acts(t testing.TB, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trainer")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// alive reports whether a process is there and no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestProgressIsRead(t *testing.T) {
	tr := &Trainer{Path: acts(t, `read x; printf '{"round":0,"metric":0.5}\nnoise\n{"round":1,'; printf '"metric":0.25}\n{"round":-1,"metric":1}\n'; echo "$x" >&2`)}
	var log runLog
	var told []float64
	u, err := tr.run(t.Context(), t.TempDir(), &training.Request{Kind: "k"}, &log, func(round int, metric float64) { told = append(told, float64(round), metric) })
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != 4 || told[0] != 0 || told[1] != 0.5 || told[2] != 1 || told[3] != 0.25 {
		t.Errorf("told %v", told)
	}
	if s := string(log.Bytes()); !strings.Contains(s, "noise") || !strings.Contains(s, `"kind":"k"`) {
		t.Errorf("log %q", s)
	}
	if u.wall <= 0 || runtime.GOOS == "linux" && u.peak < 1<<10 {
		t.Errorf("%+v", u)
	}
}

func TestWhatTrainersDoWrong(t *testing.T) {
	for name, c := range map[string]struct{ script, key, text string }{
		"its own reason":     {`echo "trainer: row 3: machine 1 is in train and in test" >&2; exit 1`, "error.training.refused", "row 3: machine 1 is in train and in test"},
		"a crash":            {`kill -SEGV $$`, "error.training.crashed", "segmentation fault"},
		"Go runs out":        {`echo "fatal error: runtime: out of memory" >&2; exit 2`, "error.training.memory", ""},
		"C++ runs out":       {`echo "terminate called after throwing an instance of 'std::bad_alloc'" >&2; kill -ABRT $$`, "error.training.memory", ""},
		"the system kills":   {`kill -KILL $$`, "error.training.memory", ""},
		"another exit":       {`exit 3`, "error.training.crashed", "exit status 3"},
		"it closes its door": {`exec <&-; exit 4`, "error.training.crashed", "exit status 4"},
	} {
		tr := &Trainer{Path: acts(t, c.script)}
		_, err := tr.run(t.Context(), t.TempDir(), &training.Request{Dataset: strings.Repeat("x", 1<<17)}, &runLog{}, func(int, float64) {})
		var f *fault.Error
		if !errors.As(err, &f) || f.Key != c.key || c.text != "" && f.Args["Reason"] != c.text {
			t.Errorf("%s: %v, %+v", name, err, f)
		}
	}
	_, err := (&Trainer{Path: "/nowhere/trainer"}).run(t.Context(), t.TempDir(), &training.Request{}, &runLog{}, nil)
	if !fault.Is(err, fault.TrainerUnavailable) {
		t.Errorf("no trainer: %v", err)
	}
}

// What a trainer told of at last is waited for, however slow those are who are told.
func TestSlowListenersFailNoRun(t *testing.T) {
	var told []int
	tr := &Trainer{Path: acts(t, `read x; echo '{"round":0,"metric":1}'; sleep 0.1; echo '{"round":1,"metric":1}'`)}
	if _, err := tr.run(t.Context(), t.TempDir(), &training.Request{}, &runLog{}, func(round int, _ float64) {
		if told = append(told, round); round == 0 {
			time.Sleep(6 * time.Second)
		}
	}); err != nil || len(told) != 2 {
		t.Errorf("told of the rounds %v, %v", told, err)
	}
}

func TestTooLongAndCancelled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("process groups are of Linux here")
	}
	// The trainer has a child of its own, which must not outlive it.
	dir := t.TempDir()
	script := `sleep 600 & echo $! > ` + dir + `/pid; echo '{"round":0,"metric":1}'; wait`
	pid := func() int {
		raw, err := os.ReadFile(filepath.Join(dir, "pid"))
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// On a busy machine it takes longer until the child is there.
	var err error
	begun := false
	for limit := 300 * time.Millisecond; !begun && limit < 2*testkit.Patience; limit *= 4 {
		_, err = (&Trainer{Path: acts(t, script), Time: limit}).run(t.Context(), dir, &training.Request{}, &runLog{}, func(int, float64) { begun = true })
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Key != "error.training.tooLong" {
		t.Fatalf("too long: %v", err)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return !alive(pid()) })

	why := errors.New("not wanted any more")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = (&Trainer{Path: acts(t, script)}).run(ctx, dir, &training.Request{}, &runLog{}, func(int, float64) { cancel(why) })
	if !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return !alive(pid()) })
}

// A trainer that asks for more than it may have fails, and says why.
func TestMemoryIsBounded(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is bounded on Linux only")
	}
	tr := &Trainer{Path: acts(t, `read x; exec dd if=/dev/zero of=/dev/null bs=600M count=1`), Memory: 256 << 20}
	_, err := tr.run(t.Context(), t.TempDir(), &training.Request{}, &runLog{}, func(int, float64) {})
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("%v", err)
	}
	tr.Memory = 2 << 30
	if _, err := tr.run(t.Context(), t.TempDir(), &training.Request{}, &runLog{}, func(int, float64) {}); err != nil {
		t.Errorf("with enough of it: %v", err)
	}
}

func TestSecretsStayHere(t *testing.T) {
	t.Setenv("FORESIGHT_DATABASE_APP_URL", "postgres://secret")
	var log runLog
	if _, err := (&Trainer{Path: acts(t, "read x; env")}).run(t.Context(), t.TempDir(), &training.Request{}, &log, func(int, float64) {}); err != nil {
		t.Fatal(err)
	}
	if s := string(log.Bytes()); strings.Contains(s, "secret") || !strings.Contains(s, "LC_ALL=C") {
		t.Errorf("the trainer's environment: %s", s)
	}
}

func TestLogsAreBounded(t *testing.T) {
	var log runLog
	line := bytes.Repeat([]byte("x"), 999)
	for i := range 2000 {
		if _, err := log.Write(append(line, "\n"...)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			log.say("first")
		}
	}
	log.say("last")
	out := log.Bytes()
	if len(out) > logMax || !bytes.Contains(out, []byte("first")) || !bytes.HasSuffix(out, []byte("last\n")) || !bytes.Contains(out, []byte("bytes left out]")) {
		t.Errorf("%d bytes", len(out))
	}
}
