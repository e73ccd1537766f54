package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"foresight/ent/asset"
	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/mlmodelversion"
	"foresight/ent/site"
	"foresight/internal/alarms"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/rules"
	"foresight/internal/tenancy"
)

// Draft is a rule that is not stored.
type Draft struct {
	Spec alarms.RuleSpec
	// Replaces is the rule with whose alarms its own are compared; nil: none.
	Replaces *id.UUID
}

// Request asks for a backtest. Nil and zero fields do not narrow.
type Request struct {
	Name     string
	From, To time.Time // event times, the end exclusive
	Site     *id.UUID
	Asset    *id.UUID
	Sensors  []id.UUID

	// Rules are stored ones, in use or not; Active adds all that are in use. Rules on what
	// is said of machines once a day (rules.Scores) are no part of a backtest, which judges
	// readings: Active leaves them out, and one that is named is refused.
	Rules  []id.UUID
	Active bool
	Drafts []Draft
	// Version judges windows; nil: when a rule is about predictions, or Predict says so,
	// the one that serves each asset.
	Version *id.UUID
	Predict bool
}

// maxSensorList bounds a list of sensors.
const maxSensorList = 1000

// storeMargin is how much younger than the retention a reading must be to be surely in
// the store while the backtest lasts.
const storeMargin = time.Hour

// needs are the permissions under which a backtest acts, and on whose sites.
var needs = []tenancy.Permission{tenancy.RulesWrite, tenancy.RulesRead, tenancy.PlantRead, tenancy.TelemetryRead, tenancy.AlarmsRead}

// plan is a request that was looked through.
type plan struct {
	Request
	behalf  jobs.Behalf
	sites   []id.UUID // nil: the whole tenant
	rules   []document.BacktestRule
	predict bool
	source  enum.BacktestSource
}

// plan looks a request through as its actor. What is wrong is a fault.Error or a
// fault.List with the fields of the graph's input.
func (s *Service) plan(ctx context.Context, q Request) (*plan, error) {
	p := &plan{Request: q}
	ps := slices.Clone(needs)
	if q.Version != nil || q.Predict {
		ps = append(ps, tenancy.PredictionsRead, tenancy.ModelsRead)
	}
	narrow, err := under(ctx, ps)
	if err != nil {
		return nil, err
	}
	if err := s.period(narrow, p); err != nil {
		return nil, err
	}
	if err := s.choose(narrow, p); err != nil {
		return nil, err
	}
	if p.predict && !slices.Contains(ps, tenancy.PredictionsRead) {
		ps = append(ps, tenancy.PredictionsRead, tenancy.ModelsRead)
		if narrow, err = under(ctx, ps); err != nil {
			return nil, err
		}
	}
	if p.behalf, err = jobs.Of(ctx, ps...); err != nil {
		return nil, err
	}
	return p, s.confine(narrow, p)
}

