package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

type ingested struct {
	IngestReadings struct {
		AcceptedCount, RejectedCount int
		Results                      []struct{ Status, IngestID, Reason string }
		UserErrors                   []struct{ Field, Message string }
	}
}

const ingestMutation = `mutation($in: IngestReadingsInput!) { ingestReadings(input: $in) {
	acceptedCount rejectedCount results { status ingestId reason } userErrors { field message } } }`

// Readings that come over HTTP go the way of those that come over MQTT: through the
// same gate, into the log, the store and the graph.
func TestReadingsOverHTTP(t *testing.T) {
	i := quiet.get(t)
	engineer, partner := i.login(t, alpha, "engineer"), i.partner(t, alpha, "telemetry:write")
	const fed = "pump-b03-s1"
	sensor := i.sensors(t, engineer)[fed]
	if sensor.ID == "" {
		t.Fatalf("the demo has no %s", fed)
	}
	begin := time.Now().Add(-time.Hour).Truncate(time.Millisecond) // before all other readings of these tests
	reading := func(code string, n int, values ...any) vars {
		return vars{"sensorCode": code, "timestamp": stamp(begin.Add(time.Duration(n) * time.Second)), "values": values}
	}
	flow := func(v float64) vars { return vars{"parameter": "flow", "value": v} }
	in := vars{"in": vars{"readings": []any{
		reading(fed, 0, flow(11)), reading(fed, 1, flow(12), vars{"parameter": "motor_DE_temperature", "value": 55.5}),
		reading("pump-d02-s1", 0, flow(1)), // of the other tenant
		reading(fed, 2, flow(1e9)),         // no pump does
	}}}
	first := get[ingested](t, i, partner, ingestMutation, in).IngestReadings
	if first.AcceptedCount != 2 || first.RejectedCount != 2 || first.Results[2].Reason != "unknown_sensor" || first.Results[3].Reason != "implausible_value" {
		t.Fatalf("taken in: %+v", first)
	}
	// Sent again they are the same readings.
	second := get[ingested](t, i, engineer, ingestMutation, in).IngestReadings
	if second.AcceptedCount != 2 || second.Results[0].IngestID != first.Results[0].IngestID || first.Results[0].IngestID == first.Results[1].IngestID {
		t.Errorf("once more: %+v, at first %+v", second, first)
	}
	type stored struct {
		Telemetry struct {
			Nodes []struct {
				IngestID string
				Values   []struct {
					Parameter string
					Value     float64
				}
			}
		}
		RejectedReadings []struct{ Reason, Topic string }
	}
	var s stored
	within(t, patience, "the readings in the store, and the refused ones", func() bool {
		s = get[stored](t, i, engineer, `query($scope: ScopeInput!, $from: Time!, $to: Time!) { telemetry(first: 100, scope: $scope, from: $from, to: $to) { nodes { ingestId values(parameters: ["flow", "motor_DE_temperature"]) { parameter value } } }
			rejectedReadings(first: 100) { reason topic } }`, vars{"scope": vars{"sensorId": sensor.ID}, "from": stamp(begin), "to": stamp(begin.Add(time.Minute))})
		refused := fmt.Sprint(s.RejectedReadings)
		return len(s.Telemetry.Nodes) >= 2 && strings.Contains(refused, "{unknown_sensor sensors/pump-d02-s1}") && strings.Contains(refused, "{implausible_value sensors/"+fed+"}")
	})
	if n := s.Telemetry.Nodes; len(n) != 2 || n[0].IngestID != first.Results[1].IngestID || fmt.Sprint(n[0].Values) != "[{flow 12} {motor_DE_temperature 55.5}]" || fmt.Sprint(n[1].Values) != "[{flow 11}]" {
		t.Errorf("stored: %+v", n)
	}
	for who, token := range map[string]string{"an operator": i.login(t, alpha, "operator"), "another scope": i.partner(t, alpha, "telemetry:read")} {
		if a := i.ask(t, request{token: token, query: ingestMutation, vars: in}); len(a.Errors) != 1 || a.Errors[0].Code() != "FORBIDDEN" {
			t.Errorf("%s: %s", who, a.Body)
		}
	}
}

