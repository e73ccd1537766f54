package migrations

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// epoch stamps the ids of built-in rows, which are the same in every installation.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ParameterID returns the id of a built-in parameter.
func ParameterID(name string) id.UUID { return id.Derive(id.Parameter, epoch, []byte(name)) }

// FaultTypeID returns the id of a built-in fault type.
func FaultTypeID(code string) id.UUID { return id.Derive(id.FaultType, epoch, []byte(code)) }

// PermissionID returns the id of a permission.
func PermissionID(p tenancy.Permission) id.UUID { return id.Derive(id.Permission, epoch, []byte(p)) }

// seed writes the built-in rows: it adds what is missing, corrects what differs
// from the code, and touches nothing when all is as it should be.
func seed(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, p := range telemetry.BuiltIn() {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO parameters AS p (id, name, unit, min_plausible, max_plausible, higher_is_worse)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant_id, name) DO UPDATE SET unit = excluded.unit, min_plausible = excluded.min_plausible,
				max_plausible = excluded.max_plausible, higher_is_worse = excluded.higher_is_worse,
				updated_at = now(), version = p.version + 1
			WHERE (p.unit, p.min_plausible, p.max_plausible, p.higher_is_worse)
				IS DISTINCT FROM (excluded.unit, excluded.min_plausible, excluded.max_plausible, excluded.higher_is_worse)`,
			ParameterID(p.Name), p.Name, p.Unit, p.Min, p.Max, p.HigherIsWorse); err != nil {
			return err
		}
	}
	for _, f := range telemetry.FaultCodes() {
		mode, ok := faultModes[f.Code]
		if !ok {
			return fmt.Errorf("fault code %s has no failure mode", f.Code)
		}
		aliases, err := json.Marshal(append([]string{}, faultAliases[f.Code]...))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO fault_types AS f (id, code, family, iso14224_code, default_severity, aliases, labels)
			VALUES ($1, $2, $3, nullif($4, ''), $5, $6, '{}')
			ON CONFLICT (tenant_id, code) DO UPDATE SET family = excluded.family, iso14224_code = excluded.iso14224_code,
				default_severity = excluded.default_severity, aliases = excluded.aliases,
				updated_at = now(), version = f.version + 1
			WHERE (f.family, f.iso14224_code, f.default_severity, f.aliases)
				IS DISTINCT FROM (excluded.family, excluded.iso14224_code, excluded.default_severity, excluded.aliases)`,
			FaultTypeID(f.Code), f.Code, string(f.Family), mode.ISO14224, string(mode.Severity), string(aliases)); err != nil {
			return err
		}
	}
	// A permission that the code no longer knows stays for the roles that name it;
	// it allows nothing.
	for _, p := range tenancy.Permissions() {
		resource, action, ok := strings.Cut(string(p), ":")
		if !ok {
			return fmt.Errorf("permission %s has no action", p)
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO permissions (id, resource, action) VALUES ($1, $2, $3) ON CONFLICT (resource, action) DO NOTHING`,
			PermissionID(p), resource, action); err != nil {
			return err
		}
	}
	return tx.Commit()
}
