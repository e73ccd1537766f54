package resolver

import (
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"

	"foresight/ent/enum"
	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/plant"
)

// replace sets what the input names; a null becomes the zero value, which the service
// refuses where there must be one.
func replace[T any](in graphql.Omittable[*T], target *T) {
	if !in.IsSet() {
		return
	}
	var zero T
	if v := in.Value(); v != nil {
		zero = *v
	}
	*target = zero
}

func newSite(in model.CreateSiteInput) plant.SiteSpec {
	return plant.SiteSpec{Code: in.Code, Name: in.Name, Location: text(in.Location.Value()), Latitude: in.Latitude.Value(),
		Longitude: in.Longitude.Value(), TimeZone: in.TimeZone.Value(), IsActive: in.IsActive}
}

func siteChange(in model.UpdateSiteInput) func(*plant.SiteSpec) {
	return func(s *plant.SiteSpec) {
		replace(in.Name, &s.Name)
		replace(in.Location, &s.Location)
		clearable(in.Latitude, &s.Latitude)
		clearable(in.Longitude, &s.Longitude)
		clearable(in.TimeZone, &s.TimeZone)
		set(in.IsActive, &s.IsActive)
	}
}

func newGateway(in model.CreateGatewayInput) plant.GatewaySpec {
	return plant.GatewaySpec{Site: in.SiteID, Code: in.Code, IPAddress: in.IPAddress.Value(), FirmwareVersion: in.FirmwareVersion.Value(), IsActive: in.IsActive}
}

func gatewayChange(in model.UpdateGatewayInput) func(*plant.GatewaySpec) {
	return func(s *plant.GatewaySpec) {
		replace(in.SiteID, &s.Site)
		clearable(in.IPAddress, &s.IPAddress)
		clearable(in.FirmwareVersion, &s.FirmwareVersion)
		set(in.IsActive, &s.IsActive)
	}
}

func newAsset(in model.CreateAssetInput) plant.AssetSpec {
	return plant.AssetSpec{
		Site: in.SiteID, Gateway: in.GatewayID.Value(), Parent: in.ParentID.Value(), Code: in.Code, Name: in.Name, Type: in.Type,
		Criticality: in.Criticality, Manufacturer: in.Manufacturer.Value(), Model: in.Model.Value(), SerialNumber: in.SerialNumber.Value(),
		InstalledOn: in.InstalledOn.Value(), Location: in.Location.Value(), RatedPowerKW: in.RatedPowerKw.Value(),
		ISOMachineGroup: machineGroupNumber(in.IsoMachineGroup.Value()), ISOSupportType: in.IsoSupportType.Value(),
		ReplacementCost: in.ReplacementCost.Value(), DowntimeCostPerHour: in.DowntimeCostPerHour.Value(),
		ExternalRef: in.ExternalRef.Value(), IsActive: in.IsActive,
	}
}

func assetChange(in model.UpdateAssetInput) func(*plant.AssetSpec) {
	return func(s *plant.AssetSpec) {
		replace(in.SiteID, &s.Site)
		clearable(in.GatewayID, &s.Gateway)
		clearable(in.ParentID, &s.Parent)
		replace(in.Name, &s.Name)
		replace(in.Type, &s.Type)
		replace(in.Criticality, &s.Criticality)
		clearable(in.Manufacturer, &s.Manufacturer)
		clearable(in.Model, &s.Model)
		clearable(in.SerialNumber, &s.SerialNumber)
		clearable(in.InstalledOn, &s.InstalledOn)
		clearable(in.Location, &s.Location)
		clearable(in.RatedPowerKw, &s.RatedPowerKW)
		if in.IsoMachineGroup.IsSet() {
			s.ISOMachineGroup = machineGroupNumber(in.IsoMachineGroup.Value())
		}
		clearable(in.IsoSupportType, &s.ISOSupportType)
		clearable(in.ReplacementCost, &s.ReplacementCost)
		clearable(in.DowntimeCostPerHour, &s.DowntimeCostPerHour)
		clearable(in.ExternalRef, &s.ExternalRef)
		set(in.IsActive, &s.IsActive)
	}
}

func newSensor(in model.CreateSensorInput) (plant.SensorSpec, error) {
	c, err := calibrationOf(in.Calibration.Value())
	return plant.SensorSpec{
		Asset: in.AssetID, Gateway: in.GatewayID.Value(), Code: in.Code, Type: enum.SensorType(in.Type), MountLocation: in.MountLocation.Value(),
		MQTTTopic: in.MqttTopic.Value(), PositionX: in.PositionX, PositionY: in.PositionY, InstalledOn: in.InstalledOn.Value(),
		Calibration: c, ExpectedIntervalSec: in.ExpectedIntervalSec.Value(), IsActive: in.IsActive,
	}, err
}

func sensorChange(in model.UpdateSensorInput) (func(*plant.SensorSpec), error) {
	c, err := calibrationOf(in.Calibration.Value())
	return func(s *plant.SensorSpec) {
		replace(in.AssetID, &s.Asset)
		clearable(in.GatewayID, &s.Gateway)
		if in.Type.IsSet() {
			s.Type = enum.SensorType(text(in.Type.Value()))
		}
		clearable(in.MountLocation, &s.MountLocation)
		clearable(in.MqttTopic, &s.MQTTTopic)
		set(in.PositionX, &s.PositionX)
		set(in.PositionY, &s.PositionY)
		clearable(in.InstalledOn, &s.InstalledOn)
		if in.Calibration.IsSet() {
			s.Calibration = c
		}
		clearable(in.ExpectedIntervalSec, &s.ExpectedIntervalSec)
		set(in.IsActive, &s.IsActive)
	}, err
}

// calibrationOf reads a JSON object; null is an empty one.
func calibrationOf(given *string) (map[string]any, error) {
	if given == nil {
		return nil, nil
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(*given), &v); err != nil || v == nil {
		return nil, fault.Invalid("input.calibration", "error.sensor.calibration").Because(err)
	}
	return v, nil
}

func newParameter(in model.CreateParameterInput) plant.ParameterSpec {
	return plant.ParameterSpec{Name: in.Name, Unit: in.Unit, MinPlausible: in.MinPlausible.Value(), MaxPlausible: in.MaxPlausible.Value(),
		HigherIsWorse: in.HigherIsWorse, IsActive: in.IsActive}
}

func parameterChange(in model.UpdateParameterInput) func(*plant.ParameterSpec) {
	return func(s *plant.ParameterSpec) {
		set(in.Unit, &s.Unit)
		clearable(in.MinPlausible, &s.MinPlausible)
		clearable(in.MaxPlausible, &s.MaxPlausible)
		set(in.HigherIsWorse, &s.HigherIsWorse)
		set(in.IsActive, &s.IsActive)
	}
}
