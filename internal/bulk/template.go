package bulk

import (
	"bytes"
	"encoding/csv"
)

// examples are rows of a template, by column.
var examples = []map[string]string{
	{"kind": "site", "code": "north", "name": "North works", "location": "Harbour road 1", "latitude": "53.55", "longitude": "9.99", "time_zone": "Europe/Berlin"},
	{"kind": "gateway", "code": "gw-north", "site": "north", "ip_address": "10.0.0.5", "firmware_version": "2.1.0"},
	{"kind": "asset", "code": "feed-set-1", "name": "Feed pump set 1", "site": "north", "gateway": "gw-north", "type": "pump_set", "criticality": "high", "location": "Hall 2"},
	{"kind": "asset", "code": "feed-pump-1", "name": "Feed pump 1", "site": "north", "gateway": "gw-north", "parent": "feed-set-1", "type": "pump",
		"criticality": "critical", "location": "Hall 2", "manufacturer": "Example Pumps", "model": "EP 200", "serial_number": "4711",
		"installed_on": "2024-03-01", "rated_power_kw": "75", "iso_machine_group": "2", "iso_support_type": "rigid", "replacement_cost": "18000",
		"downtime_cost_per_hour": "950", "external_ref": "sap:10004711"},
	{"kind": "sensor", "code": "feed-pump-1-a", "asset": "feed-pump-1", "gateway": "gw-north", "type": "machine", "installed_on": "2024-03-01",
		"mount_location": "drive end", "position_x": "40", "position_y": "55", "expected_interval_sec": "60"},
}

// Template is a file to fill in: the heading, and a row of each kind as an example. It
// begins with a byte order mark, by which spreadsheets know UTF-8.
func Template() []byte {
	var b bytes.Buffer
	b.WriteString(mark)
	w := csv.NewWriter(&b)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	_ = w.Write(row) // a buffer takes everything
	for _, e := range examples {
		for i, c := range columns {
			row[i] = e[c.name]
		}
		_ = w.Write(row)
	}
	w.Flush()
	return b.Bytes()
}
