package auth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func testTokens(t testing.TB) *tokens {
	t.Helper()
	k, err := OpenKeys(filepath.Join(t.TempDir(), "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	return &tokens{k, "foresight", "foresight", 15 * time.Minute, time.Now}
}

func anActor() *tenancy.Actor {
	return &tenancy.Actor{Kind: tenancy.Person, ID: id.New(id.User), TenantID: id.New(id.Tenant), TenantCode: "acme",
		Role: tenancy.Engineer, Scopes: tenancy.RoleScopes(tenancy.Engineer), SiteIDs: []id.UUID{id.New(id.Site)}, Locale: "ar"}
}

func TestTokenKeepsTheActor(t *testing.T) {
	tk := testTokens(t)
	a := anActor()
	s, g, err := tk.sign(a, id.New(id.RefreshToken), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	got, err := tk.verify(s)
	if err != nil {
		t.Fatal(err)
	}
	if got.TokenID != g.TokenID || got.SessionID != g.SessionID || got.Actor.ID != a.ID || got.Actor.TenantID != a.TenantID ||
		got.Actor.Role != a.Role || len(got.Actor.SiteIDs) != 1 || got.Actor.SiteIDs[0] != a.SiteIDs[0] || got.Actor.Locale != "ar" {
		t.Errorf("%+v, want %+v", got.Actor, a)
	}
	client := &tenancy.Actor{Kind: tenancy.Client, ID: id.New(id.OAuthClient), TenantID: a.TenantID, Scopes: tenancy.NewSet(tenancy.PlantRead)}
	if s, _, err = tk.sign(client, id.Nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got, err = tk.verify(s); err != nil || !got.Actor.Can(tenancy.PlantRead) || got.Actor.Can(tenancy.PlantWrite) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestTokenKeepsGrantsOnSites(t *testing.T) {
	tk := testTokens(t)
	a := anActor()
	north, south := id.New(id.Site), id.New(id.Site)
	a.Hold(tenancy.Viewer, []tenancy.RoleGrant{{Permissions: tenancy.NewSet(tenancy.TelemetryWrite)},
		{Permissions: tenancy.NewSet(tenancy.AlarmsAct, tenancy.PlantWrite), SiteID: north},
		{Permissions: tenancy.NewSet(tenancy.AlarmsAct), SiteID: south}})
	s, _, err := tk.sign(a, id.New(id.RefreshToken), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	g, err := tk.verify(s)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g.Actor, a) {
		t.Errorf("%+v, want %+v", g.Actor, a)
	}
	many := make([]tenancy.RoleGrant, 2000)
	for i := range many {
		many[i].SiteID = id.New(id.Site)
	}
	a.Hold(tenancy.Viewer, many)
	if _, _, err := tk.sign(a, id.New(id.RefreshToken), time.Now()); err == nil {
		t.Error("a token that is too long to be taken was given out")
	}
}

// Each case is a token that differs from a good one in one thing.
func TestTokensThatAreRefused(t *testing.T) {
	tk := testTokens(t)
	k := tk.keys.signing()
	other := testTokens(t).keys.signing()
	forge := func(method jwt.SigningMethod, key any, change func(h map[string]any, c jwt.MapClaims)) string {
		s, _, err := tk.sign(anActor(), id.New(id.RefreshToken), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		c := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(s, c); err != nil {
			t.Fatal(err)
		}
		tok := jwt.NewWithClaims(method, c)
		tok.Header["kid"], tok.Header["typ"] = k.id, tokenType
		change(tok.Header, c)
		out, err := tok.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	claim := func(name string, v any) string {
		return forge(k.method, k.private, func(_ map[string]any, c jwt.MapClaims) {
			if v == nil {
				delete(c, name)
			} else {
				c[name] = v
			}
		})
	}
	head := func(name string, v any) string {
		return forge(k.method, k.private, func(h map[string]any, _ jwt.MapClaims) { h[name] = v })
	}
	same := func(map[string]any, jwt.MapClaims) {}
	good := forge(k.method, k.private, same)
	if _, err := tk.verify(good); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	now := time.Now().Unix()
	for name, s := range map[string]string{
		"empty": "", "garbage": "a.b.c", "endless": strings.Repeat("x", maxToken+1),
		"no algorithm":            forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, same),
		"HMAC with public key":    forge(jwt.SigningMethodHS256, []byte(k.public.(ed25519.PublicKey)), same),
		"other key":               forge(k.method, other.private, same),
		"unknown key id":          head("kid", "x"),
		"no key id":               head("kid", nil),
		"other type":              head("typ", "JWT"),
		"expired":                 claim("exp", now-60),
		"without expiry":          claim("exp", nil),
		"not yet":                 claim("nbf", now+60),
		"without not-before":      claim("nbf", nil),
		"issued in the future":    claim("iat", now+60),
		"without issue time":      claim("iat", nil),
		"other issuer":            claim("iss", "x"),
		"without issuer":          claim("iss", nil),
		"other audience":          claim("aud", "x"),
		"without audience":        claim("aud", nil),
		"without subject":         claim("sub", nil),
		"without tenant":          claim("tenant_id", nil),
		"nil tenant":              claim("tenant_id", id.Nil.String()),
		"without id":              claim("jti", nil),
		"without session":         claim("sid", nil),
		"unknown kind":            claim("kind", "system"),
		"raised role":             claim("role", "admin"), // the digest tells
		"unknown role":            claim("role", "owner"),
		"other permissions":       claim("permissions", "x"),
		"bad site":                claim("sites", []string{"x"}),
		"no site":                 claim("sites", nil),
		"another site":            claim("sites", []string{siteText(id.New(id.Site))}),
		"bad site of a scope":     claim("site_scope", map[string]string{"x": "plant:write"}),
		"more on a site":          claim("site_scope", map[string]string{siteText(id.New(id.Site)): "users:write"}),
		"more scope":              claim("scope", "plant:read users:write"),
		"signature cut":           good[:len(good)-4],
		"signature of other body": good[:strings.LastIndex(good, ".")] + claim("sub", id.New(id.User).String())[strings.LastIndex(claim("sub", id.New(id.User).String()), "."):],
	} {
		if g, err := tk.verify(s); err == nil {
			t.Errorf("%s: accepted %+v", name, g.Actor)
		}
	}
}

func TestHS256(t *testing.T) {
	if _, err := HS256Keys(make([]byte, 31)); err == nil {
		t.Error("took a short secret")
	}
	k, err := HS256Keys([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	tk := &tokens{k, "foresight", "foresight", time.Minute, time.Now}
	s, _, err := tk.sign(anActor(), id.New(id.RefreshToken), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tk.verify(s); err != nil {
		t.Error(err)
	}
	if string(k.JWKS()) != `{"keys":[]}` {
		t.Errorf("publishes a secret: %s", k.JWKS())
	}
}

func TestKeysAreMadeOnceAndRotate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.json")
	var wg sync.WaitGroup
	ids := make([]string, 8) // processes that start at once
	for i := range ids {
		wg.Go(func() {
			k, err := OpenKeys(file)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = k.signing().id
		})
	}
	wg.Wait()
	for _, x := range ids {
		if x != ids[0] {
			t.Fatalf("different keys: %v", ids)
		}
	}
	st, err := os.Stat(file)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	old, _ := OpenKeys(file)
	tk := &tokens{old, "foresight", "foresight", time.Minute, time.Now}
	s, _, err := tk.sign(anActor(), id.New(id.RefreshToken), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	old.now = func() time.Time { return now }
	young, err := RotateKeys(file, 20*time.Minute, now)
	if err != nil {
		t.Fatal(err)
	}
	// Another process signs with the new key before this one has noticed.
	fresh, err := OpenKeys(file)
	if err != nil || fresh.signing().id != young {
		t.Fatalf("not rotated: %v", err)
	}
	other := &tokens{fresh, "foresight", "foresight", time.Minute, time.Now}
	early, _, err := other.sign(anActor(), id.New(id.RefreshToken), now)
	if err != nil {
		t.Fatal(err)
	}
	if now = now.Add(lookInterval); old.signing().id != ids[0] {
		t.Fatal("it has noticed already")
	}
	if _, err := tk.verify(early); err != nil {
		t.Errorf("what another process signed with the new key: %v", err)
	}
	if old.signing().id != young {
		t.Error("it goes on to sign with the old key")
	}
	if _, err := tk.verify(s); err != nil {
		t.Errorf("what the old key signed: %v", err)
	}
	var set map[string][]map[string]string
	if err := json.Unmarshal(old.JWKS(), &set); err != nil || len(set["keys"]) != 2 {
		t.Fatalf("%v %v", set, err)
	}
	for _, j := range set["keys"] {
		if x, err := base64.RawURLEncoding.DecodeString(j["x"]); err != nil || len(x) != 32 || j["d"] != "" || j["alg"] != "EdDSA" || j["kid"] == "" {
			t.Errorf("%v", j)
		}
	}
	now = now.Add(20 * time.Minute)
	if _, err := tk.verify(s); err == nil {
		t.Error("the old key verifies for ever")
	}
	if string(old.JWKS()) == "" || strings.Contains(string(old.JWKS()), ids[0]) {
		t.Errorf("published: %s", old.JWKS())
	}
	if _, err := RotateKeys(file, 20*time.Minute, now); err != nil {
		t.Fatal(err)
	}
	l, err := ListKeys(file)
	if err != nil || len(l) != 2 || !l[0].Signs || l[1].ID != young || l[1].Signs || !l[1].Expires.Equal(now.Add(20*time.Minute).Truncate(time.Second)) || l[1].Made.IsZero() {
		t.Errorf("%+v %v", l, err)
	}
}

func TestKeysAreFollowed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.json")
	k, err := OpenKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Follow(ctx, time.Millisecond, slog.New(slog.NewTextHandler(&log, nil)))
	}()
	first := k.signing().id
	next, err := RotateKeys(file, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return k.signing().id == next })
	// A file that cannot be read leaves the keys as they are.
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.Reload(); err == nil {
		t.Error("a broken file was read")
	}
	cancel()
	<-done
	if _, ok := k.byID(first); !ok || k.signing().id != next {
		t.Error("a broken file changed the keys")
	}
	if !strings.Contains(log.String(), next) {
		t.Errorf("log: %s", log.String())
	}
}

func TestMalformedKeyFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.json")
	for _, s := range []string{"", "{", `{"keys":[]}`, `{"keys":[{"kty":"RSA"}]}`, `{"keys":[{"kty":"OKP","crv":"Ed25519","d":"c2hvcnQ"}]}`} {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeys(file); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}

func FuzzVerifyToken(f *testing.F) {
	tk := testTokens(f)
	s, _, _ := tk.sign(anActor(), id.New(id.RefreshToken), time.Now())
	f.Add(s)
	f.Fuzz(func(t *testing.T, token string) {
		if g, err := tk.verify(token); err == nil && (g.Actor == nil || g.Actor.TenantID == id.Nil) {
			t.Fatal("accepted without an actor")
		}
	})
}

// FuzzParseKeys: whatever the file holds, it is refused without repeating a word of
// it, or every key of it signs what it verifies.
func FuzzParseKeys(f *testing.F) {
	file := filepath.Join(f.TempDir(), "keys.json")
	if _, err := OpenKeys(file); err != nil {
		f.Fatal(err)
	}
	for range 2 {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		if _, err := RotateKeys(file, time.Hour, time.Now()); err != nil {
			f.Fatal(err)
		}
	}
	for _, s := range []string{``, `null`, `{"keys":[]}`, `{"keys":[{"kty":"OKP","crv":"Ed25519","d":"AAAA"}]}`,
		`{"keys":[{"kty":"RSA","crv":"Ed25519","d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},{"kty":"OKP","crv":"Ed25519","d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`} {
		f.Add([]byte(s))
	}
	message := []byte("header.payload")
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseKeys(b)
		if err != nil {
			if list != nil || len(err.Error()) > 60 {
				t.Fatalf("%v, %v", list, err)
			}
			return
		}
		if len(list) == 0 {
			t.Fatal("a set of no keys")
		}
		keys := newKeys("", list)
		for _, k := range list {
			if found, ok := keys.byID(k.id); k.id == "" || ok != (k.expires.IsZero() || time.Now().Before(k.expires)) || ok && found.method != k.method {
				t.Fatalf("key %q is not found", k.id)
			}
			signature, err := k.method.Sign(string(message), k.private)
			if err != nil {
				t.Fatal(err)
			}
			if err := k.method.Verify(string(message), signature, k.public); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	for _, v := range []string{"EdDSA", "HS256"} {
		b.Run(v, func(b *testing.B) {
			tk := testTokens(b)
			if v == "HS256" {
				tk.keys, _ = HS256Keys([]byte(strings.Repeat("k", 32)))
			}
			s, _, _ := tk.sign(anActor(), id.New(id.RefreshToken), time.Now())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tk.verify(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
