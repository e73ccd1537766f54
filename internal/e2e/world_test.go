package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2/ast"
)

// world is all that a tenant's admin can read.
type world struct {
	ids     map[string][]string // by type
	codes   map[string][]string // by type
	cursors []string
	texts   map[string]bool // every text, ids and codes among them
}

// own returns an id of the type, the first one that was seen.
func (w *world) own(entity string) string {
	if entity == "" {
		entity = "Asset"
	}
	if len(w.ids[entity]) == 0 {
		return ""
	}
	return w.ids[entity][0]
}

// look reads everything that queries give the caller, with the scope of the sensor where one
// must be given. The sensor, its asset and its site become the first of their kinds.
func look(t testing.TB, i *instance, os []operation, c caller, sensorCode string) *world {
	t.Helper()
	sensor := i.sensors(t, c.token)[sensorCode]
	w := &world{ids: map[string][]string{}, codes: map[string][]string{}, texts: map[string]bool{}}
	os = slices.Clone(os)
	slices.SortStableFunc(os, func(x, y operation) int { return len(x.named()) - len(y.named()) }) // what must name something comes last
	for _, o := range os {
		if !o.open(c) || o.kind != ast.Query || o.field.Name == "node" || o.field.Name == "nodes" || o.field.Name == "asset" {
			continue
		}
		probe := map[string]any{}
		if a := o.field.Arguments.ForName("scope"); a != nil && a.Type.NonNull {
			probe["scope.sensorId"] = sensor.ID
		}
		if slices.ContainsFunc(o.named(), func(entity string) bool { return len(w.ids[entity]) == 0 }) {
			continue // there is nothing to ask about
		}
		v, err := o.variables(probe, func(entity string) string {
			if entity == "Asset" { // the one that there is most about
				return sensor.Asset.ID
			}
			return slices.Min(w.ids[entity])
		})
		if err != nil {
			t.Fatal(err)
		}
		if o.field.Arguments.ForName("first") != nil {
			v["first"] = 100
		}
		a := i.ask(t, request{token: c.token, language: "en", query: o.document(2, c.may()...), vars: v})
		if len(a.Errors) > 0 {
			t.Fatalf("%s: %s\n%s", o.name(), a.Body, i.log(a))
		}
		w.take("", decode[any](t, a.Data))
	}
	for _, ids := range w.ids {
		slices.Sort(ids) // by age: what is built in comes first
	}
	for entity, first := range map[string]string{"Sensor": sensor.ID, "Asset": sensor.Asset.ID, "Site": sensor.Asset.Site.ID} {
		at := slices.Index(w.ids[entity], first)
		if at < 0 {
			t.Fatalf("%s %s is in no list", entity, first)
		}
		w.ids[entity][0], w.ids[entity][at] = w.ids[entity][at], w.ids[entity][0]
	}
	return w
}

// log returns what the process logged about the request.
func (i *instance) log(a answer) string {
	var lines []string
	for _, e := range a.Errors {
		if asked, _ := e.Extensions["requestId"].(string); asked != "" {
			for line := range strings.Lines(i.out.String()) {
				if strings.Contains(line, asked) {
					lines = append(lines, line)
				}
			}
		}
	}
	return strings.Join(lines, "")
}

// take walks an answer.
func (w *world) take(key string, v any) {
	switch v := v.(type) {
	case map[string]any:
		typ, _ := v["__typename"].(string)
		if u, ok := v["id"].(string); ok && !slices.Contains(w.ids[typ], u) {
			w.ids[typ] = append(w.ids[typ], u)
		}
		if code, ok := v["code"].(string); ok && !slices.Contains(w.codes[typ], code) {
			w.codes[typ] = append(w.codes[typ], code)
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			w.take(k, v[k])
		}
	case []any:
		for _, e := range v {
			w.take(key, e)
		}
	case string:
		if key == "__typename" {
			return
		}
		w.texts[v] = true
		if key == "cursor" {
			w.cursors = append(w.cursors, v)
		}
	}
}