// http sends a request with a token and returns status, headers and body.
func (i *instance) http(t testing.TB, method, path, token string, body []byte, headers ...string) (int, http.Header, []byte) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, i.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	for n := 0; n < len(headers); n += 2 {
		q.Header.Set(headers[n], headers[n+1])
	}
	p, err := web.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Body.Close()
	b, err := io.ReadAll(p.Body)
	if err != nil {
		t.Fatal(err)
	}
	return p.StatusCode, p.Header, b
}

// The picture of a machine: uploaded as a file, shown to the tenant, and by a link that
// a page can use.
func TestPictureOfAMachine(t *testing.T) {
	i := quiet.get(t)
	engineer, viewer := i.login(t, alpha, "engineer"), i.login(t, alpha, "viewer")
	type machine struct {
		Asset struct {
			ID       string
			Version  int
			ImageURL *string
		}
	}
	const query = `{ asset(code: "pump-b03") { id version imageUrl } }`
	before := get[machine](t, i, engineer, query, nil).Asset
	path := "/assets/" + before.ID + "/image"
	wide := image.NewNRGBA(image.Rect(0, 0, 3000, 1000))
	for n := range 3000 * 1000 {
		wide.SetNRGBA(n%3000, n/3000, color.NRGBA{R: uint8(n), G: uint8(n / 256), B: 90, A: 255})
	}
	var file bytes.Buffer
	if err := png.Encode(&file, wide); err != nil {
		t.Fatal(err)
	}
	if status, _, body := i.http(t, "GET", path, viewer, nil); status != http.StatusNotFound {
		t.Errorf("before: %d %s", status, body)
	}
	for who, want := range map[string]int{viewer: 403, i.login(t, beta, "admin"): 404, "": 401} {
		if status, _, body := i.http(t, "POST", path, who, file.Bytes()); status != want {
			t.Errorf("set: %d %s, want %d", status, body, want)
		}
	}
	if status, _, body := i.http(t, "POST", path, engineer, []byte("<svg/>"), "Accept-Language", "de"); status != http.StatusBadRequest || !strings.Contains(string(body), "Das Bild muss") {
		t.Errorf("no picture: %d %s", status, body)
	}
	if status, _, body := i.http(t, "POST", path, engineer, file.Bytes()); status != http.StatusNoContent {
		t.Fatalf("set: %d %s", status, body)
	}
	status, header, body := i.http(t, "GET", path, viewer, nil)
	shown, format, err := image.DecodeConfig(bytes.NewReader(body))
	if status != http.StatusOK || err != nil || format != "jpeg" || header.Get("Content-Type") != "image/jpeg" || shown.Width != 2048 || shown.Height != 682 {
		t.Errorf("shown: %d %v, %s of %dx%d, %v", status, header, format, shown.Width, shown.Height, err)
	}
	if status, _, _ := i.http(t, "GET", path, viewer, nil, "If-None-Match", header.Get("ETag")); status != http.StatusNotModified {
		t.Errorf("the same again: %d", status)
	}
	for who, want := range map[string]int{i.login(t, beta, "admin"): 404, "": 401} {
		if status, _, _ := i.http(t, "GET", path, who, nil); status != want {
			t.Errorf("to others: %d, want %d", status, want)
		}
	}
	after := get[machine](t, i, viewer, query, nil).Asset
	if after.Version != before.Version+1 || after.ImageURL == nil || !strings.HasPrefix(*after.ImageURL, path+"?link=") {
		t.Fatalf("after: %+v", after)
	}
	if status, _, linked := i.http(t, "GET", *after.ImageURL, "", nil); status != http.StatusOK || !bytes.Equal(linked, body) {
		t.Errorf("by its link: %d", status)
	}
	if status, _, _ := i.http(t, "GET", *after.ImageURL+"x", "", nil); status != http.StatusNotFound {
		t.Errorf("by a forged link: %d", status)
	}
	get[any](t, i, engineer, `mutation($id: UUID!) { deleteAssetImage(input: {id: $id}) { asset { id } userErrors { code } } }`, vars{"id": before.ID})
	if status, _, _ := i.http(t, "GET", *after.ImageURL, "", nil); status != http.StatusNotFound {
		t.Errorf("after it was taken away: %d", status)
	}
}

