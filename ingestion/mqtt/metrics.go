package mqtt

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	connections prometheus.Gauge
	refused     prometheus.Counter
	unconfirmed prometheus.Counter
	violations  prometheus.Counter
	logins      *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_mqtt_connections", Help: "Clients that are logged in at the embedded broker.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_mqtt_connections_refused_total", Help: "Connections closed at once, as there were too many.",
		}),
		unconfirmed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_mqtt_disconnected_unconfirmed_total", Help: "Clients disconnected because the log did not confirm a message.",
		}),
		violations: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_mqtt_protocol_errors_total", Help: "Connections ended because the client broke the protocol or a limit.",
		}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_mqtt_logins_total", Help: "Log-ins at the embedded broker, by verdict.",
		}, []string{"verdict"}),
	}
	if reg != nil {
		reg.MustRegister(m.connections, m.refused, m.unconfirmed, m.violations, m.logins)
	}
	return m
}
