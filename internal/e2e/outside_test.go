package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
)

type sensorInfo struct {
	ID    string
	Code  string
	Asset struct {
		ID   string
		Site struct{ ID string }
	}
}

// sensors lists the tenant's sensors by code.
func (i *instance) sensors(t testing.TB, token string) map[string]sensorInfo {
	t.Helper()
	p := get[struct{ Sensors struct{ Nodes []sensorInfo } }](t, i, token, `{ sensors(first: 100) { nodes { id code asset { id site { id } } } } }`, nil)
	out := map[string]sensorInfo{}
	for _, s := range p.Sensors.Nodes {
		out[s.Code] = s
	}
	return out
}

const watchTelemetry = `subscription($scope: ScopeInput) { telemetry(scope: $scope) {
	reading { sensorId timestamp values(parameters: ["flow"]) { parameter value } } snapshot resync } }`

// A reading that the mosquitto client publishes is in the history and reaches the
// subscriber of the graphql-ws client.
func TestMosquittoToGraphQLWS(t *testing.T) {
	i := lively.get(t)
	token := i.login(t, alpha, "viewer")
	sensor := i.sensors(t, token)["pump-a01-s1"]
	scope, _ := json.Marshal(vars{"scope": vars{"sensorId": sensor.ID}}) // strings only
	live := stream(t, node(t, "live.mjs", "ws"+strings.TrimPrefix(i.url, "http")+"/graphql", token, watchTelemetry, string(scope)))
	live.await("graphql-ws is connected", containing(`"connected"`))
	live.await("the snapshot", containing(`"snapshot":true`))

	host, port, _ := net.SplitHostPort(i.mqtt) // it was printed so
	at := stamp(time.Now())
	printed(t, exec.CommandContext(t.Context(), "mosquitto_pub", "-h", host, "-p", port, "-u", alpha+".gw-north", "-P", gatewaySecret, "-q", "1",
		"-t", alpha+"/north-station/sensors/pump-a01-s1", "-m", fmt.Sprintf(`{"timestamp":%q,"flow":4321.5}`, at)))

	live.await("the reading in the subscription", func(line string) bool {
		return strings.Contains(line, at) && strings.Contains(line, `"value":4321.5`)
	})
	p := get[struct {
		Telemetry struct {
			Nodes []struct {
				Timestamp string
				Values    []struct{ Value float64 }
			}
		}
	}](t, i, token, `query($s: UUID!, $at: Time) { telemetry(first: 10, scope: {sensorId: $s}, from: $at, to: null) {
		nodes { timestamp values(parameters: ["flow"]) { value } } } }`, vars{"s": sensor.ID, "at": at})
	found := 0
	for _, n := range p.Telemetry.Nodes {
		if n.Timestamp == at && len(n.Values) == 1 && n.Values[0].Value == 4321.5 {
			found++
		}
	}
	if found != 1 {
		t.Errorf("the history holds the reading %d times: %+v", found, p.Telemetry.Nodes)
	}
}

// curl is a partner without any library.
func curl(t testing.TB, args ...string) []byte {
	t.Helper()
	return printed(t, exec.CommandContext(t.Context(), "curl", append([]string{"--silent", "--show-error", "--max-time", "120"}, args...)...))
}

func TestPartnerWithCurl(t *testing.T) {
	i := lively.get(t)
	client := alpha + "-client"
	type token struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
		TenantID    string `json:"tenant_id"`
	}
	tokens := map[string]token{
		"form": decode[token](t, curl(t, i.url+"/oauth/token", "-d", "grant_type=client_credentials", "-d", "client_id="+client,
			"-d", "client_secret="+clientSecret)),
		"Basic": decode[token](t, curl(t, i.url+"/oauth/token", "-u", client+":"+clientSecret, "-d", "grant_type=client_credentials")),
	}
	for how, k := range tokens {
		t.Run(how, func(t *testing.T) {
			if k.TokenType != "Bearer" || k.ExpiresIn <= 0 || k.AccessToken == "" || k.TenantID == "" {
				t.Fatalf("token %+v", k)
			}
			bearer := "Authorization: Bearer " + k.AccessToken
			type me struct {
				Data struct {
					Me struct {
						Tenant struct{ ID, Code string }
						User   *struct{ ID string }
					}
				}
			}
			post := decode[me](t, curl(t, i.url+"/graphql", "-H", bearer, "-H", "Content-Type: application/json",
				"-d", `{"query":"{ me { tenant { id code } user { id } } }"}`))
			if m := post.Data.Me; m.Tenant.Code != alpha || m.Tenant.ID != k.TenantID || m.User != nil {
				t.Errorf("POST: %+v", m)
			}
			type assets struct {
				Data struct {
					Assets struct{ TotalCount int }
				}
			}
			list := decode[assets](t, curl(t, "-G", i.url+"/graphql", "-H", bearer,
				"--data-urlencode", "query={ assets(first: 1) { totalCount } }"))
			if n := list.Data.Assets.TotalCount; n != 50 {
				t.Errorf("GET: %d assets, want 50", n)
			}
		})
	}
	refused := curl(t, "-w", "%{http_code}", i.url+"/oauth/token", "-u", client+":wrong", "-d", "grant_type=client_credentials")
	if s := string(refused); !strings.Contains(s, "invalid_client") || !strings.HasSuffix(s, "401") {
		t.Errorf("a wrong secret: %s", s)
	}
	changed := curl(t, "-w", "%{http_code}", "-G", i.url+"/graphql", "--data-urlencode", "query=mutation { logout(input: {}) { ok } }")
	if s := string(changed); !strings.HasSuffix(s, "405") {
		t.Errorf("a mutation by GET: %s", s)
	}
}

func TestEventStreamWithCurl(t *testing.T) {
	i := lively.get(t)
	token := i.partner(t, alpha)
	query := url.QueryEscape(`subscription { telemetry { reading { sensorId timestamp } snapshot } }`)
	live := stream(t, exec.CommandContext(t.Context(), "curl", "--silent", "--no-buffer", "-H", "Accept: text/event-stream",
		"-H", "Authorization: Bearer "+token, i.url+"/graphql?query="+query))
	live.await("an event", func(l string) bool { return l == "event: next" })
	live.await("a reading of the snapshot", containing(`"snapshot":true`))
	live.await("a live reading", containing(`"snapshot":false`))
}

// The audits of the graphql-http project, against the endpoint as it is served.
func TestGraphQLOverHTTPAudits(t *testing.T) {
	i := lively.get(t)
	type audit struct {
		ID, Name, Status, Reason string
		Got                      json.RawMessage
	}
	audits := decode[[]audit](t, printed(t, node(t, "audit.mjs", i.url+"/graphql")))
	count := map[string]int{}
	for _, a := range audits {
		count[a.Status]++
		switch {
		case a.Status == "ok":
		case a.Status == "notice": // MAY
			t.Logf("%s %s: %s", a.ID, a.Name, a.Reason)
		default:
			t.Errorf("%s %s %s: %s\n%s", a.Status, a.ID, a.Name, a.Reason, a.Got)
		}
	}
	if len(audits) < 60 {
		t.Errorf("%d audits, want at least 60", len(audits))
	}
	figure("graphql-http: %d audits, %d ok, %d notices, %d warnings, %d errors", len(audits), count["ok"], count["notice"], count["warn"], count["error"])
}
