package main

import (
	"fmt"
	"strings"

	atlas "ariga.io/atlas/sql/schema"
)

// The roles of the product; migrations/00001_roles.sql makes them.
const (
	app    = "foresight_app"    // requests
	worker = "foresight_worker" // the pipeline
)

// current is the tenant of the connection. The sub-select makes the planner
// evaluate it once per query and not per row.
const current = `(SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)`

// registry are the tables that the pipeline reads across tenants, to know the
// sensors, rules and models of all.
var registry = map[string]bool{
	"tenants": true, "sites": true, "gateways": true, "assets": true, "sensors": true,
	"parameters": true, "fault_types": true, "alarm_rules": true,
	"ml_models": true, "ml_model_versions": true, "ml_model_deployments": true,
	"asset_model_versions": true, "alarm_shelves": true,
}

// builtIn are tables without a tenant, whose rows are the product's own: all read
// them, and only migrations write them.
var builtIn = map[string]bool{"permissions": true}

// workerWrites is what the pipeline does beyond reading.
var workerWrites = map[string]string{
	"alarm_events":      "SELECT, INSERT, UPDATE",
	"alarm_transitions": "SELECT, INSERT",
}

// appendOnly are tables of which nobody changes a row.
var appendOnly = map[string]bool{"alarm_transitions": true, "audit_logs": true}

// outcomeOnly are tables of which rows are neither deleted nor changed, but for the
// columns that say what became of them.
var outcomeOnly = map[string]string{"notification_logs": "status, attempts, sent_at, error"}

// secrets are columns that the pipeline must not read.
var secrets = map[string]bool{"mqtt_password_hash": true}

// secure returns the statements that put a new table under row-level security and
// grant the roles what they need, nothing else.
func secure(t *atlas.Table) (string, error) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+";\n", args...) }
	name := `"` + t.Name + `"`
	line("ALTER TABLE %s ENABLE ROW LEVEL SECURITY", name)
	line("ALTER TABLE %s FORCE ROW LEVEL SECURITY", name)

	if builtIn[t.Name] {
		line(`CREATE POLICY built_in_read ON %s FOR SELECT TO %s USING (true)`, name, app)
		line(`CREATE POLICY built_in_upkeep ON %s TO CURRENT_USER USING (true) WITH CHECK (true)`, name)
		line("GRANT SELECT ON %s TO %s", name, app)
		return b.String(), nil
	}
	roles := app
	if workerWrites[t.Name] != "" || registry[t.Name] {
		roles += ", " + worker
	}
	switch tenant := column(t, "tenant_id"); {
	case t.Name == "tenants":
		line(`CREATE POLICY tenant_isolation ON %s TO %s USING ("id" = %s) WITH CHECK ("id" = %[3]s)`, name, roles, current)
	case tenant == nil:
		return "", fmt.Errorf("table %s has no tenant_id: secure it by hand", t.Name)
	default:
		line(`CREATE POLICY tenant_isolation ON %s TO %s USING ("tenant_id" = %s) WITH CHECK ("tenant_id" = %[3]s)`, name, roles, current)
		if tenant.Type.Null {
			line(`CREATE POLICY built_in_read ON %s FOR SELECT TO %s USING ("tenant_id" IS NULL)`, name, roles)
			line(`CREATE POLICY built_in_upkeep ON %s TO CURRENT_USER USING ("tenant_id" IS NULL) WITH CHECK ("tenant_id" IS NULL)`, name)
		}
	}
	line("GRANT %s ON %s TO %s", appGrants(t), name, app)

	if g := workerWrites[t.Name]; g != "" {
		line("GRANT %s ON %s TO %s", g, name, worker)
	}
	if registry[t.Name] {
		line(`CREATE POLICY registry_read ON %s FOR SELECT TO %s USING (true)`, name, worker)
		line("GRANT SELECT%s ON %s TO %s", readable(t), name, worker)
	}
	return b.String(), nil
}

// appGrants is what requests may do: rows that can be soft-deleted are never
// deleted otherwise.
func appGrants(t *atlas.Table) string {
	switch {
	case appendOnly[t.Name]:
		return "SELECT, INSERT"
	case outcomeOnly[t.Name] != "":
		return "SELECT, INSERT, UPDATE (" + outcomeOnly[t.Name] + ")"
	case column(t, "is_deleted") != nil:
		return "SELECT, INSERT, UPDATE"
	}
	return "SELECT, INSERT, UPDATE, DELETE"
}

// readable lists the columns without secrets, and nothing when there are none.
func readable(t *atlas.Table) string {
	var open []string
	for _, c := range t.Columns {
		if !secrets[c.Name] {
			open = append(open, `"`+c.Name+`"`)
		}
	}
	if len(open) == len(t.Columns) {
		return ""
	}
	return " (" + strings.Join(open, ", ") + ")"
}
