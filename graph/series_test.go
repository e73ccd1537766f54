package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

// rollUp stores the readings with their 5-minute rollups, as the worker does.
func (r *rig) rollUp(docs ...telemetry.Raw) {
	r.Helper()
	r.write(docs...)
	by := map[int64]*telemetry.Rollup{}
	for i := range docs {
		start := telemetry.M5.Start(docs[i].Timestamp)
		if by[start.Unix()] == nil {
			by[start.Unix()] = &telemetry.Rollup{Start: start}
		}
		by[start.Unix()].Add(&docs[i])
	}
	for _, row := range by {
		r.ok(r.store.WriteRollups(r.Context(), telemetry.M5, []telemetry.Rollup{*row}))
	}
}

func TestSeries(t *testing.T) {
	r := newRig(t)
	m := r.machine(r.acme, 1)
	hour := telemetry.H1.Start(time.Now()).Add(-3 * time.Hour)
	r.rollUp(reading(m.Key, hour.Add(time.Minute), 10), reading(m.Key, hour.Add(2*time.Minute), 30),
		reading(m.Key, hour.Add(20*time.Minute), 10), reading(m.Key, hour.Add(21*time.Minute), 30))
	ask := func(scope, more string) string {
		return fmt.Sprintf(`{ series(scope: {%s}, from: "%s", to: "%s", %s) { resolution series { siteId assetId sensorId parameter times average min max last deviation count } } }`,
			scope, hour.Format(time.RFC3339), hour.Add(time.Hour).Format(time.RFC3339), more)
	}
	asset, sensor := fmt.Sprintf(`assetId: "%s"`, m.Asset), fmt.Sprintf(`sensorId: "%s"`, m.Sensor)
	stamp := func(after time.Duration) string { return hour.Add(after).Format("2006-01-02T15:04:05.000Z") }
	for _, c := range []struct{ scope, more, resolution, want string }{
		{asset, `parameters: ["flow"], resolution: H1`, "H1",
			fmt.Sprintf(`average:[20] count:[4] deviation:[10] last:[30] max:[30] min:[10] parameter:flow sensorId:%s siteId:%s times:[%s]`, m.Sensor, m.Site, stamp(0))},
		{sensor, `parameters: ["speed", "flow"], resolution: M5`, "M5",
			fmt.Sprintf(`average:[20 20] count:[2 2] deviation:[10 10] last:[30 30] max:[30 30] min:[10 10] parameter:flow sensorId:%s siteId:%s times:[%s %s]`, m.Sensor, m.Site, stamp(0), stamp(20*time.Minute))},
		{sensor, `parameters: ["flow"]`, "RAW",
			fmt.Sprintf(`average:[10 30 10 30] count:[1 1 1 1] deviation:[0 0 0 0] last:[10 30 10 30] max:[10 30 10 30] min:[10 30 10 30] parameter:flow sensorId:%s siteId:%s times:[%s %s %s %s]`, m.Sensor, m.Site,
				stamp(time.Minute), stamp(2*time.Minute), stamp(20*time.Minute), stamp(21*time.Minute))},
		{asset, `parameters: ["flow"], resolution: D1`, "D1", ""},
	} {
		d := r.data("acme/viewer", ask(c.scope, c.more))
		series, _ := at(d, "series", "series").([]any)
		if at(d, "series", "resolution") != c.resolution || len(series) != 1 {
			t.Fatalf("%s: %v", c.more, d)
		}
		if want := fmt.Sprintf("map[assetId:%s %s]", m.Asset, c.want); c.want != "" && fmt.Sprint(series[0]) != want {
			t.Errorf("%s:\n got %v\nwant %s", c.more, series[0], want)
		}
	}
	for name, c := range map[string]struct{ actor, query, code string }{
		"another tenant": {"globex/admin", ask(asset, `parameters: ["flow"]`), "NOT_FOUND"},
		"the whole site": {"acme/viewer", ask(fmt.Sprintf(`siteId: "%s"`, m.Site), `parameters: ["flow"]`), "BAD_USER_INPUT"},
		"no parameters":  {"acme/viewer", ask(asset, `parameters: []`), "BAD_USER_INPUT"},
		"from after to":  {"acme/viewer", fmt.Sprintf(`{ series(scope: {%s}, parameters: ["flow"], from: "%s", to: "%s") { resolution } }`, asset, stamp(1), stamp(0)), "BAD_USER_INPUT"},
		"nobody":         {"", ask(asset, `parameters: ["flow"]`), "UNAUTHENTICATED"},
		"too many":       {"acme/viewer", ask(asset, `parameters: [`+strings.Repeat(`"flow" `, 33)+`]`), "BAD_USER_INPUT"},
	} {
		if a := r.ask(c.actor, c.query); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != c.code {
			t.Errorf("%s: %s, want %s", name, a.raw, c.code)
		}
	}
}
