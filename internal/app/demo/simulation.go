package demo

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"foresight/internal/simulate"
)

// SimulationOptions choose machines for `foresight simulate`.
type SimulationOptions struct {
	Broker             string
	Tenant             string
	Username, Password string   // Username "": the demo's gateway of each site
	Sensors            []string // site/sensor; empty: the demo's
	Assets             int      // at most so many
	Rate               float64  // readings per second of each
	Fault              string
	Severity           float64
}

// Publishers returns a publisher for each site that has machines.
func (o SimulationOptions) Publishers(log *slog.Logger) ([]*simulate.Publisher, error) {
	if o.Assets < 1 {
		return nil, fmt.Errorf("--assets %d: want at least 1", o.Assets)
	}
	sites, err := o.sites()
	if err != nil {
		return nil, err
	}
	var out []*simulate.Publisher
	left := o.Assets
	for _, s := range sites {
		n := min(left, len(s.assets))
		if n == 0 {
			continue
		}
		left -= n
		user := o.Username
		if user == "" {
			user = o.Tenant + "." + s.gateway
		}
		p, err := simulate.NewPublisher(simulate.PublisherConfig{Broker: o.Broker, ClientID: fmt.Sprintf("foresight-simulate-%s-%s", o.Tenant, s.code),
			Username: user, Password: o.Password, Rate: o.Rate, Assets: s.assets[:n]}, log)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	if left > 0 {
		return nil, fmt.Errorf("--assets %d: the tenant has only %d", o.Assets, o.Assets-left)
	}
	return out, nil
}

type simulatedSite struct {
	code, gateway string
	assets        []simulate.Asset
}

func (o SimulationOptions) sites() ([]simulatedSite, error) {
	if len(o.Sensors) > 0 {
		return o.named()
	}
	all := tenants()
	i := slices.IndexFunc(all, func(t tenant) bool { return t.code == o.Tenant })
	if i < 0 {
		return nil, fmt.Errorf("--tenant %s is none of the demo's: name its sensors with --sensors site/sensor", o.Tenant)
	}
	var out []simulatedSite
	for _, at := range all[i].sites {
		s := simulatedSite{code: at.code, gateway: at.gateway}
		for _, m := range at.machines {
			s.assets = append(s.assets, o.asset(at.code, m.sensor(), m.profile()))
		}
		out = append(out, s)
	}
	return out, nil
}

func (o SimulationOptions) named() ([]simulatedSite, error) {
	var out []simulatedSite
	for _, name := range o.Sensors {
		code, sensor, ok := strings.Cut(name, "/")
		if !ok || code == "" || sensor == "" {
			return nil, fmt.Errorf("--sensors %s: want site/sensor", name)
		}
		i := slices.IndexFunc(out, func(s simulatedSite) bool { return s.code == code })
		if i < 0 {
			out, i = append(out, simulatedSite{code: code}), len(out)
		}
		out[i].assets = append(out[i].assets, o.asset(code, sensor, simulate.Profile{RatedKW: 90, NominalRPM: 2970, Mount: simulate.Rigid, Complete: true}))
	}
	return out, nil
}

func (o SimulationOptions) asset(site, sensor string, p simulate.Profile) simulate.Asset {
	return simulate.Asset{Tenant: o.Tenant, Site: site, Sensor: sensor, Profile: p, Fault: o.Fault, Severity: o.Severity}
}
