package health

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/ent/settings"
	"foresight/inference/daily"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/iso20816"
)

// machine is what features and health need to know of an asset.
type machine struct {
	ID          id.UUID
	Site        id.UUID
	Type        enum.AssetType
	Criticality enum.Criticality
	InstalledOn *time.Time
	Group       *int
	Support     *enum.SupportType
}

// limits returns the zone limits of the machine, false when it has none.
func (m *machine) limits() (iso20816.Limits, bool) {
	if m.Group == nil || m.Support == nil {
		return iso20816.Limits{}, false
	}
	return iso20816.Of(*m.Group, iso20816.Support(*m.Support))
}

// description is how the machine is described now: the register keeps no history of it,
// and a machine whose readings were brought in before it was entered is what it is. Days
// that are made up later are described as of then.
func (m *machine) description() daily.Description {
	d := daily.Description{Type: string(m.Type), Criticality: string(m.Criticality)}
	if m.InstalledOn != nil {
		d.InstalledOn = *m.InstalledOn
	}
	return d
}

// fleet is the machines of a tenant, in the order of their ids, with the place of each.
type fleet struct {
	machines []machine
	at       map[id.UUID]int
}

// readFleet reads the machines in use.
func (s *Service) readFleet(ctx context.Context, tenant id.UUID) (*fleet, error) {
	rows, err := s.App.Query(ctx, `SELECT id, site_id, asset_type, criticality, installed_on, iso_machine_group, iso_support_type
		FROM assets WHERE tenant_id = $1 AND NOT is_deleted AND is_active ORDER BY id`, tenant)
	if err != nil {
		return nil, fmt.Errorf("health: fleet: %w", err)
	}
	f := &fleet{at: map[id.UUID]int{}}
	if f.machines, err = pgx.CollectRows(rows, pgx.RowToStructByPos[machine]); err != nil {
		return nil, fmt.Errorf("health: fleet: %w", err)
	}
	for i := range f.machines {
		f.at[f.machines[i].ID] = i
	}
	return f, nil
}

// limitBC is the boundary between the zones B and C of a machine, NaN when it has none.
func (f *fleet) limitBC(asset id.UUID) float64 {
	if i, ok := f.at[asset]; ok {
		if l, ok := f.machines[i].limits(); ok {
			return l.BC
		}
	}
	return math.NaN()
}

// chunks cuts the machines into parts.
func (f *fleet) chunks(size int, each func([]machine) error) error {
	for rest := f.machines; len(rest) > 0; {
		n := min(size, len(rest))
		if err := each(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

func ids(machines []machine) []id.UUID {
	out := make([]id.UUID, len(machines))
	for i := range machines {
		out[i] = machines[i].ID
	}
	return out
}

// tenantLimits are the limits that the tenant chose.
func (s *Service) tenantLimits(ctx context.Context, tenant id.UUID) (Limits, error) {
	var t settings.Tenant
	if err := s.App.QueryRow(ctx, `SELECT settings FROM tenants WHERE id = $1`, tenant).Scan(&t); err != nil {
		return Limits{}, fmt.Errorf("health: limits: %w", err)
	}
	return Limits(t.Effective()), nil
}

// gravities are how severe the faults are that predictions may name, by code.
func (s *Service) gravities(ctx context.Context, tenant id.UUID) (map[string]float64, error) {
	rows, err := s.App.Query(ctx, `SELECT code, default_severity FROM fault_types WHERE tenant_id = $1 OR tenant_id IS NULL`, tenant)
	if err != nil {
		return nil, fmt.Errorf("health: fault types: %w", err)
	}
	out := map[string]float64{telemetry.Normal: 0}
	var code string
	var severity enum.Severity
	if _, err := pgx.ForEachRow(rows, []any{&code, &severity}, func() error {
		if code != telemetry.Normal {
			out[code] = gravity(severity)
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("health: fault types: %w", err)
	}
	return out, nil
}
