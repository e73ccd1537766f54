package alarms

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"foresight/ent"
	"foresight/ent/alarmrule"
	"foresight/ent/mixin"
	"foresight/ent/privacy"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/tenancy"
)

// RuleService edits the rules of the tenant of the context's actor. The workers
// learn of a change by its change notice. What is wrong with an input is a
// fault.List with the fields of the graph's inputs. It is safe for concurrent use.
type RuleService struct{ client *ent.Client }

// NewRuleService returns a service on the ORM. Give it the client of a transaction
// to make its work part of that.
func NewRuleService(c *ent.Client) *RuleService { return &RuleService{c} }

// Create adds a rule.
func (s *RuleService) Create(ctx context.Context, spec RuleSpec) (*ent.AlarmRule, error) {
	if err := tenancy.Require(ctx, tenancy.RulesWrite); err != nil {
		return nil, err
	}
	if err := s.validate(ctx, &spec); err != nil {
		return nil, err
	}
	create := s.client.AlarmRule.Create()
	spec.write(create.Mutation())
	r, err := create.Save(ctx)
	return r, asFault("create rule", err)
}

// Update lets change alter what is set of a rule. expectedVersion is the version
// that the change is based on; another one stored is fault.Stale.
func (s *RuleService) Update(ctx context.Context, ruleID id.UUID, expectedVersion int, change func(*RuleSpec)) (*ent.AlarmRule, error) {
	if err := tenancy.Require(ctx, tenancy.RulesWrite); err != nil {
		return nil, err
	}
	old, err := s.get(ctx, ruleID)
	if err != nil {
		return nil, err
	}
	if old.Version != expectedVersion {
		return nil, fault.Stale("AlarmRule")
	}
	spec := SpecOf(old)
	change(&spec)
	if err := s.validate(ctx, &spec); err != nil {
		return nil, err
	}
	update := s.client.AlarmRule.Update().Where(alarmrule.ID(ruleID), alarmrule.Version(expectedVersion))
	spec.write(update.Mutation())
	switch n, err := update.Save(ctx); {
	case err != nil:
		return nil, asFault("update rule", err)
	case n == 0:
		return nil, s.missed(ctx, ruleID)
	}
	return s.get(ctx, ruleID)
}

// missed says why an update met no row although it was there a moment ago: another
// was quicker, or the actor, limited to sites, may see but not change it.
func (s *RuleService) missed(ctx context.Context, ruleID id.UUID) error {
	now, err := s.get(ctx, ruleID)
	if err != nil {
		return err
	}
	if len(tenancy.Must(ctx).SiteIDs) > 0 && now.SiteID == nil && now.AssetID == nil && now.SensorID == nil {
		return fault.Denied(string(tenancy.RulesWrite))
	}
	return fault.Stale("AlarmRule")
}

// Delete takes a rule out of use and sight; Restore undoes it. Its active alarms stay
// until people close them. It returns the rule as it was deleted.
func (s *RuleService) Delete(ctx context.Context, ruleID id.UUID) (*ent.AlarmRule, error) {
	if err := tenancy.Require(ctx, tenancy.RulesWrite); err != nil {
		return nil, err
	}
	switch n, err := s.client.AlarmRule.Delete().Where(alarmrule.ID(ruleID)).Exec(ctx); {
	case err != nil:
		return nil, asFault("delete rule", err)
	case n == 0:
		return nil, s.missed(ctx, ruleID)
	}
	return s.get(mixin.WithDeleted(ctx), ruleID)
}

// Restore undoes a deletion. A rule that is not deleted is returned as it is. What
// the rule is limited to must be there again, too.
func (s *RuleService) Restore(ctx context.Context, ruleID id.UUID) (*ent.AlarmRule, error) {
	if err := tenancy.Require(ctx, tenancy.RulesWrite); err != nil {
		return nil, err
	}
	deleted := mixin.WithDeleted(ctx)
	r, err := s.get(deleted, ruleID)
	if err != nil || !r.IsDeleted {
		return r, err
	}
	spec := SpecOf(r)
	if err := s.scopeExists(ctx, &spec); err != nil {
		return nil, err
	}
	n, err := s.client.AlarmRule.Update().Where(alarmrule.ID(ruleID)).
		SetIsDeleted(false).ClearDeletedAt().ClearDeletedBy().Save(deleted)
	if err != nil {
		return nil, asFault("restore rule", err)
	}
	if n == 0 {
		return nil, s.missed(deleted, ruleID)
	}
	return s.get(ctx, ruleID)
}

// Get returns a rule.
func (s *RuleService) Get(ctx context.Context, ruleID id.UUID) (*ent.AlarmRule, error) {
	if err := tenancy.Require(ctx, tenancy.RulesRead); err != nil {
		return nil, err
	}
	return s.get(ctx, ruleID)
}

// ByID returns those rules among the ids that the actor may see, deleted ones too:
// an alarm still names its rule.
func (s *RuleService) ByID(ctx context.Context, ids []id.UUID) ([]*ent.AlarmRule, error) {
	if err := tenancy.Require(ctx, tenancy.RulesRead); err != nil {
		return nil, err
	}
	found, err := s.client.AlarmRule.Query().Where(alarmrule.IDIn(ids...)).All(mixin.WithDeleted(ctx))
	return found, asFault("read rules", err)
}

// Draft returns a rule that is not stored, for a Trial, after it was judged as Create
// judges it.
func (s *RuleService) Draft(ctx context.Context, spec RuleSpec) (*rules.Rule, error) {
	if err := tenancy.Require(ctx, tenancy.RulesRead); err != nil {
		return nil, err
	}
	if err := s.validate(ctx, &spec); err != nil {
		return nil, err
	}
	r := spec.rule()
	r.ID, r.Tenant, r.Name = id.New(id.AlarmRule), tenancy.Must(ctx).TenantID, strings.TrimSpace(r.Name)
	return r, nil
}

// Judging returns the rules of the ids as the recorder judges by them, in use or not;
// one that is deleted, or that the actor does not see, is missing. For no ids it returns
// those of the tenant that are in use and that the actor sees.
func (s *RuleService) Judging(ctx context.Context, ids []id.UUID) ([]*rules.Rule, error) {
	if err := tenancy.Require(ctx, tenancy.RulesRead); err != nil {
		return nil, err
	}
	which := alarmrule.IsActive(true)
	if len(ids) > 0 {
		which = alarmrule.IDIn(ids...)
	}
	found, err := s.client.AlarmRule.Query().Where(which).Order(alarmrule.ByID()).All(ctx)
	if err != nil {
		return nil, asFault("read rules", err)
	}
	out := make([]*rules.Rule, len(found))
	for i, r := range found {
		spec := SpecOf(r)
		out[i] = spec.rule()
		out[i].ID, out[i].Tenant, out[i].Version, out[i].Latching = r.ID, r.TenantID, r.Version, r.Latching
	}
	return out, nil
}

func (s *RuleService) get(ctx context.Context, ruleID id.UUID) (*ent.AlarmRule, error) {
	r, err := s.client.AlarmRule.Query().Where(alarmrule.ID(ruleID)).Only(ctx)
	return r, asFault("read rule", err)
}

// asFault turns the ORM's refusals into what people may see.
func asFault(what string, err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ent.IsNotFound(err):
		return fault.Missing("AlarmRule")
	case errors.Is(err, privacy.Deny):
		return fault.Denied(string(tenancy.RulesWrite)).Because(err)
	}
	return fmt.Errorf("alarms: %s: %w", what, err)
}
