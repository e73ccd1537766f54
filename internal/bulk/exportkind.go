package bulk

import "foresight/internal/tenancy"

// ExportKind is what an export holds.
type ExportKind string

// The kinds of exports.
const (
	ExportSites    ExportKind = "sites"
	ExportGateways ExportKind = "gateways"
	ExportAssets   ExportKind = "assets"
	ExportSensors  ExportKind = "sensors"
	ExportAlarms   ExportKind = "alarms"
	ExportRules    ExportKind = "rules"
	ExportReadings ExportKind = "readings"
)

var exportKinds = []ExportKind{ExportSites, ExportGateways, ExportAssets, ExportSensors, ExportAlarms, ExportRules, ExportReadings}

// permission is what reading the kind needs, besides the plant whose codes stand in it.
func (k ExportKind) permission() tenancy.Permission {
	switch k {
	case ExportAlarms:
		return tenancy.AlarmsRead
	case ExportRules:
		return tenancy.RulesRead
	case ExportReadings:
		return tenancy.TelemetryRead
	}
	return tenancy.PlantRead
}

// inTime reports whether the kind has a time to choose by.
func (k ExportKind) inTime() bool { return k == ExportAlarms || k == ExportReadings }

// source is how a kind is read from the database. The parameters of the query are the
// tenant, the sites (empty: all), the asset (null: all), and from and to (null: unbounded).
type source struct {
	names []string // of the columns
	query string
}

// plantSource writes what an import reads: each column of the file by its expression.
func plantSource(k Kind, from, order string, expressions map[string]string) source {
	s := source{}
	list := ""
	for _, c := range columns {
		if c.fields[k] == "" {
			continue
		}
		if list != "" {
			list += ", "
		}
		list += expressions[c.name]
		s.names = append(s.names, c.name)
	}
	s.query = "SELECT " + list + " FROM " + from + " ORDER BY " + order
	return s
}

// unused keeps parameters that a query has no use for: the server wants all of them.
const unused = " AND ($3::uuid IS NULL OR TRUE) AND ($4::timestamptz IS NULL OR TRUE) AND ($5::timestamptz IS NULL OR TRUE)"

const unusedTimes = " AND ($4::timestamptz IS NULL OR TRUE) AND ($5::timestamptz IS NULL OR TRUE)"

