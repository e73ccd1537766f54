package graph_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"foresight/ent"
	"foresight/internal/secret"
	"foresight/internal/webhook"
)

// webhooks returns the service, which may call the tests' own servers.
func (r *rig) webhooks(c *ent.Client) *webhook.Service {
	r.Helper()
	box, err := secret.New(map[uint32][]byte{1: bytes.Repeat([]byte("s"), 32)})
	r.ok(err)
	sender := webhook.NewSender(webhook.Options{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	r.Cleanup(sender.Close)
	return webhook.New(c, box, sender, slog.New(slog.DiscardHandler))
}

const (
	createWebhook = `mutation($in: CreateWebhookInput!) { createWebhook(input: $in) { webhook { id name url events isActive version } secret userErrors { field code } } }`
	updateWebhook = `mutation($in: UpdateWebhookInput!) { updateWebhook(input: $in) { webhook { id name url events isActive version } secret userErrors { field code } } }`
	testWebhook   = `mutation($id: UUID!) { testWebhook(input: {id: $id}) { delivery { id delivered status durationMs failure } userErrors { field code } } }`
	deleteWebhook = `mutation($id: UUID!) { deleteWebhook(input: {id: $id}) { deletedId userErrors { field code } } }`
)

func TestWebhooks(t *testing.T) {
	r := newRig(t)
	var secretText string
	status := http.StatusNoContent
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		at, sum, _ := strings.Cut(strings.TrimPrefix(q.Header.Get("Foresight-Signature"), "t="), ",v1=")
		mac := hmac.New(sha256.New, []byte(secretText))
		fmt.Fprintf(mac, "%s.%s", at, body)
		if q.Header.Get("Foresight-Event") != "test" || sum != hex.EncodeToString(mac.Sum(nil)) || !bytes.Contains(body, []byte(`"tenant":"acme"`)) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(target.Close)
	in := map[string]any{"name": "Tickets", "url": target.URL + "/hook", "events": []string{"ALARM_RAISED", "ALARM_RESOLVED", "ALARM_RAISED"}}
	got := r.data("acme/admin", createWebhook, "in", in)["createWebhook"]
	hook := at(got, "webhook", "id")
	secretText, _ = at(got, "secret").(string)
	if !strings.HasPrefix(secretText, "whsec_") || at(got, "webhook", "events", 1) != "ALARM_RESOLVED" || len(at(got, "webhook", "events").([]any)) != 2 || at(got, "webhook", "isActive") != true {
		t.Fatalf("created %v", got)
	}
	if got := r.data("acme/admin", createWebhook, "in", in)["createWebhook"]; at(got, "userErrors", 0, "code") != "CONFLICT" || at(got, "userErrors", 0, "field") != "input.name" {
		t.Errorf("the name again: %v", got)
	}
	if got := r.data("acme/admin", testWebhook, "id", hook)["testWebhook"]; at(got, "delivery", "delivered") != true || at(got, "delivery", "status") != 204.0 || at(got, "delivery", "failure") != nil {
		t.Errorf("delivered: %v", got)
	}
	status = http.StatusInternalServerError
	if got := r.data("acme/admin", testWebhook, "id", hook)["testWebhook"]; at(got, "delivery", "delivered") != false || at(got, "delivery", "failure") != "STATUS" {
		t.Errorf("refused by the receiver: %v", got)
	}
	status = http.StatusOK
	got = r.data("acme/admin", updateWebhook, "in", map[string]any{"id": hook, "expectedVersion": 1, "name": "Tickets 2", "rotateSecret": true, "isActive": false})["updateWebhook"]
	if fresh := at(got, "secret"); fresh == nil || fresh == secretText || at(got, "webhook", "version") != 2.0 || at(got, "webhook", "isActive") != false {
		t.Errorf("updated: %v", got)
	}
	if got := r.data("acme/admin", testWebhook, "id", hook)["testWebhook"]; at(got, "delivery", "status") != 403.0 {
		t.Errorf("the old secret still signs: %v", got)
	}
	secretText = at(got, "secret").(string)
	if got := r.data("acme/admin", testWebhook, "id", hook)["testWebhook"]; at(got, "delivery", "delivered") != true {
		t.Errorf("the new secret does not sign: %v", got)
	}
	if got := r.data("acme/admin", updateWebhook, "in", map[string]any{"id": hook, "expectedVersion": 1, "name": "x"})["updateWebhook"]; at(got, "userErrors", 0, "code") != "CONFLICT" {
		t.Errorf("a stale version: %v", got)
	}
	for url, field := range map[string]string{"https://10.0.0.1/": "input.url", "https://[::1]/": "input.url", "https://169.254.169.254/latest": "input.url", "https://a b/": "input.url",
		"ftp://example.com": "input.url", "https://u:p@example.com": "input.url", "https://": "input.url", "http://8.8.8.8/": "input.url"} {
		got := r.data("acme/admin", updateWebhook, "in", map[string]any{"id": hook, "expectedVersion": 2, "url": url})["updateWebhook"]
		if f, _ := at(got, "userErrors", 0, "field").(string); f != field {
			t.Errorf("%s: %v", url, got)
		}
	}
	if got := r.data("acme/admin", `{ webhooks { totalCount nodes { id name } } }`)["webhooks"]; at(got, "totalCount") != 1.0 || at(got, "nodes", 0, "name") != "Tickets 2" {
		t.Errorf("listed: %v", got)
	}
	for _, q := range []string{testWebhook, deleteWebhook} {
		if a := r.ask("globex/admin", q, "id", hook); !strings.Contains(a.raw, "NOT_FOUND") {
			t.Errorf("another tenant: %s", a.raw)
		}
	}
	if got := r.data("acme/admin", deleteWebhook, "id", hook)["deleteWebhook"]; at(got, "deletedId") != hook {
		t.Errorf("deleted: %v", got)
	}
	if got := r.data("acme/admin", deleteWebhook, "id", hook)["deleteWebhook"]; at(got, "deletedId") != nil || at(got, "userErrors", 0, "code") != "NOT_FOUND" {
		t.Errorf("deleted twice: %v", got)
	}
	if a := r.ask("acme/engineer", `{ webhooks { nodes { id } } }`); a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("an engineer: %s", a.raw)
	}
}
