package command

import (
	"bytes"
	"encoding/json"
	"testing"
)

// A short load over the real doors: all that was acknowledged is read back, frames and
// alarms come, and the processor time is told by part.
func TestLoadTestOfAnEmbeddedProduct(t *testing.T) {
	var out bytes.Buffer
	root := Root("test")
	root.SetOut(&out)
	root.SetArgs([]string{"loadtest", "--embedded", "--json", "--rate", "200", "--for", "3s", "--provision", "20", "--connections", "4",
		"--watch", "--raise-every", "6", "--patience", "2m"})
	failed := root.ExecuteContext(t.Context())
	var got measured
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v, %v: %s", failed, err, out.String())
	}
	if failed != nil || !got.OK {
		t.Errorf("%v\n%s", failed, out.String())
	}
	const published = 20*14 + 600
	if got.Published != published || got.Verdict.Found != published || got.Server.Stored != published {
		t.Errorf("%d published, %d found, %d stored, want %d", got.Published, got.Verdict.Found, got.Server.Stored, published)
	}
	if got.Server.Predictions == 0 || got.Frames.Readings == 0 || got.Frames.Alarms == 0 || got.ToFrame == nil || got.ToAlarm == nil || got.ToAck == nil {
		t.Errorf("not all was measured\n%s", out.String())
	}
	if got.CPU["log"] == 0 || got.CPU["generator"] == 0 {
		t.Errorf("processor time by part: %v", got.CPU)
	}
}