var sources = map[ExportKind]source{
	ExportSites: plantSource(Site,
		`sites s WHERE s.tenant_id = $1 AND NOT s.is_deleted AND (cardinality($2::uuid[]) = 0 OR s.id = ANY ($2))`+unused, "s.site_code, s.id",
		map[string]string{"kind": "'site'", "code": "s.site_code", "name": "s.name", "location": "s.location", "latitude": "s.latitude",
			"longitude": "s.longitude", "time_zone": "s.time_zone", "active": "s.is_active"}),
	ExportGateways: plantSource(Gateway,
		`gateways g JOIN sites s ON s.tenant_id = g.tenant_id AND s.id = g.site_id
		WHERE g.tenant_id = $1 AND NOT g.is_deleted AND (cardinality($2::uuid[]) = 0 OR g.site_id = ANY ($2))`+unused, "g.gateway_code, g.id",
		map[string]string{"kind": "'gateway'", "code": "g.gateway_code", "site": "s.site_code", "ip_address": "g.ip_address",
			"firmware_version": "g.firmware_version", "active": "g.is_active"}),
	ExportAssets: plantSource(Asset,
		`assets a JOIN sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
		LEFT JOIN gateways g ON g.tenant_id = a.tenant_id AND g.id = a.gateway_id AND NOT g.is_deleted
		LEFT JOIN assets p ON p.tenant_id = a.tenant_id AND p.id = a.parent_id AND NOT p.is_deleted
			AND (cardinality($2::uuid[]) = 0 OR p.site_id = ANY ($2))
		WHERE a.tenant_id = $1 AND NOT a.is_deleted AND (cardinality($2::uuid[]) = 0 OR a.site_id = ANY ($2))
			AND ($3::uuid IS NULL OR a.id = $3)`+unusedTimes, "a.asset_code, a.id",
		map[string]string{"kind": "'asset'", "code": "a.asset_code", "name": "a.name", "site": "s.site_code", "gateway": "g.gateway_code",
			"parent": "p.asset_code", "type": "a.asset_type", "criticality": "a.criticality", "location": "a.location",
			"manufacturer": "a.manufacturer", "model": "a.model", "serial_number": "a.serial_number", "installed_on": "a.installed_on::text",
			"rated_power_kw": "a.rated_power_kw", "iso_machine_group": "a.iso_machine_group", "iso_support_type": "a.iso_support_type",
			"replacement_cost": "a.replacement_cost", "downtime_cost_per_hour": "a.downtime_cost_per_hour", "external_ref": "a.external_ref",
			"active": "a.is_active"}),
	ExportSensors: plantSource(Sensor,
		`sensors n JOIN assets a ON a.tenant_id = n.tenant_id AND a.id = n.asset_id
		LEFT JOIN gateways g ON g.tenant_id = n.tenant_id AND g.id = n.gateway_id AND NOT g.is_deleted
		WHERE n.tenant_id = $1 AND NOT n.is_deleted AND (cardinality($2::uuid[]) = 0 OR a.site_id = ANY ($2))
			AND ($3::uuid IS NULL OR a.id = $3)`+unusedTimes, "n.sensor_code, n.id",
		map[string]string{"kind": "'sensor'", "code": "n.sensor_code", "gateway": "g.gateway_code", "asset": "a.asset_code", "type": "n.sensor_type",
			"installed_on": "n.installation_date::text", "mount_location": "n.mount_location", "mqtt_topic": "n.mqtt_topic",
			"position_x": "n.position_x", "position_y": "n.position_y", "expected_interval_sec": "n.expected_interval_sec", "active": "n.is_active"}),
	ExportAlarms: {
		names: []string{"id", "site", "asset", "sensor", "rule", "fault_code", "severity", "status", "triggered_value", "triggered_at",
			"last_triggered_at", "occurrences", "cleared_at", "acknowledged_at", "resolved_at", "correction_plan"},
		query: `SELECT e.id, s.site_code, a.asset_code, n.sensor_code, r.name, e.fault_code, e.severity, e.status, e.triggered_value, e.triggered_at,
				e.last_triggered_at, e.occurrences, e.cleared_at, e.acknowledged_at, e.resolved_at, e.correction_plan
			FROM alarm_events e JOIN sites s ON s.tenant_id = e.tenant_id AND s.id = e.site_id
			JOIN assets a ON a.tenant_id = e.tenant_id AND a.id = e.asset_id
			JOIN alarm_rules r ON r.tenant_id = e.tenant_id AND r.id = e.rule_id
			LEFT JOIN sensors n ON n.tenant_id = e.tenant_id AND n.id = e.sensor_id
			WHERE e.tenant_id = $1 AND (cardinality($2::uuid[]) = 0 OR e.site_id = ANY ($2)) AND ($3::uuid IS NULL OR e.asset_id = $3)
				AND ($4::timestamptz IS NULL OR e.triggered_at >= $4) AND ($5::timestamptz IS NULL OR e.triggered_at < $5)
			ORDER BY e.triggered_at, e.id`},
	ExportRules: {
		names: []string{"id", "name", "site", "asset_type", "asset", "sensor", "parameter", "operator", "threshold", "fault_codes", "severity",
			"deadband", "on_delay_sec", "off_delay_sec", "min_consecutive", "active"},
		// Rules of the whole tenant are everybody's; of others, those within the sites.
		query: `SELECT r.id, r.name, s.site_code, r.asset_type, a.asset_code, n.sensor_code, r.parameter, r.operator, r.threshold,
				(SELECT string_agg(f, ' ' ORDER BY f) FROM jsonb_array_elements_text(r.fault_codes) f), r.severity,
				r.deadband, r.on_delay_sec, r.off_delay_sec, r.min_consecutive, r.is_active
			FROM alarm_rules r LEFT JOIN sites s ON s.tenant_id = r.tenant_id AND s.id = r.site_id
			LEFT JOIN assets a ON a.tenant_id = r.tenant_id AND a.id = r.asset_id
			LEFT JOIN sensors n ON n.tenant_id = r.tenant_id AND n.id = r.sensor_id
			LEFT JOIN assets na ON na.tenant_id = n.tenant_id AND na.id = n.asset_id
			WHERE r.tenant_id = $1 AND NOT r.is_deleted AND (cardinality($2::uuid[]) = 0 OR
					(r.site_id IS NULL OR r.site_id = ANY ($2)) AND (r.asset_id IS NULL OR a.site_id = ANY ($2)) AND (r.sensor_id IS NULL OR na.site_id = ANY ($2)))
				AND ($3::uuid IS NULL OR r.asset_id = $3 OR n.asset_id = $3)` + unusedTimes + `
			ORDER BY r.name, r.id`},
}
