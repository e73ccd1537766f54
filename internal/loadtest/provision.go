package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"foresight/internal/id"
)

// Fleet is what publishes: the sensors of one site, and the gateway they go through.
type Fleet struct {
	Tenant             string // code
	TenantID           id.UUID
	Site               string // code
	Username, Password string // of the gateway, at the broker
	Sensors            []Sensor
	Rule               id.UUID // that the load's raised readings violate
}

// Sensor is one that is published for.
type Sensor struct {
	Code  string
	ID    id.UUID
	topic string
}

// What is provisioned: a machine for so many sensors, files of so many sensors.
const (
	perMachine = 10
	perFile    = 40_000 // 44,000 rows
	pageSize   = 100
)

// Provision adds a site with a gateway and n sensors to the tenant of the token, by the
// doors that people use: the graph and the import of CSV files. Codes end in stamp,
// so that a second run adds a site of its own.
func Provision(ctx context.Context, g *Graph, n int, stamp string) (*Fleet, error) {
	f := &Fleet{Site: "load-" + stamp}
	site, err := f.makeSite(ctx, g)
	if err != nil {
		return nil, err
	}
	if err := f.makeGateway(ctx, g, site, "load-gw-"+stamp); err != nil {
		return nil, err
	}
	if err := f.findTenant(ctx, g); err != nil {
		return nil, err
	}
	for from := 0; from < n; from += perFile {
		if err := importSensors(ctx, g, f.Site, stamp, from, min(n, from+perFile)); err != nil {
			return nil, err
		}
	}
	if f.Sensors, err = listSensors(ctx, g, site); err != nil {
		return nil, err
	}
	if len(f.Sensors) != n {
		return nil, fmt.Errorf("loadtest: %d sensors of %d are there after the import", len(f.Sensors), n)
	}
	return f, f.makeRule(ctx, g, site, stamp)
}

func (f *Fleet) makeSite(ctx context.Context, g *Graph) (id.UUID, error) {
	var d struct {
		CreateSite struct {
			Site       *struct{ ID id.UUID }
			UserErrors mistakes
		}
	}
	err := g.ask(ctx, `mutation($in: CreateSiteInput!) { createSite(input: $in) { site { id } userErrors { field message code } } }`,
		vars{"in": vars{"code": f.Site, "name": "Load test " + f.Site}}, &d)
	if err == nil {
		err = d.CreateSite.UserErrors.err("add a site")
	}
	if err != nil {
		return id.Nil, err
	}
	return d.CreateSite.Site.ID, nil
}

func (f *Fleet) makeGateway(ctx context.Context, g *Graph, site id.UUID, code string) error {
	var d struct {
		CreateGateway struct {
			Gateway    *struct{ ID id.UUID }
			UserErrors mistakes
		}
	}
	err := g.ask(ctx, `mutation($in: CreateGatewayInput!) { createGateway(input: $in) { gateway { id } userErrors { field message code } } }`,
		vars{"in": vars{"siteId": site, "code": code}}, &d)
	if err == nil {
		err = d.CreateGateway.UserErrors.err("add a gateway")
	}
	if err != nil {
		return err
	}
	var issued struct {
		IssueGatewayCredentials struct {
			Username, Password string
			UserErrors         mistakes
		}
	}
	err = g.ask(ctx, `mutation($in: IssueGatewayCredentialsInput!) { issueGatewayCredentials(input: $in) { username password userErrors { field message code } } }`,
		vars{"in": vars{"id": d.CreateGateway.Gateway.ID}}, &issued)
	if err == nil {
		err = issued.IssueGatewayCredentials.UserErrors.err("issue a credential")
	}
	f.Username, f.Password = issued.IssueGatewayCredentials.Username, issued.IssueGatewayCredentials.Password
	return err
}

// importSensors imports the sensors [from, to) with their machines.
func importSensors(ctx context.Context, g *Graph, site, stamp string, from, to int) error {
	var csv strings.Builder
	csv.WriteString("kind,code,name,site,asset,type\n")
	for i := from; i < to; i++ {
		asset := fmt.Sprintf("load-m%06d-%s", i/perMachine, stamp)
		if i%perMachine == 0 {
			fmt.Fprintf(&csv, "asset,%s,Load machine %d,%s,,pump\n", asset, i/perMachine, site)
		}
		fmt.Fprintf(&csv, "sensor,load-s%06d-%s,,,%s,\n", i, stamp, asset)
	}
	raw, err := g.send(ctx, "/uploads?name=load.csv", "text/csv", []byte(csv.String()))
	if err != nil {
		return err
	}
	var upload struct{ ID id.UUID }
	if err := json.Unmarshal(raw, &upload); err != nil || upload.ID == id.Nil {
		return fmt.Errorf("loadtest: upload: %s", raw)
	}
	var d struct {
		ImportAssets struct {
			Job        *struct{ ID id.UUID }
			UserErrors mistakes
		}
	}
	err = g.ask(ctx, `mutation($u: UUID!) { importAssets(input: {uploadId: $u}) { job { id } userErrors { field message code } } }`, vars{"u": upload.ID}, &d)
	if err == nil {
		err = d.ImportAssets.UserErrors.err("import")
	}
	if err != nil {
		return err
	}
	return awaitImport(ctx, g, d.ImportAssets.Job.ID)
}