// secrets are the texts that only this tenant has: no times, no short words.
func (w *world) secrets(other *world) []string {
	var out []string
	for s := range w.texts {
		if _, err := time.Parse(time.RFC3339, s); err == nil || len(s) < 4 || other.texts[s] {
			continue
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// leak returns a secret that the answer holds, "" when it holds none. What was asked
// for may be repeated in a message.
func leak(secrets []string, body []byte, asked ...string) string {
	text := unescaped(body)
	for _, a := range asked {
		text = strings.ReplaceAll(text, a, "<asked>")
	}
	timeless := times.ReplaceAllString(text, "<time>")
	for _, s := range secrets {
		where := text
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			where = timeless // the seconds of any time may be the same number
		}
		if strings.Contains(where, s) {
			return s
		}
	}
	return ""
}

// times are times as the graph writes them.
var times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`)

// unescaped writes JSON without \u escapes, so that texts are found.
func unescaped(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return string(body)
	}
	return fmt.Sprint(v)
}

// sums are checksums of every table's rows of the tenant, as the owner sees them. What
// says when a gateway spoke last, that a sensor has fallen silent, and when the product last
// looked at something by itself, is left out.
func (i *instance) sums(t testing.TB, tenant string) map[string]string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), i.database())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	rows, err := c.Query(t.Context(), `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
			AND a.attname = 'tenant_id' AND NOT a.attisdropped AND c.relname NOT IN ('gateway_states',
				'rollup_progress', 'telemetry_rollup_h1', 'telemetry_rollup_d1', 'scoring_jobs', 'summarised_days', 'asset_features')`) // what the clock makes
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		t.Fatalf("tables %v: %v", tables, err)
	}
	out := map[string]string{}
	for _, table := range tables {
		var sum string
		if err := c.QueryRow(t.Context(), `SELECT count(*) || ' rows ' || coalesce(md5(string_agg(md5((to_jsonb(r) - '{is_online,looked_at}'::text[])::text), '' ORDER BY md5((to_jsonb(r) - '{is_online,looked_at}'::text[])::text))), '')
			FROM `+pgx.Identifier{table}.Sanitize()+` r WHERE tenant_id = $1`, tenant).Scan(&sum); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		out[table] = sum
	}
	return out
}

// settled waits until nothing more comes of the readings that are stored: no alarm, and no
// explanation of one.
func (i *instance) settled(t testing.TB) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), i.database())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	within(t, patience, "nothing more comes of what is stored", func() bool {
		var more bool
		if err := c.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM alarm_explanations WHERE state = 'pending') OR EXISTS (
			SELECT FROM telemetry_raw r JOIN sensor_states s USING (tenant_id, sensor_id) JOIN partitions p ON p.number = s.partition
			WHERE r.log_seq > p.sequence)`).Scan(&more); err != nil {
			t.Fatal(err)
		}
		return !more
	})
}

// sql runs a statement as the owner, for what no door makes yet.
func (i *instance) sql(t testing.TB, statement string, args ...any) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), i.database())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func TestLeak(t *testing.T) {
	secrets := []string{"38.06", "Jubail"}
	for body, want := range map[string]string{
		`{"at":"2026-11-21T00:12:38.06Z","value":"7.42"}`:     "",
		`{"at":"2026-11-21T00:12:38Z","value":"38.06"}`:       "38.06",
		`{"at":"2026-11-21T00:12:38Z","site":"Jub\u0061il"}`:  "Jubail",
		`{"message":"there is no Jubail"}`:                    "Jubail",
		`{"at":"2026-11-21T00:12:38.06+03:00","site":"Riv."}`: "",
	} {
		if got := leak(secrets, []byte(body)); got != want {
			t.Errorf("in %s: %q, not %q", body, got, want)
		}
	}
	if got := leak(secrets, []byte(`"no site Jubail"`), "Jubail"); got != "" {
		t.Errorf("what was asked for: %q", got)
	}
}
