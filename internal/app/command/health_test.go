package command

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthFollowsReadiness(t *testing.T) {
	code := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked %s", r.URL.Path)
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(`{"status":"told"}`)) // the client reads all
	}))
	defer s.Close()
	t.Setenv("FORESIGHT_HTTP_ADDR", strings.TrimPrefix(s.URL, "http://"))
	run := func() (string, error) {
		root, out := Root("test"), &strings.Builder{}
		root.SetOut(out)
		root.SetArgs([]string{"health"})
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	if out, err := run(); err != nil || out != `{"status":"told"}` {
		t.Errorf("ready: %q, %v", out, err)
	}
	code = http.StatusServiceUnavailable
	if out, err := run(); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(out, "told") {
		t.Errorf("not ready: %q, %v", out, err)
	}
	t.Setenv("FORESIGHT_HTTP_ADDR", "127.0.0.1:1") // a port that was given out before may be another program's by now
	if _, err := run(); err == nil {
		t.Error("nobody there and no error")
	}
}
