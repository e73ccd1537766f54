package graph_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// assetList is what the page of machines asks for.
const assetList = `query AssetList($first: Int!) { assets(first: $first) {
	nodes { id code name type criticality site { id code name } health { score status } activeAlarmCount }
	pageInfo { hasNextPage endCursor } } }`

// fleet adds n machines, a tenth of which have alarms, with their health, and tells
// the planner of them.
func (r *rig) fleet(n int) {
	r.Helper()
	rule := id.New(id.AlarmRule)
	r.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity) VALUES ($1, $2, 'fleet', 'flow', 'gt', 1, 'high')`,
		rule, r.acme.TenantID)
	ids := make([]id.UUID, n)
	for i := range ids {
		ids[i] = id.New(id.Asset)
	}
	r.sql(`INSERT INTO assets (id, tenant_id, site_id, asset_code, name, asset_type, criticality)
		SELECT a, $1, $2, 'fleet-' || lpad(n::text, 5, '0'), 'Machine ' || n, 'pump', 'high' FROM unnest($3::uuid[]) WITH ORDINALITY AS f (a, n)`,
		r.acme.TenantID, r.acme.SiteID, ids)
	for _, days := range []int{0, 1, 2} {
		r.sql(`INSERT INTO asset_health (id, tenant_id, site_id, asset_id, health_score, health_status, method, calculated_at)
			SELECT gen_random_uuid(), $1, $2, a, 90 - n % 60 - $4::int, 'warning', 'test/1', now() - $4::int * interval '1 day'
			FROM unnest($3::uuid[]) WITH ORDINALITY AS f (a, n)`, r.acme.TenantID, r.acme.SiteID, ids, days)
	}
	r.sql(`INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, rule_id, severity, status, triggered_value, triggered_at, last_triggered_at)
		SELECT gen_random_uuid(), $1, $2, a, $4, 'high', 'open', 2, now(), now() FROM unnest($3::uuid[]) WITH ORDINALITY AS f (a, n) WHERE n % 10 = 1`,
		r.acme.TenantID, r.acme.SiteID, ids, rule)
	r.sql(`ANALYZE assets, asset_health, alarm_events, sites`)
}

// plainAssets answers the list as somebody would write it who had no graph: one
// statement, one structure, encoding/json.
func plainAssets(pool *pgxpool.Pool) http.Handler {
	type site struct {
		ID   id.UUID `json:"id"`
		Code string  `json:"code"`
		Name string  `json:"name"`
	}
	type health struct {
		Score  float64 `json:"score"`
		Status string  `json:"status"`
	}
	type node struct {
		ID               id.UUID `json:"id"`
		Code             string  `json:"code"`
		Name             string  `json:"name"`
		Type             string  `json:"type"`
		Criticality      string  `json:"criticality"`
		Site             site    `json:"site"`
		Health           *health `json:"health"`
		ActiveAlarmCount int     `json:"activeAlarmCount"`
	}
	type pageInfo struct {
		HasNextPage bool    `json:"hasNextPage"`
		EndCursor   *string `json:"endCursor"`
	}
	const query = `
		SELECT a.id, a.asset_code, a.name, a.asset_type, a.criticality, s.id, s.site_code, s.name, h.health_score, h.health_status,
			(SELECT count(*) FROM alarm_events e WHERE e.tenant_id = a.tenant_id AND e.asset_id = a.id AND e.status IN ('open', 'acknowledged', 'cleared'))
		FROM assets a
		JOIN sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
		LEFT JOIN LATERAL (SELECT health_score, health_status FROM asset_health h
			WHERE h.tenant_id = a.tenant_id AND h.asset_id = a.id ORDER BY calculated_at DESC LIMIT 1) h ON true
		WHERE a.tenant_id = $1 AND NOT a.is_deleted
		ORDER BY a.asset_code, a.id LIMIT $2`
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var in struct {
			Variables struct{ First int }
		}
		if err := json.NewDecoder(q.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		rows, err := pool.Query(q.Context(), query, tenancy.Must(q.Context()).TenantID, in.Variables.First+1)
		if err == nil {
			var nodes []node
			nodes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (n node, err error) {
				var score *float64
				var status *string
				err = row.Scan(&n.ID, &n.Code, &n.Name, &n.Type, &n.Criticality, &n.Site.ID, &n.Site.Code, &n.Site.Name, &score, &status, &n.ActiveAlarmCount)
				n.Type, n.Criticality = strings.ToUpper(n.Type), strings.ToUpper(n.Criticality)
				if score != nil {
					n.Health = &health{*score, strings.ToUpper(*status)}
				}
				return n, err
			})
			var info pageInfo
			if len(nodes) > in.Variables.First {
				nodes, info.HasNextPage = nodes[:in.Variables.First], true
			}
			if err == nil {
				w.Header().Set("Content-Type", "application/json")
				err = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"assets": map[string]any{"nodes": nodes, "pageInfo": info}}})
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}

// assetListBody asks for a page.
func assetListBody(t testing.TB) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"query": assetList, "variables": map[string]any{"first": 20}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (r *rig) plain() *httptest.Server {
	plain := plainAssets(r.app)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		plain.ServeHTTP(w, q.WithContext(r.request(q.Context(), r.actor(q.Header.Get("Authorization")), "")))
	}))
	r.Cleanup(s.Close)
	return s
}

// The plain handler and the graph give the same, so that their rates compare.
func TestPlainAssetListIsTheSame(t *testing.T) {
	r := newRig(t)
	r.fleet(50)
	get := func(url string) (nodes any) {
		var out struct {
			Data struct {
				Assets struct {
					Nodes    []any
					PageInfo struct{ HasNextPage bool }
				}
			}
		}
		r.ok(json.Unmarshal(r.post(http.DefaultClient, url, assetListBody(t)), &out))
		if len(out.Data.Assets.Nodes) != 20 || !out.Data.Assets.PageInfo.HasNextPage {
			t.Errorf("%s: %d nodes", url, len(out.Data.Assets.Nodes))
		}
		return out.Data.Assets.Nodes
	}
	want, err := json.Marshal(get(r.plain().URL))
	r.ok(err)
	got, err := json.Marshal(get(r.URL))
	r.ok(err)
	if !bytes.Equal(got, want) {
		t.Errorf("graph %s\nplain %s", got, want)
	}
}

func (r *rig) post(c *http.Client, url string, body []byte) []byte {
	q, err := http.NewRequestWithContext(r.Context(), "POST", url, bytes.NewReader(body))
	if err != nil {
		r.Error(err)
		return nil
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", r.acme.TenantCode+"/viewer")
	res, err := c.Do(q)
	if err != nil {
		r.Error(err)
		return nil
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || bytes.Contains(b, []byte(`"errors"`)) {
		r.Errorf("%d %s %v", res.StatusCode, b, err)
	}
	return b
}

// BenchmarkAssetList compares the graph with the plain handler: a page of 20 of
// 5,000 machines with site, health and alarms, from as many clients as there are
// connections to the database.
func BenchmarkAssetList(b *testing.B) {
	r := newRigCollecting(b, 0)
	r.fleet(5000)
	body := assetListBody(b)
	for name, url := range map[string]string{"graph": r.URL, "plain": r.plain().URL} {
		b.Run(name, func(b *testing.B) {
			c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			defer c.CloseIdleConnections()
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r.post(c, url, body)
				}
			})
		})
	}
}
