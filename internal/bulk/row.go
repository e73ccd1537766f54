package bulk

import (
	"slices"
	"strings"

	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant"
)

// row is a row of the file as what it is about.
type row struct {
	number int
	kind   Kind
	code   string
	id     id.UUID   // that it will have
	refs   []ref     // what it refers to
	wrong  []Mistake // any: it is rejected
	skip   bool      // it is there already, and that is well

	// One of these, by kind.
	site    plant.SiteSpec
	gateway plant.GatewaySpec
	asset   plant.AssetSpec
	sensor  plant.SensorSpec
}

// ref is a reference by code.
type ref struct {
	column string
	kind   Kind
	code   string
	set    func(id.UUID)
}

func (r *row) bad(column string, f *fault.Error) {
	r.wrong = append(r.wrong, mistake(r.number, column, f))
}

// blames reports whether something is wrong with the cell already.
func (r *row) blames(column string) bool {
	return slices.ContainsFunc(r.wrong, func(m Mistake) bool { return m.Column == column })
}

// parse reads the row of a line.
func parse(l line, separator rune) *row {
	c := &cells{line: l, decimalComma: separator != ','}
	r := &row{number: l.number, kind: Kind(strings.ToLower(c.text("kind"))), code: c.code("code")}
	if !slices.Contains(kinds, r.kind) {
		c.bad("kind", fault.New(fault.BadInput, "error.import.kind"))
		r.wrong = c.wrong
		return r
	}
	for i, cell := range l.cells {
		if _, has := columns[i].fields[r.kind]; cell != "" && !has {
			c.bad(columns[i].name, fault.New(fault.BadInput, "error.import.notOfKind").With("Kind", string(r.kind)))
		}
	}
	switch r.kind {
	case Site:
		r.id = id.New(id.Site)
		r.site = plant.SiteSpec{Code: r.code, Name: c.text("name"), Location: c.text("location"), Latitude: c.float("latitude"),
			Longitude: c.float("longitude"), TimeZone: c.orNil("time_zone"), IsActive: c.yes("active")}
	case Gateway:
		r.id = id.New(id.Gateway)
		r.gateway = plant.GatewaySpec{Code: r.code, IPAddress: c.orNil("ip_address"), FirmwareVersion: c.orNil("firmware_version"), IsActive: c.yes("active")}
		r.refers("site", Site, c, func(u id.UUID) { r.gateway.Site = u })
	case Asset:
		r.id = id.New(id.Asset)
		r.readAsset(c)
	case Sensor:
		r.id = id.New(id.Sensor)
		r.readSensor(c)
	}
	r.wrong = c.wrong
	return r
}

func (r *row) readAsset(c *cells) {
	r.asset = plant.AssetSpec{Code: r.code, Name: c.text("name"), Type: choice(c, "type", enum.AssetType("")),
		Criticality: choice(c, "criticality", enum.CriticalityMedium), Manufacturer: c.orNil("manufacturer"), Model: c.orNil("model"),
		SerialNumber: c.orNil("serial_number"), InstalledOn: c.date("installed_on"), Location: c.orNil("location"),
		RatedPowerKW: c.float("rated_power_kw"), ISOMachineGroup: c.whole("iso_machine_group"),
		ReplacementCost: c.float("replacement_cost"), DowntimeCostPerHour: c.float("downtime_cost_per_hour"),
		ExternalRef: c.orNil("external_ref"), IsActive: c.yes("active")}
	if n := r.asset.ISOMachineGroup; n != nil && *n != 1 && *n != 2 {
		c.bad("iso_machine_group", fault.New(fault.BadInput, "error.range").With("Min", 1).With("Max", 2))
	}
	if s := choice(c, "iso_support_type", enum.SupportType("")); s != "" {
		r.asset.ISOSupportType = &s
	}
	r.refers("site", Site, c, func(u id.UUID) { r.asset.Site = u })
	r.refers("gateway", Gateway, c, func(u id.UUID) { r.asset.Gateway = &u })
	r.refers("parent", Asset, c, func(u id.UUID) { r.asset.Parent = &u })
}

func (r *row) readSensor(c *cells) {
	r.sensor = plant.SensorSpec{Code: r.code, Type: choice(c, "type", enum.SensorMachine), MountLocation: c.orNil("mount_location"),
		MQTTTopic: c.orNil("mqtt_topic"), PositionX: 50, PositionY: 50, InstalledOn: c.date("installed_on"),
		ExpectedIntervalSec: c.whole("expected_interval_sec"), IsActive: c.yes("active")}
	for column, at := range map[string]*float64{"position_x": &r.sensor.PositionX, "position_y": &r.sensor.PositionY} {
		if v := c.float(column); v != nil {
			*at = *v
		}
	}
	r.refers("asset", Asset, c, func(u id.UUID) { r.sensor.Asset = u })
	r.refers("gateway", Gateway, c, func(u id.UUID) { r.sensor.Gateway = &u })
}

func (r *row) refers(column string, k Kind, c *cells, set func(id.UUID)) {
	if code := c.code(column); code != "" {
		r.refs = append(r.refs, ref{column, k, code, set})
	}
}
