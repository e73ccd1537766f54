package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// knows are the people of an OpenID Connect provider.
type knows struct{ *storage.User }

func (k knows) GetUserByID(string) *storage.User       { return k.User }
func (k knows) GetUserByUsername(string) *storage.User { return k.User }
func (k knows) ExampleClientID() string                { return "service" }

// freeAddress returns an address that nobody listens at. Its port is none of those that
// are given to whoever asks for any: nobody is given it meanwhile.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))
		if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address); err == nil {
			_ = l.Close() // nobody has connected
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// A browser signs in at a real provider, comes back to the product, and has a session
// by its cookie alone.
func TestSignInByOpenIDConnect(t *testing.T) {
	var op http.Handler
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { op.ServeHTTP(w, r) }))
	defer provider.Close()
	address := freeAddress(t)
	const secret = "a client secret"
	storage.RegisterClients(storage.WebClient("foresight", secret, "http://"+address+"/auth/acme/callback"))
	op = exampleop.SetupServer(provider.URL, storage.NewStorage(knows{&storage.User{ID: "subject", Username: "ada", Password: "pass",
		Email: "operator@" + alpha + ".example", EmailVerified: true}}), slog.New(slog.DiscardHandler), false)

	dir := filepath.Join(work, "signin")
	file := filepath.Join(t.TempDir(), "providers.json")
	if err := os.WriteFile(file, []byte(`{"providers": [{"id": "acme", "issuer": "`+provider.URL+`", "client_id": "foresight",
		"client_secret_env": "PROVIDER_SECRET", "tenant": "`+alpha+`"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	i, err := startWith(dir, []string{"FORESIGHT_AUTH_OIDC_FILE=" + file, "PROVIDER_SECRET=" + secret,
		"FORESIGHT_HTTP_ADDR=" + address, "FORESIGHT_PUBLIC_URL=http://" + address}, "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if err := i.interrupt(ctx); err != nil {
			t.Error(err)
		}
	})

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	browser := &http.Client{Jar: jar, Transport: transport, Timeout: time.Minute}
	read := func(res *http.Response, err error) (string, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.Request.URL.String(), string(b)
	}
	_, list := read(browser.Get(i.url + "/auth/providers"))
	if list != `[{"id":"acme","name":"acme","tenant":"`+alpha+`"}]` {
		t.Errorf("providers %s", list)
	}
	_, form := read(browser.Get(i.url + "/auth/acme/login?return=/alarms"))
	m := regexp.MustCompile(`name="id" value="([^"]*)"`).FindStringSubmatch(form)
	if m == nil {
		t.Fatalf("the provider shows no form: %s", form)
	}
	at, _ := read(browser.PostForm(provider.URL+"/login/username", url.Values{"username": {"ada"}, "password": {"pass"}, "id": {m[1]}}))
	if at != i.url+"/alarms" {
		t.Fatalf("ends at %s", at)
	}
	body, err := json.Marshal(map[string]string{"query": `mutation { refreshToken(input: {}) { session { refreshToken viewer { user { username } tenant { code } } } userErrors { message } } }`})
	if err != nil {
		t.Fatal(err)
	}
	_, answer := read(browser.Post(i.url+"/graphql", "application/json", bytes.NewReader(body)))
	if !strings.Contains(answer, `"refreshToken":null`) || !strings.Contains(answer, `"username":"operator"`) || !strings.Contains(answer, `"code":"`+alpha+`"`) {
		t.Errorf("%s", answer)
	}
}