// under is the context in which the actor is reduced to the sites where it holds all
// the permissions.
func under(ctx context.Context, ps []tenancy.Permission) (context.Context, error) {
	a := tenancy.From(ctx)
	if a == nil {
		return nil, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	a, err := a.Under(ps...)
	if err != nil {
		return nil, err
	}
	return tenancy.With(ctx, a), nil
}

// period checks the time and says where its readings are.
func (s *Service) period(ctx context.Context, p *plan) error {
	p.Name = strings.TrimSpace(p.Name)
	p.From, p.To = p.From.UTC().Truncate(time.Millisecond), p.To.UTC().Truncate(time.Millisecond)
	switch {
	case utf8.RuneCountInString(p.Name) > rules.MaxName:
		return fault.Invalid("input.name", "error.tooLong").With("Max", rules.MaxName)
	case !p.To.After(p.From):
		return fault.Invalid("input.to", "error.replay.range")
	case p.To.Sub(p.From) > s.Limits.MaxPeriod:
		return fault.Invalid("input.from", "error.backtest.period").With("Days", int(s.Limits.MaxPeriod.Hours()/24))
	case len(p.Sensors) > maxSensorList:
		return fault.Invalid("input.sensorIds", "error.replay.sensors").With("Max", maxSensorList)
	}
	retention, known := s.Retention(tenancy.Must(ctx).TenantID)
	if !known {
		return fault.New(fault.Unavailable, "error.backtest.off")
	}
	p.source = enum.BacktestStore
	if time.Since(p.From) > retention-storeMargin {
		if s.History == nil {
			return fault.Invalid("input.from", "error.backtest.retention").With("Days", int(retention.Hours()/24))
		}
		p.source = enum.BacktestLanding
	}
	return nil
}

// choose finds what to judge by.
func (s *Service) choose(ctx context.Context, p *plan) error {
	if len(p.Rules) > MaxRules {
		return fault.Invalid("input.ruleIds", "error.tooMany").With("Max", MaxRules)
	}
	if len(p.Drafts) > MaxDrafts {
		return fault.Invalid("input.drafts", "error.tooMany").With("Max", MaxDrafts)
	}
	stored, err := s.stored(ctx, p)
	if err != nil {
		return err
	}
	for _, r := range stored {
		if r.Source() == rules.Scores {
			if slices.Contains(p.Rules, r.ID) {
				return fault.Invalid("input.ruleIds", "error.backtest.scores")
			}
			continue
		}
		p.rules = append(p.rules, document.BacktestRule{Rule: *r, Compared: &r.ID})
	}
	for i := range p.Drafts {
		d := &p.Drafts[i]
		at := fmt.Sprintf("input.drafts.%d.", i)
		r, err := s.Rules.Draft(ctx, d.Spec)
		if err != nil {
			return blame(err, at+"rule.")
		}
		if r.Source() == rules.Scores {
			return fault.Invalid(at+"rule.parameter", "error.backtest.scores")
		}
		if d.Replaces != nil {
			if found, err := s.Rules.Judging(ctx, []id.UUID{*d.Replaces}); err != nil {
				return err
			} else if len(found) == 0 {
				return fault.Missing("AlarmRule").At(at + "ruleId")
			}
		}
		p.rules = append(p.rules, document.BacktestRule{Rule: *r, Draft: true, Compared: d.Replaces})
	}
	p.predict = p.Predict || p.Version != nil
	for i := range p.rules {
		p.predict = p.predict || p.rules[i].Rule.Source() == rules.Predictions
	}
	switch {
	case len(p.rules) > MaxRules:
		return fault.Invalid("input.ruleIds", "error.tooMany").With("Max", MaxRules)
	case len(p.rules) == 0 && !p.predict:
		return fault.Invalid("input.ruleIds", "error.backtest.nothing")
	case p.predict && s.Model == nil:
		return fault.New(fault.Unavailable, "error.inference.noModel")
	}
	return nil
}

// stored returns the rules that the request names, without doubles.
func (s *Service) stored(ctx context.Context, p *plan) (out []*rules.Rule, err error) {
	if p.Active {
		if out, err = s.Rules.Judging(ctx, nil); err != nil {
			return nil, err
		}
	}
	if len(p.Rules) == 0 {
		return out, nil
	}
	named, err := s.Rules.Judging(ctx, p.Rules)
	if err != nil {
		return nil, err
	}
	has := func(in []*rules.Rule, u id.UUID) bool {
		return slices.ContainsFunc(in, func(r *rules.Rule) bool { return r.ID == u })
	}
	for _, u := range p.Rules {
		if !has(named, u) {
			return nil, fault.Missing("AlarmRule").At("input.ruleIds")
		}
	}
	for _, r := range named {
		if !has(out, r.ID) {
			out = append(out, r)
		}
	}
	return out, nil
}

// blame moves what is wrong with a rule's input to where the rule stands in that of
// the backtest.
func blame(err error, at string) error {
	move := func(e *fault.Error) *fault.Error {
		if rest, ok := strings.CutPrefix(e.Field, "input."); ok {
			return e.At(at + rest)
		}
		return e
	}
	var list fault.List
	if errors.As(err, &list) {
		out := make(fault.List, len(list))
		for i, e := range list {
			out[i] = move(e)
		}
		return out
	}
	var one *fault.Error
	if errors.As(err, &one) {
		return move(one)
	}
	return err
}

// confine verifies the places that the request names, by the ORM's policies, and
// limits their number.
func (s *Service) confine(ctx context.Context, p *plan) error {
	p.sites = p.behalf.SiteIDs
	if p.Site != nil {
		switch there, err := s.ORM.Site.Query().Where(site.ID(*p.Site)).Exist(ctx); {
		case err != nil:
			return fmt.Errorf("backtest: %w", err)
		case !there:
			return fault.Missing("Site").At("input.siteId")
		}
		p.sites = []id.UUID{*p.Site}
	}
	if p.Asset != nil {
		found, err := s.ORM.Asset.Query().Where(asset.ID(*p.Asset)).All(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("backtest: %w", err)
		case len(found) == 0 || p.Site != nil && found[0].SiteID != *p.Site:
			return fault.Missing("Asset").At("input.assetId")
		}
		p.sites = []id.UUID{found[0].SiteID}
	}
	if p.Version != nil {
		switch there, err := s.ORM.MLModelVersion.Query().Where(mlmodelversion.ID(*p.Version)).WithModel().All(ctx); {
		case err != nil:
			return fmt.Errorf("backtest: %w", err)
		case len(there) == 0:
			return fault.Missing("MLModelVersion").At("input.modelVersionId")
		case there[0].Edges.Model == nil || there[0].Edges.Model.Type != enum.ModelFaultClassification:
			return fault.Invalid("input.modelVersionId", "error.backtest.modelType")
		}
	}
	of := s.ORM.Sensor.Query().Where(inScope(p.sites, document.BacktestScope{Asset: p.Asset, Sensors: p.Sensors})...)
	n, err := of.Count(ctx)
	if err != nil {
		return fmt.Errorf("backtest: %w", err)
	}
	if len(p.Sensors) > 0 {
		slices.SortFunc(p.Sensors, func(a, b id.UUID) int { return slices.Compare(a[:], b[:]) })
		if p.Sensors = slices.Compact(p.Sensors); n < len(p.Sensors) {
			return fault.Missing("Sensor").At("input.sensorIds")
		}
	}
	if n > s.Limits.MaxSensors {
		return fault.Invalid("input", "error.backtest.sensors").With("Max", s.Limits.MaxSensors)
	}
	return nil
}
