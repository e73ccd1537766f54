package alarms

import (
	"context"

	"foresight/ent"
	"foresight/ent/alarmrule"
	"foresight/ent/enum"
	"foresight/ent/predicate"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// RuleFilter chooses rules; zero fields do not narrow.
type RuleFilter struct {
	Search    string // text within the name, without regard to case
	AssetType enum.AssetType
	IsActive  *bool
}

// List returns a page of the rules that match, by name.
func (s *RuleService) List(ctx context.Context, f RuleFilter, a page.Args) (page.Page[*ent.AlarmRule], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.RulesRead, a, keyset.ByText(alarmrule.FieldName))
	if err != nil {
		return page.Page[*ent.AlarmRule]{}, err
	}
	q := s.client.AlarmRule.Query().Where(f.predicates()...)
	p, err := keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(r *ent.AlarmRule) page.Key { return keyset.Key(r.Name, r.ID) })
	return p, asFault("list rules", err)
}

func (f *RuleFilter) predicates() []predicate.AlarmRule {
	var out []predicate.AlarmRule
	if f.Search != "" {
		out = append(out, alarmrule.NameContainsFold(f.Search))
	}
	if f.AssetType != "" {
		out = append(out, alarmrule.AssetTypeEQ(f.AssetType))
	}
	if f.IsActive != nil {
		out = append(out, alarmrule.IsActive(*f.IsActive))
	}
	return out
}
