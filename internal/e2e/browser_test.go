package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	webApplication = "../../frontend"       // whose development packages drive the browser
	pictures       = "../../test-artifacts" // where screenshots are kept
)

// sceneWithin bounds one scenario; what people wait for in it has shorter limits.
const sceneWithin = 5 * time.Minute

// People use the product in Chromium: each scenario of browser/ is a subtest. One
// browser plays them all, one after another, and only those that -run chooses.
func TestBrowser(t *testing.T) {
	chromium := findChromium(t)
	modules(t, webApplication)
	i := lively.get(t)
	s := openStage(t, i, chromium)
	for _, name := range s.scenarios {
		t.Run(name, func(t *testing.T) {
			i.alive(t)
			s.play(t, name)
		})
	}
}

// stage is the running player of scenarios, browser/run.mjs.
type stage struct {
	in        io.Writer
	answers   chan scene // closed when the player has ended
	scenarios []string
}

// scene is a line of the player: first the names of the scenarios, then how each went.
type scene struct {
	Scenarios []string
	Name      string
	Error     *string
	Figures   []string
}

func openStage(t *testing.T, i *instance, chromium string) *stage {
	t.Helper()
	artefacts, err := filepath.Abs(pictures)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "run.mjs", i.url, artefacts) // the test's context ends before its clean-up
	cmd.Dir = "browser"
	cmd.Env = append(os.Environ(), "CHROMIUM="+chromium)
	cmd.Stderr = os.Stderr
	dieWithTests(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &stage{in: in, answers: make(chan scene, 1)} // room for one that nobody waits for any more
	read := make(chan error, 1)
	go func() { read <- s.read(out) }()
	t.Cleanup(func() {
		stuck := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) // it may have ended just now
		defer stuck.Stop()
		if err := errors.Join(in.Close(), <-read, cmd.Wait()); err != nil && !t.Failed() {
			t.Error(err)
		}
	})
	s.scenarios = s.answer(t).Scenarios
	return s
}

// read passes the player's lines on until it ends.
func (s *stage) read(out io.Reader) error {
	defer close(s.answers)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var line scene
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("%s: %w", lines.Bytes(), err)
		}
		s.answers <- line
	}
	return lines.Err()
}

func (s *stage) answer(t *testing.T) scene {
	t.Helper()
	timeout := time.NewTimer(sceneWithin)
	defer timeout.Stop()
	select {
	case a, ok := <-s.answers:
		if !ok {
			t.Fatal("the player of the scenarios has ended")
		}
		return a
	case <-timeout.C:
		t.Fatalf("no answer within %s", sceneWithin)
		return scene{}
	}
}

func (s *stage) play(t *testing.T, name string) {
	t.Helper()
	if _, err := fmt.Fprintln(s.in, name); err != nil {
		t.Fatal(err)
	}
	a := s.answer(t)
	for _, f := range a.Figures {
		figure("browser: %s", f)
	}
	switch {
	case a.Name != name:
		t.Fatalf("the answer of %q came for %q", a.Name, name)
	case a.Error != nil:
		t.Fatalf("%s\nLook at the pictures in test-artifacts.", *a.Error)
	}
}

// findChromium returns the browser's program: CHROMIUM, or the first of its usual names.
func findChromium(t *testing.T) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	if given := os.Getenv("CHROMIUM"); given != "" {
		names = []string{given}
	}
	for _, name := range names {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	t.Fatalf("no Chromium among %q: run tools/setup/setup.sh test, or name its program in CHROMIUM", names)
	return ""
}
