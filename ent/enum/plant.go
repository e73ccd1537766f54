package enum

import "foresight/internal/telemetry"

// AssetType is the sort of a machine.
type AssetType string

// The types of assets.
const (
	AssetMotor      AssetType = "motor"
	AssetPump       AssetType = "pump"
	AssetPumpSet    AssetType = "pump_set" // parent of a motor and a pump
	AssetCompressor AssetType = "compressor"
	AssetFan        AssetType = "fan"
	AssetBlower     AssetType = "blower"
	AssetGearbox    AssetType = "gearbox"
	AssetTurbine    AssetType = "turbine"
	AssetGenerator  AssetType = "generator"
	AssetConveyor   AssetType = "conveyor"
	AssetMixer      AssetType = "mixer"
	AssetOther      AssetType = "other"
)

// Values lists the types.
func (AssetType) Values() []string {
	return list(AssetMotor, AssetPump, AssetPumpSet, AssetCompressor, AssetFan, AssetBlower,
		AssetGearbox, AssetTurbine, AssetGenerator, AssetConveyor, AssetMixer, AssetOther)
}

// Criticality says how much a plant depends on an asset, rising from low to critical.
type Criticality string

// The criticalities.
const (
	CriticalityLow      Criticality = "low"
	CriticalityMedium   Criticality = "medium"
	CriticalityHigh     Criticality = "high"
	CriticalityCritical Criticality = "critical"
)

// Values lists the criticalities, rising.
func (Criticality) Values() []string {
	return list(CriticalityLow, CriticalityMedium, CriticalityHigh, CriticalityCritical)
}

// SupportType is how a machine stands, which decides its ISO 20816-3 zone limits.
type SupportType string

// The support types.
const (
	SupportRigid    SupportType = "rigid"
	SupportFlexible SupportType = "flexible"
)

// Values lists the support types.
func (SupportType) Values() []string { return list(SupportRigid, SupportFlexible) }

// SensorType is what a sensor measures.
type SensorType string

// The types of sensors.
const (
	SensorMachine     SensorType = "machine" // all 24 machine channels
	SensorVibration   SensorType = "vibration"
	SensorUltrasonic  SensorType = "ultrasonic"
	SensorTemperature SensorType = "temperature"
	SensorPressure    SensorType = "pressure"
	SensorFlow        SensorType = "flow"
	SensorCurrent     SensorType = "current"
	SensorSpeed       SensorType = "speed"
	SensorHumidity    SensorType = "humidity"
	SensorProcess     SensorType = "process" // several process parameters
	SensorOther       SensorType = "other"
)

// Values lists the types.
func (SensorType) Values() []string {
	return list(SensorMachine, SensorVibration, SensorUltrasonic, SensorTemperature, SensorPressure,
		SensorFlow, SensorCurrent, SensorSpeed, SensorHumidity, SensorProcess, SensorOther)
}

// FaultFamily groups fault types by the part that fails: the families of the
// classifier's classes, and one for what a tenant adds.
type FaultFamily string

// The families of faults.
const (
	FamilyHealthy         FaultFamily = FaultFamily(telemetry.Healthy)
	FamilyBearing         FaultFamily = FaultFamily(telemetry.Bearing)
	FamilyRotorShaft      FaultFamily = FaultFamily(telemetry.Rotor)
	FamilyElectrical      FaultFamily = FaultFamily(telemetry.Electrical)
	FamilyPumpHydraulic   FaultFamily = FaultFamily(telemetry.Hydraulic)
	FamilyInstrumentation FaultFamily = FaultFamily(telemetry.Instrumentation)
	FamilyOther           FaultFamily = "other" // of a tenant's own types only
)

// Values lists the families.
func (FaultFamily) Values() []string {
	return list(FamilyHealthy, FamilyBearing, FamilyRotorShaft, FamilyElectrical,
		FamilyPumpHydraulic, FamilyInstrumentation, FamilyOther)
}

// ModelType is the task of a model.
type ModelType string

// The types of models.
const (
	ModelFaultClassification ModelType = "fault_classification"
	ModelFailurePrediction   ModelType = "failure_prediction"
	ModelRUL                 ModelType = "rul" // remaining useful life
)

// Values lists the types.
func (ModelType) Values() []string {
	return list(ModelFaultClassification, ModelFailurePrediction, ModelRUL)
}

// ModelStage is where a model version stands in its life.
type ModelStage string

// The stages.
const (
	StageStaging    ModelStage = "staging"
	StageCanary     ModelStage = "canary"
	StageProduction ModelStage = "production"
	StageArchived   ModelStage = "archived"
)

// Values lists the stages.
func (ModelStage) Values() []string {
	return list(StageStaging, StageCanary, StageProduction, StageArchived)
}