const importPoll = 100 * time.Millisecond

func awaitImport(ctx context.Context, g *Graph, job id.UUID) error {
	for {
		var d struct {
			Node struct {
				Status   string
				Failure  string
				Mistakes []struct{ Message string }
			}
		}
		if err := g.ask(ctx, `query($j: UUID!) { node(id: $j) { ... on ImportJob { status failure mistakes(limit: 1) { message } } } }`, vars{"j": job}, &d); err != nil {
			return err
		}
		switch d.Node.Status {
		case "SUCCEEDED":
			return nil
		case "QUEUED", "RUNNING":
		default:
			return fmt.Errorf("loadtest: import: %s %s %v", d.Node.Status, d.Node.Failure, d.Node.Mistakes)
		}
		if err := pause(ctx, importPoll); err != nil {
			return err
		}
	}
}

// listSensors returns the site's sensors in the order of their codes.
func listSensors(ctx context.Context, g *Graph, site id.UUID) ([]Sensor, error) {
	var out []Sensor
	var after *string
	for {
		var d struct {
			Sensors struct {
				Nodes    []Sensor
				PageInfo struct {
					HasNextPage bool
					EndCursor   *string
				}
			}
		}
		if err := g.ask(ctx, `query($n: Int!, $a: String, $s: UUID!) { sensors(first: $n, after: $a, filter: {siteId: $s}) { nodes { id code } pageInfo { hasNextPage endCursor } } }`,
			vars{"n": pageSize, "a": after, "s": site}, &d); err != nil {
			return nil, err
		}
		out = append(out, d.Sensors.Nodes...)
		if !d.Sensors.PageInfo.HasNextPage {
			return out, nil
		}
		after = d.Sensors.PageInfo.EndCursor
	}
}

// Resolve finds the ids of sensors that are named by their codes, and the tenant.
func (f *Fleet) Resolve(ctx context.Context, g *Graph) error {
	if err := f.findTenant(ctx, g); err != nil {
		return err
	}
	for i := range f.Sensors {
		var d struct{ Sensors struct{ Nodes []Sensor } }
		if err := g.ask(ctx, `query($n: Int!, $c: String!) { sensors(first: $n, filter: {search: $c}) { nodes { id code } } }`,
			vars{"n": pageSize, "c": f.Sensors[i].Code}, &d); err != nil {
			return err
		}
		at := slices.IndexFunc(d.Sensors.Nodes, func(s Sensor) bool { return s.Code == f.Sensors[i].Code })
		if at < 0 {
			return fmt.Errorf("loadtest: no sensor %s", f.Sensors[i].Code)
		}
		f.Sensors[i].ID = d.Sensors.Nodes[at].ID
	}
	return nil
}

// findTenant asks which tenant the token is for.
func (f *Fleet) findTenant(ctx context.Context, g *Graph) error {
	var d struct {
		Me struct {
			Tenant struct {
				ID   id.UUID
				Code string
			}
		}
	}
	if err := g.ask(ctx, `{ me { tenant { id code } } }`, nil, &d); err != nil {
		return err
	}
	f.Tenant, f.TenantID = d.Me.Tenant.Code, d.Me.Tenant.ID
	return nil
}

// makeRule adds the rule that raised readings violate.
func (f *Fleet) makeRule(ctx context.Context, g *Graph, site id.UUID, stamp string) error {
	var d struct {
		CreateAlarmRule struct {
			Rule       *struct{ ID id.UUID }
			UserErrors mistakes
		}
	}
	err := g.ask(ctx, `mutation($in: CreateAlarmRuleInput!) { createAlarmRule(input: $in) { rule { id } userErrors { field message code } } }`, vars{"in": vars{
		"name": "Load test " + stamp, "siteId": site, "parameter": AlarmParameter, "operator": "GT", "threshold": AlarmThreshold, "severity": "LOW"}}, &d)
	if err == nil {
		err = d.CreateAlarmRule.UserErrors.err("add a rule")
	}
	if err != nil {
		return err
	}
	f.Rule = d.CreateAlarmRule.Rule.ID
	return nil
}

// place gives the sensors their topics.
func (f *Fleet) place() error {
	if f.Tenant == "" || f.Site == "" || len(f.Sensors) == 0 {
		return errors.New("loadtest: want a tenant, a site and sensors")
	}
	for i := range f.Sensors {
		f.Sensors[i].topic = f.Tenant + "/" + f.Site + "/sensors/" + f.Sensors[i].Code
	}
	return nil
}
