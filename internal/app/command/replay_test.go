package command

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// The command follows a replay to its end, and ends as it does.
func TestReplayIsFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		start, end string
		want       []string
		fails      string
	}{
		"well": {start: `{"job": {"id": "7", "status": "QUEUED", "done": 0, "appended": 0}, "userErrors": []}`,
			end:  `{"id": "7", "status": "SUCCEEDED", "done": 12, "total": 20, "appended": 11, "rejected": [{"reason": "unknown_sensor", "count": 1}]}`,
			want: []string{"QUEUED", "SUCCEEDED", "12 of 20, admitted again 11", "not admitted, unknown_sensor: 1"}},
		"badly": {start: `{"job": {"id": "7", "status": "RUNNING", "done": 0, "appended": 0}, "userErrors": []}`,
			end: `{"id": "7", "status": "FAILED", "failure": "no storage", "done": 1, "appended": 0}`, fails: "no storage"},
		"refused": {start: `{"job": null, "userErrors": [{"message": "too long ago"}]}`, fails: "too long ago"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var q struct {
					Query     string
					Variables map[string]any
				}
				if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/graphql" || r.Header.Get("Authorization") != "Bearer secret" {
					t.Errorf("%s %v %v", r.URL, r.Header, err)
				}
				if asked.Add(1) == 1 {
					in := q.Variables["input"].(map[string]any)
					if in["from"] != "2026-05-01T00:00:00Z" || in["to"] == nil || in["assetId"] != "a" || fmt.Sprint(in["sensorIds"]) != "[x y]" || in["siteId"] != nil {
						t.Errorf("asked for %v", in)
					}
					fmt.Fprintf(w, `{"data": {"replay": %s}}`, c.start)
					return
				}
				fmt.Fprintf(w, `{"data": {"node": %s}}`, c.end)
			}))
			defer s.Close()
			t.Setenv(tokenVariable, "secret")
			root, out := Root("test"), &strings.Builder{}
			root.SetOut(out)
			root.SetArgs([]string{"replay", "--url", s.URL, "--from", "2026-05-01T00:00:00Z", "--asset", "a", "--sensor", "x", "--sensor", "y"})
			err := root.ExecuteContext(t.Context())
			if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("%v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
			if strings.Contains(out.String(), "secret") {
				t.Error("the credential is printed")
			}
		})
	}
}