// A gateway gets a credential, connects and is seen; a new credential ends the
// connection with the old one, and so does the gateway's deletion.
func TestGatewayGetsACredential(t *testing.T) {
	i := quiet.get(t)
	engineer := i.login(t, alpha, "engineer")
	type sites struct {
		Sites struct{ Nodes []struct{ ID, Code string } }
	}
	north := get[sites](t, i, engineer, `{ sites(first: 1, filter: {search: "north-station"}) { nodes { id code } } }`, nil).Sites.Nodes[0]
	type created struct {
		CreateGateway struct{ Gateway *struct{ ID string } }
	}
	made := get[created](t, i, engineer, `mutation($in: CreateGatewayInput!) { createGateway(input: $in) { gateway { id } userErrors { message } } }`,
		vars{"in": vars{"siteId": north.ID, "code": "gw-e2e"}}).CreateGateway.Gateway
	if made == nil {
		t.Fatal("no gateway was made")
	}
	type issued struct {
		IssueGatewayCredentials struct{ Username, Password string }
	}
	issue := func() (user, password string) {
		c := get[issued](t, i, engineer, `mutation($id: UUID!) { issueGatewayCredentials(input: {id: $id}) { username password userErrors { message } } }`, vars{"id": made.ID}).IssueGatewayCredentials
		if c.Username != alpha+".gw-e2e" || len(c.Password) < 40 {
			t.Fatalf("issued %+v", c)
		}
		return c.Username, c.Password
	}
	// connect tries once; lost is closed when the broker ends the connection.
	connect := func(user, password string) (mqtt.Client, <-chan struct{}, bool) {
		lost := make(chan struct{})
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + i.mqtt).SetClientID("e2e-gateway").SetUsername(user).SetPassword(password).
			SetAutoReconnect(false).SetConnectTimeout(time.Minute).SetPingTimeout(time.Minute).SetConnectionLostHandler(func(mqtt.Client, error) { close(lost) }))
		token := c.Connect()
		ok := token.WaitTimeout(time.Minute) && token.Error() == nil
		if ok {
			t.Cleanup(func() { c.Disconnect(100) })
		}
		return c, lost, ok
	}
	// The broker learns of a new credential by a notice.
	soon := func(user, password string) (c mqtt.Client, lost <-chan struct{}) {
		within(t, patience, user+" connects", func() (ok bool) {
			c, lost, ok = connect(user, password)
			return ok
		})
		return c, lost
	}
	s := i.dial(t, engineer)
	s.subscribe(t, "g", `subscription($scope: ScopeInput) { gatewayStatus(scope: $scope) { gateway { code } isOnline snapshot } }`, vars{"scope": vars{"siteId": north.ID}})
	s.await(t, "what the gateways do now", func(f frame) bool { return f.ID == "g" && f.Type == "next" })
	// status waits for the next time that the gateway comes or goes.
	told := 0
	status := func(online bool) {
		t.Helper()
		told++
		n := 0
		var last struct {
			Data struct {
				GatewayStatus *struct {
					Gateway            *struct{ Code string }
					IsOnline, Snapshot bool
				}
			}
		}
		s.await(t, fmt.Sprintf("gw-e2e online: %v", online), func(f frame) bool {
			if f.ID != "g" || f.Type != "next" || json.Unmarshal(f.Payload, &last) != nil {
				return false
			}
			if g := last.Data.GatewayStatus; g != nil && g.Gateway != nil && g.Gateway.Code == "gw-e2e" && !g.Snapshot {
				n++
			}
			return n == told
		})
		if last.Data.GatewayStatus.IsOnline != online {
			t.Errorf("change %d: online is %v", told, !online)
		}
	}
	ended := func(lost <-chan struct{}, why string) {
		t.Helper()
		select {
		case <-lost:
		case <-time.After(patience):
			t.Fatal("the broker did not end the connection: " + why)
		}
	}

	user, first := issue()
	c, lost := soon(user, first)
	status(true)
	publish(t, c, alpha+"/north-station/sensors/pump-a04-s1", vars{"flow": 3})

	_, second := issue()
	ended(lost, "there is another password")
	status(false)
	if _, _, ok := connect(user, first); ok {
		t.Error("the old password is good")
	}
	_, lost = soon(user, second)
	status(true)
	get[any](t, i, engineer, `mutation($id: UUID!) { deleteGateway(input: {id: $id}) { gateway { id } userErrors { message } } }`, vars{"id": made.ID})
	ended(lost, "the gateway is deleted")
	if _, _, ok := connect(user, second); ok {
		t.Error("a deleted gateway connects")
	}
}
