package graph_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/schema"
	"foresight/internal/tenancy"
)

func (r *rig) count(sql string, args ...any) (n int) {
	r.Helper()
	r.ok(r.owner.QueryRow(r.Context(), sql, args...).Scan(&n))
	return n
}

func TestRepeatedCreationsMakeOne(t *testing.T) {
	r := newRig(t)
	in := map[string]any{"siteId": r.acme.SiteID, "code": "fan-1", "name": "Fan", "type": "FAN", "idempotencyKey": "order-7"}
	first := r.data("acme/engineer", createAsset, "in", in)["createAsset"]
	made := at(first, "asset", "id")
	if made == nil {
		t.Fatalf("%v", first)
	}
	r.data("acme/engineer", updateAsset, "in", map[string]any{"id": made, "expectedVersion": 1, "name": "Fan 2"})
	// The object comes as it is now, with whatever is asked of it.
	again := r.data("acme/engineer", createAsset, "in", in)["createAsset"]
	if at(again, "asset", "id") != made || at(again, "asset", "name") != "Fan 2" || at(again, "asset", "site", "code") != "north" || len(at(again, "userErrors").([]any)) != 0 {
		t.Errorf("repeated: %v", again)
	}
	other := map[string]any{"siteId": r.acme.SiteID, "code": "fan-2", "name": "Fan", "type": "FAN", "idempotencyKey": "order-7"}
	if got := r.data("acme/engineer", createAsset, "in", other)["createAsset"]; at(got, "asset") != nil || at(got, "userErrors", 0, "code") != "CONFLICT" || at(got, "userErrors", 0, "field") != "input.idempotencyKey" {
		t.Errorf("another input: %v", got)
	}
	rule := map[string]any{"name": "Hot", "parameter": "bearing_temp", "operator": "GT", "threshold": 1, "severity": "LOW", "idempotencyKey": "order-7"}
	const create = `mutation($in: CreateAlarmRuleInput!) { createAlarmRule(input: $in) { rule { id } userErrors { field code } } }`
	if got := r.data("acme/engineer", create, "in", rule)["createAlarmRule"]; at(got, "userErrors", 0, "code") != "CONFLICT" {
		t.Errorf("another operation: %v", got)
	}
	// The key is the credential's own.
	if got := r.data("acme/admin", createAsset, "in", other)["createAsset"]; at(got, "asset", "code") != "fan-2" {
		t.Errorf("another person: %v", got)
	}
	// After a day it is forgotten.
	r.sql(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second'`)
	if got := r.data("acme/engineer", createAsset, "in", in)["createAsset"]; at(got, "userErrors", 0, "field") != "input.code" {
		t.Errorf("after a day: %v", got)
	}
	// What is gone since is not made again.
	third := map[string]any{"siteId": r.acme.SiteID, "code": "fan-3", "name": "Fan", "type": "FAN", "idempotencyKey": "order-8"}
	made = at(r.data("acme/engineer", createAsset, "in", third), "createAsset", "asset", "id")
	r.sql(`UPDATE assets SET is_deleted = true WHERE id = $1`, made)
	if got := r.data("acme/engineer", createAsset, "in", third)["createAsset"]; at(got, "asset") != nil || at(got, "userErrors", 0, "code") != "NOT_FOUND" {
		t.Errorf("of what is gone: %v", got)
	}
	for _, key := range []string{"", strings.Repeat("x", 256)} {
		third["idempotencyKey"] = key
		if got := r.data("acme/engineer", createAsset, "in", third)["createAsset"]; at(got, "userErrors", 0, "code") != "BAD_USER_INPUT" {
			t.Errorf("a key of %d characters: %v", len(key), got)
		}
	}
}

// An attempt that made nothing leaves its key free.
func TestMistakesFreeTheKey(t *testing.T) {
	r := newRig(t)
	in := map[string]any{"siteId": r.acme.SiteID, "code": "NO", "name": "Fan", "type": "FAN", "idempotencyKey": "k"}
	if got := r.data("acme/engineer", createAsset, "in", in)["createAsset"]; at(got, "asset") != nil {
		t.Fatalf("%v", got)
	}
	in["code"] = "fan-1"
	if got := r.data("acme/engineer", createAsset, "in", in)["createAsset"]; at(got, "asset", "code") != "fan-1" {
		t.Errorf("mended: %v", got)
	}
}

// Who may not read what it made has made it all the same.
func TestRepeatedByWhoMayOnlyWrite(t *testing.T) {
	r := newRig(t)
	r.change = func(a *tenancy.Actor) { a.Scopes = tenancy.NewSet(tenancy.PlantWrite) }
	in := map[string]any{"siteId": r.acme.SiteID, "code": "fan-1", "name": "Fan", "type": "FAN", "idempotencyKey": "k"}
	for i := range 2 {
		if got := r.do("acme/engineer", "createAsset", "CreateAssetInput", "", in); len(at(got, "userErrors").([]any)) != 0 {
			t.Errorf("time %d: %v", i, got)
		}
	}
}

// What is shown once is not shown again.
func TestSecretsAreNotReplayed(t *testing.T) {
	r := newRig(t)
	in := map[string]any{"name": "w", "url": "https://example.com", "events": []string{"ALARM_RAISED"}, "idempotencyKey": "k"}
	first, again := r.data("acme/admin", createWebhook, "in", in)["createWebhook"], r.data("acme/admin", createWebhook, "in", in)["createWebhook"]
	if at(first, "secret") == nil || at(again, "secret") != nil || at(again, "webhook", "id") != at(first, "webhook", "id") {
		t.Errorf("first %v, again %v", first, again)
	}
	if n := r.count(`SELECT count(*) FROM idempotency_keys WHERE result::text LIKE '%whsec%'`); n != 0 {
		t.Error("the secret is kept")
	}
}

// What is stored of an attempt says nothing of the password in it.
func TestPasswordsAreNotPartOfAnAttempt(t *testing.T) {
	r := newRig(t)
	const create = `mutation($in: CreateUserInput!) { createUser(input: $in) { user { id } userErrors { field code } } }`
	in := map[string]any{"email": "new@acme.example", "fullName": "New", "role": "VIEWER", "password": "a long password 1", "idempotencyKey": "k"}
	first := r.data("acme/admin", create, "in", in)["createUser"]
	in["password"] = "a long password 2"
	if again := r.data("acme/admin", create, "in", in)["createUser"]; at(first, "user", "id") == nil || at(again, "user", "id") != at(first, "user", "id") {
		t.Errorf("%v, then %v", first, again)
	}
	in["fullName"] = "Newer"
	if other := r.data("acme/admin", create, "in", in)["createUser"]; at(other, "userErrors", 0, "code") != "CONFLICT" {
		t.Errorf("another input: %v", other)
	}
}

func TestConcurrentCreationsMakeOne(t *testing.T) {
	r := newRig(t)
	in := map[string]any{"siteId": r.acme.SiteID, "code": "fan-1", "name": "Fan", "type": "FAN", "idempotencyKey": "at-once"}
	got := make([]any, 12)
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() { got[i] = r.data("acme/engineer", createAsset, "in", in)["createAsset"] })
	}
	wait.Wait()
	for i, g := range got {
		if at(g, "asset", "id") == nil || at(g, "asset", "id") != at(got[0], "asset", "id") {
			t.Errorf("%d: %v", i, g)
		}
	}
	if n := r.count(`SELECT count(*) FROM assets WHERE asset_code = 'fan-1'`); n != 1 {
		t.Errorf("%d machines", n)
	}
}

