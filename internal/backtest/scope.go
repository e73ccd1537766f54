package backtest

import (
	"context"
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"foresight/ent/asset"
	"foresight/ent/backtest"
	"foresight/ent/backtestprediction"
	"foresight/ent/document"
	"foresight/ent/predicate"
	"foresight/ent/sensor"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/tenancy"
)

// inScope matches the sensors of a backtest. Sites are nil for the whole tenant.
func inScope(sites []id.UUID, c document.BacktestScope) []predicate.Sensor {
	var out []predicate.Sensor
	if len(sites) > 0 {
		out = append(out, sensor.HasAssetWith(asset.SiteIDIn(sites...)))
	}
	if c.Asset != nil {
		out = append(out, sensor.AssetID(*c.Asset))
	}
	if len(c.Sensors) > 0 {
		out = append(out, sensor.IDIn(c.Sensors...))
	}
	return out
}

// sensors lists those of a backtest in the order of their ids, as many as the limit
// allows: some may have come since it was asked for.
func (s *Service) sensors(ctx context.Context, b *Backtest) ([]id.UUID, error) {
	found, err := s.ORM.Sensor.Query().Where(inScope(b.Sites, b.Scope)...).Order(sensor.ByID()).Limit(s.Limits.MaxSensors).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	return found, nil
}

// seen matches the backtests that the actor sees: who is limited to sites, those that
// are confined to these.
func seen(ctx context.Context) predicate.Backtest {
	sites := tenancy.Must(ctx).SiteIDs
	return func(s *sql.Selector) {
		if len(sites) == 0 {
			return
		}
		all, err := json.Marshal(sites)
		if err != nil { // ids always marshal
			panic(err)
		}
		s.Where(sql.P(func(b *sql.Builder) {
			b.Ident(s.C(backtest.FieldSites)).WriteString(" <@ ").Arg(string(all)).WriteString("::jsonb")
		}))
	}
}

// changed matches predictions whose fault is another than the stored one, or the same.
func changed(is bool) predicate.BacktestPrediction {
	return func(s *sql.Selector) {
		a, b := s.C(backtestprediction.FieldFaultCode), s.C(backtestprediction.FieldStoredCode)
		if is {
			s.Where(sql.ColumnsNEQ(a, b))
		} else {
			s.Where(sql.ColumnsEQ(a, b))
		}
	}
}

// oldest orders by a time column, the earliest first, then by id.
func oldest(column string) keyset.Order {
	return keyset.Order{{Name: column, Type: keyset.Time}, {Name: "id", Type: keyset.UUID}}
}
