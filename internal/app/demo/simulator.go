package demo

import (
	"log/slog"

	"foresight/internal/simulate"
)

// Publishers returns one simulator for each gateway of the demo, each with its
// credential and the machines of its site. rate is readings per second of a machine.
func Publishers(broker string, rate float64, log *slog.Logger) ([]*simulate.Publisher, error) {
	var out []*simulate.Publisher
	for _, t := range tenants() {
		for _, at := range t.sites {
			c := simulate.PublisherConfig{Broker: broker, ClientID: "simulator-" + t.code + "-" + at.gateway,
				Username: t.code + "." + at.gateway, Password: GatewayPassword, Rate: rate}
			for _, m := range at.machines {
				c.Assets = append(c.Assets, simulate.Asset{Tenant: t.code, Site: at.code, Sensor: m.sensor(),
					Profile: m.profile(), Fault: m.fault, Severity: m.severity})
			}
			p, err := simulate.NewPublisher(c, log)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
	}
	return out, nil
}

// Logins lists who can sign in.
func Logins() []string {
	var out []string
	for _, t := range tenants() {
		for _, role := range []string{"admin", "engineer", "operator", "viewer"} {
			out = append(out, role+"@"+t.code+".example")
		}
	}
	return out
}

// Clients lists the partner clients.
func Clients() []string {
	var out []string
	for _, t := range tenants() {
		out = append(out, t.code+"-client")
	}
	return out
}
