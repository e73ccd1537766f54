package plant

import (
	"context"
	"math"
	"regexp"
	"strings"

	"foresight/ent"
	"foresight/ent/parameter"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// ParameterSpec is what people say of a quantity of the tenant's own. One with the
// name of a built-in parameter narrows what is plausible on the tenant's machines.
type ParameterSpec struct {
	Name                       string
	Unit                       string
	MinPlausible, MaxPlausible *float64 // inclusive; nil: no bound
	HigherIsWorse              bool
	IsActive                   bool // a parameter out of use is not read from payloads
}

// CreateParameter adds a quantity to the tenant's catalogue.
func (s *Service) CreateParameter(ctx context.Context, spec ParameterSpec) (*ent.Parameter, error) {
	return created(ctx, s, parameterKind, spec)
}

// UpdateParameter changes one of the tenant's own of the expected version. Its name
// stays; built-in ones cannot be changed.
func (s *Service) UpdateParameter(ctx context.Context, which id.UUID, expected int, change func(*ParameterSpec)) (*ent.Parameter, error) {
	return changed(ctx, s, parameterKind, which, expected, change)
}

// DeleteParameter deletes one of the tenant's own that no alarm rule speaks of. What
// was measured stays.
func (s *Service) DeleteParameter(ctx context.Context, which id.UUID, expected *int) (*ent.Parameter, error) {
	return removed(ctx, s, parameterKind, which, expected)
}

var parameterKind = kind[ent.Parameter, ParameterSpec]{
	entity: "Parameter", table: parameter.Table,
	spec: func(e *ent.Parameter) ParameterSpec {
		return ParameterSpec{Name: e.Name, Unit: e.Unit, MinPlausible: e.MinPlausible, MaxPlausible: e.MaxPlausible,
			HigherIsWorse: e.HigherIsWorse, IsActive: e.IsActive}
	},
	version: func(e *ent.Parameter) int { return e.Version },
	find: func(ctx context.Context, c *ent.Client, of id.UUID) (*ent.Parameter, error) {
		e, err := c.Parameter.Query().Where(parameter.ID(of)).Only(ctx)
		if err == nil && e.TenantID == nil {
			return nil, fault.New(fault.BadInput, "error.parameter.builtIn").At("input.id")
		}
		return e, err
	},
	check: func(ctx context.Context, _ work, _ *ent.Parameter, spec *ParameterSpec) error {
		if err := wholeTenant(ctx); err != nil {
			return err
		}
		return spec.check()
	},
	create: func(ctx context.Context, c *ent.Client, spec ParameterSpec) (*ent.Parameter, error) {
		q := c.Parameter.Create().SetName(spec.Name)
		spec.write(q.Mutation())
		return q.Save(ctx)
	},
	save: func(ctx context.Context, w work, old *ent.Parameter, spec ParameterSpec) (*ent.Parameter, error) {
		q := w.client.Parameter.UpdateOneID(old.ID).Where(parameter.Version(old.Version))
		spec.write(q.Mutation())
		return q.Save(ctx)
	},
	remove: func(ctx context.Context, w work, e *ent.Parameter) error {
		if err := wholeTenant(ctx); err != nil {
			return err
		}
		if _, builtIn := builtInParameter(e.Name); !builtIn {
			var used bool
			if err := w.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM alarm_rules WHERE tenant_id = $1 AND parameter = $2 AND NOT is_deleted)`,
				tenancy.Must(ctx).TenantID, e.Name).Scan(&used); err != nil {
				return err
			}
			if used {
				return fault.New(fault.Conflict, "error.parameter.inUse").At("input.id")
			}
		}
		return w.client.Parameter.DeleteOneID(e.ID).Exec(ctx)
	},
	violated: func(string) *fault.Error {
		return fault.New(fault.Conflict, "error.parameter.nameTaken").At("input.name")
	},
}

// wholeTenant refuses actors limited to sites what concerns all of them.
func wholeTenant(ctx context.Context) error {
	if len(sites(ctx)) > 0 {
		return fault.Denied(string(tenancy.PlantWrite))
	}
	return nil
}

var parameterForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// reserved are names that mean something else in payloads and rules.
var reserved = map[string]bool{"timestamp": true, "sensor_code": true, "ingest_id": true, "motor_data": true, "pump_data": true,
	"parameters": true, rules.Silence: true, rules.Confidence: true}

const maxUnit = 32

func (s *ParameterSpec) check() error {
	var p problems
	p.check(parameterForm.MatchString(s.Name) && !reserved[s.Name], "name", "error.parameter.name")
	s.Unit = strings.TrimSpace(s.Unit)
	p.text("unit", &s.Unit, maxUnit)
	p.finite("minPlausible", s.MinPlausible)
	p.finite("maxPlausible", s.MaxPlausible)
	least, most := math.Inf(-1), math.Inf(1)
	if s.MinPlausible != nil {
		least = *s.MinPlausible
	}
	if s.MaxPlausible != nil {
		most = *s.MaxPlausible
	}
	p.check(!(least > most), "maxPlausible", "error.parameter.range")
	if b, ok := builtInParameter(s.Name); ok {
		p.check(s.Unit == b.Unit, "unit", "error.parameter.narrows")
		p.check(least >= b.Min, "minPlausible", "error.parameter.narrows")
		p.check(most <= b.Max, "maxPlausible", "error.parameter.narrows")
	}
	return p.list.Err()
}

func builtInParameter(name string) (telemetry.Parameter, bool) {
	for _, b := range telemetry.BuiltIn() {
		if b.Name == name {
			return b, true
		}
	}
	return telemetry.Parameter{}, false
}

func (s *ParameterSpec) write(m *ent.ParameterMutation) {
	m.SetUnit(s.Unit)
	setOrClear(s.MinPlausible, m.SetMinPlausible, m.ClearMinPlausible)
	setOrClear(s.MaxPlausible, m.SetMaxPlausible, m.ClearMaxPlausible)
	m.SetHigherIsWorse(s.HigherIsWorse)
	m.SetIsActive(s.IsActive)
}
