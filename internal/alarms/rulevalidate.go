package alarms

import (
	"context"
	"fmt"

	"foresight/ent/asset"
	"foresight/ent/enum"
	"foresight/ent/faulttype"
	"foresight/ent/parameter"
	"foresight/ent/sensor"
	"foresight/ent/site"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/rules"
)

// validate returns everything that is wrong with the spec as a fault.List.
func (s *RuleService) validate(ctx context.Context, spec *RuleSpec) error {
	c, err := s.catalogue(ctx)
	if err != nil {
		return err
	}
	list := rules.Validate(spec.rule(), c)
	missing, err := s.missing(ctx, spec)
	if err != nil {
		return err
	}
	return append(list, missing...).Err()
}

// catalogue is what the tenant's rules may speak of: built-in and own.
func (s *RuleService) catalogue(ctx context.Context) (*rules.Catalogue, error) {
	parameters, err := s.client.Parameter.Query().Select(parameter.FieldName).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("alarms: read parameters: %w", err)
	}
	codes, err := s.client.FaultType.Query().Select(faulttype.FieldCode).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("alarms: read fault types: %w", err)
	}
	return &rules.Catalogue{Parameters: set(parameters), FaultCodes: set(codes), AssetTypes: set(enum.AssetType("").Values())}, nil
}

func (s *RuleService) scopeExists(ctx context.Context, spec *RuleSpec) error {
	missing, err := s.missing(ctx, spec)
	if err != nil {
		return err
	}
	return missing.Err()
}

// missing blames the ids that the actor cannot see.
func (s *RuleService) missing(ctx context.Context, spec *RuleSpec) (list fault.List, err error) {
	for _, ref := range []struct {
		entity, field string
		id            *id.UUID
		exists        func(id.UUID) (bool, error)
	}{
		{"Site", "input.siteId", spec.SiteID, func(u id.UUID) (bool, error) { return s.client.Site.Query().Where(site.ID(u)).Exist(ctx) }},
		{"Asset", "input.assetId", spec.AssetID, func(u id.UUID) (bool, error) { return s.client.Asset.Query().Where(asset.ID(u)).Exist(ctx) }},
		{"Sensor", "input.sensorId", spec.SensorID, func(u id.UUID) (bool, error) { return s.client.Sensor.Query().Where(sensor.ID(u)).Exist(ctx) }},
	} {
		if ref.id == nil {
			continue
		}
		switch ok, err := ref.exists(*ref.id); {
		case err != nil:
			return nil, fmt.Errorf("alarms: look for %s: %w", ref.entity, err)
		case !ok:
			e := fault.Missing(ref.entity)
			e.Field = ref.field
			list = append(list, e)
		}
	}
	return list, nil
}

func set(names []string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, n := range names {
		out[n] = true
	}
	return out
}
