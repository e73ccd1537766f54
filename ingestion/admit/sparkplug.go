package admit

import (
	"context"

	"foresight/ingestion/decode"
	"foresight/ingestion/decode/sparkplug"
	"foresight/ingestion/registry"
)

// Commander sends an MQTT message back to where a message came from. It does not wait
// for it to arrive.
type Commander interface {
	Command(topic string, payload []byte) error
}

// admitNode admits a message of Sparkplug B: the edge node is a gateway of the tenant by
// its code, the device a sensor by its code or by having the topic of its data as its
// own. The tenant is the credential's; for a connection that tenants share, it is the
// group's. Each reading of the message goes on in the product's own form, topic and
// payload, and is judged, named and replayed as such.
func (a *Admitter) admitNode(ctx context.Context, m Message) Ticket {
	topic, rejection := sparkplug.ParseTopic(m.Topic)
	if rejection == nil && topic.ByHost() {
		return Ticket{} // our own, or another host's
	}
	tenant, of := a.tenantOf(m.Credential, topic)
	if rejection == nil {
		rejection = of
	}
	var gateway *registry.Gateway
	if rejection == nil {
		gateway, rejection = gatewayOf(tenant, m.Credential, topic)
	}
	var payload *sparkplug.Payload
	if rejection == nil {
		payload, rejection = sparkplug.Decode(m.Payload, a.opt.Limits.MaxPayload)
	}
	if rejection != nil {
		return a.reject(m, tenant, rejection)
	}
	out := a.nodes.take(m, topic, gateway, payload, a.opt)
	if out.Rejection != nil {
		return a.reject(m, tenant, out.Rejection)
	}
	return a.admitValues(ctx, m, tenant, topic, out)
}

// tenantOf returns the tenant of a node's message, also beside a rejection that it may
// be told of.
func (a *Admitter) tenantOf(c Credential, topic sparkplug.Topic) (*registry.Tenant, *decode.Rejection) {
	s := a.opt.Snapshot()
	tenant, ok := s.Tenant(c.Tenant)
	if c.AnyTenant {
		if tenant, ok = s.TenantByCode(topic.Group); !ok {
			return nil, no(decode.WrongTenant, "the group %.64q is the code of no tenant", topic.Group)
		}
	}
	switch {
	case !ok:
		return nil, no(decode.InactiveTenant, "the credential's tenant is unknown or deleted")
	case !tenant.Active:
		return tenant, no(decode.InactiveTenant, "the tenant is switched off")
	}
	return tenant, nil
}

func gatewayOf(t *registry.Tenant, c Credential, topic sparkplug.Topic) (*registry.Gateway, *decode.Rejection) {
	g, ok := t.Gateway(topic.Node)
	if !ok || !g.Active || !c.covers(g.Site) {
		return nil, no(decode.UnknownNode, "node %.64q is no gateway that the credential may speak for", topic.Node)
	}
	return g, nil
}

// admitValues admits the readings of a message. A metric that is no parameter of the
// tenant is passed over; the data of a device without any that is one is rejected.
func (a *Admitter) admitValues(ctx context.Context, m Message, tenant *registry.Tenant, topic sparkplug.Topic, out sparkplug.Outcome) Ticket {
	known := func(name string) bool { _, ok := tenant.Catalogue.Parameter(name); return ok }
	values := out.Values[:0]
	for _, v := range out.Values {
		var ok bool
		if v.Name, ok = sparkplug.Parameter(v.Name, known); ok {
			values = append(values, v)
		}
	}
	sensor, ok := tenant.SensorByTopic(topic.Data())
	switch {
	case ok:
	case topic.Device == "": // what a node tells of itself
		return Ticket{}
	default:
		sensor, ok = tenant.Sensor(topic.Device)
	}
	switch topic.Kind {
	case sparkplug.NodeDeath, sparkplug.DeviceDeath:
		return Ticket{}
	case sparkplug.DeviceData:
		if ok && len(values) == 0 {
			return a.reject(m, tenant, no(decode.NoValues, "no metric is a parameter of the catalogue"))
		}
	}
	if !ok {
		return a.reject(m, tenant, no(decode.UnknownSensor, "there is no sensor %.100q", topic.Device))
	}
	var tickets []Ticket
	for _, r := range sparkplug.Readings(values) {
		own := m
		own.Topic = tenant.Code + "/" + sensor.SiteCode + "/sensors/" + sensor.Code
		own.Payload, own.Historical = r.AppendJSON(nil), r.Historical
		tickets = append(tickets, a.admit(ctx, own, 0))
	}
	return together(tickets)
}

// together makes one ticket of those of one message: it is rejected when all are.
func together(tickets []Ticket) Ticket {
	if len(tickets) == 0 {
		return Ticket{}
	}
	if len(tickets) == 1 {
		return tickets[0]
	}
	t := Ticket{parts: tickets, Rejection: tickets[0].Rejection}
	for _, p := range tickets {
		if p.Rejection == nil {
			t.Rejection = nil
		}
	}
	return t
}
