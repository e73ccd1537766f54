package alarms

import (
	"context"
	"slices"

	"foresight/ent"
	"foresight/ent/alarmrule"
	"foresight/ent/enum"
	"foresight/ent/predicate"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// RuleFilter chooses rules; zero fields do not narrow.
type RuleFilter struct {
	Search    string // text within the name, without regard to case
	AssetType enum.AssetType
	IsActive  *bool
}

// RulePage is a page of rules by name.
type RulePage struct {
	Rules            []*ent.AlarmRule
	HasNext, HasPrev bool
}

// RulePlace is where a rule stands in the list: the cursor of its edge.
type RulePlace struct {
	Name string
	ID   id.UUID
}

// RuleSlice asks for First rules behind After, or for the Last ones before Before.
// One of First and Last is 1-100, the other 0; After and Before may be nil.
type RuleSlice struct {
	First, Last   int
	After, Before *RulePlace
}

// List returns a page of the rules that match, by name.
func (s *RuleService) List(ctx context.Context, f RuleFilter, p RuleSlice) (*RulePage, error) {
	if err := may(ctx, tenancy.RulesRead); err != nil {
		return nil, err
	}
	n, back := p.First, false
	if p.Last > 0 {
		n, back = p.Last, true
	}
	if n < 1 || n > maxPage || p.First > 0 && p.Last > 0 {
		return nil, fault.New(fault.BadInput, "error.pageSize").With("Max", maxPage)
	}
	q := s.client.AlarmRule.Query().Where(f.predicates()...)
	if a := p.After; a != nil {
		q = q.Where(alarmrule.Or(alarmrule.NameGT(a.Name), alarmrule.And(alarmrule.Name(a.Name), alarmrule.IDGT(a.ID))))
	}
	if b := p.Before; b != nil {
		q = q.Where(alarmrule.Or(alarmrule.NameLT(b.Name), alarmrule.And(alarmrule.Name(b.Name), alarmrule.IDLT(b.ID))))
	}
	order := []alarmrule.OrderOption{ent.Asc(alarmrule.FieldName, alarmrule.FieldID)}
	if back {
		order = []alarmrule.OrderOption{ent.Desc(alarmrule.FieldName, alarmrule.FieldID)}
	}
	found, err := q.Order(order...).Limit(n + 1).All(ctx)
	if err != nil {
		return nil, asFault("list rules", err)
	}
	more := len(found) > n
	page := &RulePage{Rules: found[:min(n, len(found))], HasNext: more, HasPrev: p.After != nil}
	if back {
		slices.Reverse(page.Rules)
		page.HasPrev, page.HasNext = more, p.Before != nil
	}
	return page, nil
}

// Count returns the number of rules that match.
func (s *RuleService) Count(ctx context.Context, f RuleFilter) (int, error) {
	if err := may(ctx, tenancy.RulesRead); err != nil {
		return 0, err
	}
	n, err := s.client.AlarmRule.Query().Where(f.predicates()...).Count(ctx)
	return n, asFault("count rules", err)
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
