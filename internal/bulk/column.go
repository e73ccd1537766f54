package bulk

import "slices"

// Kind is what a row of the file of a plant is about.
type Kind string

// The kinds of rows, in the order in which they are written: what stands further down
// may refer to what stands above.
const (
	Site    Kind = "site"
	Gateway Kind = "gateway"
	Asset   Kind = "asset"
	Sensor  Kind = "sensor"
)

var kinds = []Kind{Site, Gateway, Asset, Sensor}

// entity is the kind as the graph writes it.
func (k Kind) entity() string {
	return map[Kind]string{Site: "Site", Gateway: "Gateway", Asset: "Asset", Sensor: "Sensor"}[k]
}

// column is a column of the file.
type column struct {
	name string
	// fields are the fields of the graph's inputs that it fills, by the kinds of rows
	// that have it.
	fields map[Kind]string
}

func ofAll(field string) map[Kind]string {
	return map[Kind]string{Site: field, Gateway: field, Asset: field, Sensor: field}
}

// columns of the file, in the order of templates and exports.
var columns = []column{
	{"kind", ofAll("kind")},
	{"code", ofAll("code")},
	{"name", map[Kind]string{Site: "name", Asset: "name"}},
	{"site", map[Kind]string{Gateway: "siteId", Asset: "siteId"}},
	{"gateway", map[Kind]string{Asset: "gatewayId", Sensor: "gatewayId"}},
	{"parent", map[Kind]string{Asset: "parentId"}},
	{"asset", map[Kind]string{Sensor: "assetId"}},
	{"type", map[Kind]string{Asset: "type", Sensor: "type"}},
	{"criticality", map[Kind]string{Asset: "criticality"}},
	{"location", map[Kind]string{Site: "location", Asset: "location"}},
	{"latitude", map[Kind]string{Site: "latitude"}},
	{"longitude", map[Kind]string{Site: "longitude"}},
	{"time_zone", map[Kind]string{Site: "timeZone"}},
	{"ip_address", map[Kind]string{Gateway: "ipAddress"}},
	{"firmware_version", map[Kind]string{Gateway: "firmwareVersion"}},
	{"manufacturer", map[Kind]string{Asset: "manufacturer"}},
	{"model", map[Kind]string{Asset: "model"}},
	{"serial_number", map[Kind]string{Asset: "serialNumber"}},
	{"installed_on", map[Kind]string{Asset: "installedOn", Sensor: "installedOn"}},
	{"rated_power_kw", map[Kind]string{Asset: "ratedPowerKw"}},
	{"iso_machine_group", map[Kind]string{Asset: "isoMachineGroup"}},
	{"iso_support_type", map[Kind]string{Asset: "isoSupportType"}},
	{"replacement_cost", map[Kind]string{Asset: "replacementCost"}},
	{"downtime_cost_per_hour", map[Kind]string{Asset: "downtimeCostPerHour"}},
	{"external_ref", map[Kind]string{Asset: "externalRef"}},
	{"mount_location", map[Kind]string{Sensor: "mountLocation"}},
	{"mqtt_topic", map[Kind]string{Sensor: "mqttTopic"}},
	{"position_x", map[Kind]string{Sensor: "positionX"}},
	{"position_y", map[Kind]string{Sensor: "positionY"}},
	{"expected_interval_sec", map[Kind]string{Sensor: "expectedIntervalSec"}},
	{"active", ofAll("isActive")},
}

func columnIndex(name string) int {
	return slices.IndexFunc(columns, func(c column) bool { return c.name == name })
}

// columnOf is the column that fills a field of the kind's input, "" for none.
func columnOf(k Kind, field string) string {
	for _, c := range columns {
		if c.fields[k] == field {
			return c.name
		}
	}
	return ""
}
