package bulk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/audit"
	"foresight/internal/tenancy"
)

// target is where rows of a kind go.
type target struct {
	table   string
	columns []string // besides those that every table has
	values  func(*row) []any
}

var targets = map[Kind]target{
	Site: {"sites", []string{"site_code", "name", "location", "latitude", "longitude", "time_zone", "is_active"},
		func(r *row) []any {
			s := &r.site
			return []any{s.Code, s.Name, s.Location, s.Latitude, s.Longitude, s.TimeZone, s.IsActive}
		}},
	Gateway: {"gateways", []string{"site_id", "gateway_code", "ip_address", "firmware_version", "is_active"},
		func(r *row) []any {
			s := &r.gateway
			return []any{s.Site, s.Code, s.IPAddress, s.FirmwareVersion, s.IsActive}
		}},
	Asset: {"assets", []string{"site_id", "gateway_id", "parent_id", "asset_code", "name", "asset_type", "criticality", "manufacturer", "model",
		"serial_number", "installed_on", "location", "rated_power_kw", "iso_machine_group", "iso_support_type", "replacement_cost",
		"downtime_cost_per_hour", "external_ref", "is_active"},
		func(r *row) []any {
			s := &r.asset
			return []any{s.Site, s.Gateway, s.Parent, s.Code, s.Name, string(s.Type), string(s.Criticality), s.Manufacturer, s.Model,
				s.SerialNumber, s.InstalledOn, s.Location, s.RatedPowerKW, s.ISOMachineGroup, (*string)(s.ISOSupportType), s.ReplacementCost,
				s.DowntimeCostPerHour, s.ExternalRef, s.IsActive}
		}},
	Sensor: {"sensors", []string{"asset_id", "gateway_id", "sensor_code", "sensor_type", "mount_location", "mqtt_topic", "position_x", "position_y",
		"installation_date", "expected_interval_sec", "validation_data", "is_active"},
		func(r *row) []any {
			s := &r.sensor
			return []any{s.Asset, s.Gateway, s.Code, string(s.Type), s.MountLocation, s.MQTTTopic, s.PositionX, s.PositionY,
				s.InstalledOn, s.ExpectedIntervalSec, s.Calibration, s.IsActive}
		}},
}

// common are the columns that every table has.
var common = []string{"id", "tenant_id", "created_by", "updated_by", "created_at", "updated_at"}

// chunk is how many rows are sent before progress is told.
const chunk = 1000

// write adds the rows with their entries in the audit log. PostgreSQL refuses COPY
// into tables under row-level security: rows are staged in a table that only this
// transaction sees, and taken over by one statement for each kind, which the policies
// judge.
func write(ctx context.Context, tx pgx.Tx, rows []*row, told func(done int)) error {
	done := 0
	for _, k := range kinds {
		t := targets[k]
		var of []*row
		for _, r := range rows {
			if r.kind == k {
				of = append(of, r)
			}
		}
		if len(of) == 0 {
			continue
		}
		stage := "stage_" + t.table
		if _, err := tx.Exec(ctx, "CREATE TEMPORARY TABLE "+stage+" (LIKE "+t.table+" INCLUDING DEFAULTS) ON COMMIT DROP"); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		all := append(append([]string{}, common...), t.columns...)
		for len(of) > 0 {
			part := of[:min(chunk, len(of))]
			of = of[len(part):]
			if err := copyRows(ctx, tx, k, t, stage, all, part); err != nil {
				return err
			}
			done += len(part)
			told(done)
		}
		list := strings.Join(all, ", ")
		if _, err := tx.Exec(ctx, "INSERT INTO "+t.table+" ("+list+") SELECT "+list+" FROM "+stage); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
	}
	return nil
}

// copyRows stages rows and records them.
func copyRows(ctx context.Context, tx pgx.Tx, k Kind, t target, stage string, all []string, rows []*row) error {
	tenant, by := tenancy.Must(ctx).TenantID, person(ctx)
	now := time.Now().UTC().Truncate(time.Microsecond)
	values := make([][]any, len(rows))
	entries := make([]audit.Entry, len(rows))
	for i, r := range rows {
		own := t.values(r)
		values[i] = append([]any{r.id, tenant, by, by, now, now}, own...)
		after := make(audit.Values, len(own))
		for j, column := range t.columns {
			after[column] = own[j]
		}
		changes, err := audit.Diff(nil, after)
		if err != nil {
			return err
		}
		entries[i] = audit.Entry{Action: audit.Create, Entity: k.entity(), ID: r.id, Changes: changes}
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{stage}, all, pgx.CopyFromRows(values)); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	return audit.Record(ctx, tx, entries...)
}