// A call whose process died is not made again by itself.
func TestLostCallsAreNotRepeated(t *testing.T) {
	r := newRig(t)
	in := map[string]any{"siteId": r.acme.SiteID, "code": "fan-1", "name": "Fan", "type": "FAN", "idempotencyKey": "lost"}
	r.data("acme/engineer", createAsset, "in", in)
	r.sql(`UPDATE idempotency_keys SET result = NULL, created_at = now() - interval '5 minutes' WHERE actor_id = $1`, r.acme.Users[tenancy.Engineer])
	got := r.data("acme/engineer", createAsset, "in", in)["createAsset"]
	if at(got, "userErrors", 0, "code") != "CONFLICT" || at(got, "userErrors", 0, "field") != "input.idempotencyKey" {
		t.Errorf("%v", got)
	}
}

// Every creation can be named, and what it makes can be found again.
func TestCreationsTakeAnIdempotencyKey(t *testing.T) {
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: schema.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Mutation.Fields {
		in := f.Arguments.ForName("input")
		if in == nil {
			t.Errorf("%s takes no input", f.Name)
			continue
		}
		key := s.Types[in.Type.Name()].Fields.ForName("idempotencyKey")
		if key == nil {
			// Codes of tenants are taken once and for all, and nobody is shown another tenant by its id.
			if strings.HasPrefix(f.Name, "create") && f.Name != "createTenant" {
				t.Errorf("%s: give %s an `idempotencyKey: String`", f.Name, in.Type.Name())
			}
			continue
		}
		if key.Type.String() != "String" {
			t.Errorf("%s.idempotencyKey is %s", in.Type.Name(), key.Type)
		}
		payload := s.Types[f.Type.Name()]
		objects := 0
		for _, of := range payload.Fields {
			d := s.Types[of.Type.Name()]
			for _, i := range s.GetImplements(d) {
				if i.Name == "Node" {
					objects++
				}
			}
			if of.Type.NonNull && of.Name != "userErrors" {
				t.Errorf("%s.%s cannot be null, which it is where a repetition has no answer", payload.Name, of.Name)
			}
		}
		if objects == 0 {
			t.Errorf("a repetition of %s finds nothing again: %s has no Node", f.Name, payload.Name)
		}
	}
}
