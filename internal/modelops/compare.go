package modelops

import (
	"context"
	"slices"

	"foresight/ent"
	"foresight/ent/mlmodelversion"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// MaxCompared is how many versions are compared at once.
const MaxCompared = 5

// Comparison holds versions side by side.
type Comparison struct {
	Versions []*ent.MLModelVersion
	Metrics  []*MetricRow
}

// MetricRow is one measure of all versions.
type MetricRow struct {
	Name string
	// Values are in the order of the versions; nil where a version has none.
	Values []*float64
}

// Compare holds versions of one model side by side, in the order given.
func (s *Service) Compare(ctx context.Context, ids []id.UUID) (*Comparison, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	if len(ids) < 2 || len(ids) > MaxCompared {
		return nil, fault.Invalid("ids", "error.range").With("Min", 2).With("Max", MaxCompared)
	}
	rows, err := s.ent.MLModelVersion.Query().Where(mlmodelversion.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	c := &Comparison{}
	names := map[string]bool{}
	for _, which := range ids {
		i := slices.IndexFunc(rows, func(v *ent.MLModelVersion) bool { return v.ID == which })
		if i < 0 {
			return nil, fault.Missing("ModelVersion").At("ids")
		}
		if rows[i].ModelID != rows[0].ModelID {
			return nil, fault.Invalid("ids", "error.version.otherModel")
		}
		c.Versions = append(c.Versions, rows[i])
		for name := range rows[i].Metrics {
			names[name] = true
		}
	}
	for name := range names {
		row := &MetricRow{Name: name, Values: make([]*float64, len(c.Versions))}
		for i, v := range c.Versions {
			if m, ok := v.Metrics[name]; ok {
				row.Values[i] = &m
			}
		}
		c.Metrics = append(c.Metrics, row)
	}
	slices.SortFunc(c.Metrics, func(a, b *MetricRow) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return c, nil
}
