package tracing

import (
	"go.opentelemetry.io/otel/attribute"

	"foresight/internal/id"
)

// Attributes of spans. Of what belongs to tenants they name ids alone.
const (
	Tenant       = "tenant_id"
	Site         = "site_id"
	Asset        = "asset_id"
	Sensor       = "sensor_id"
	ModelVersion = "model_version_id"
	Request      = "request_id"
)

// IDs are the attributes of a sensor's place; nil ids are left out.
func IDs(tenant, site, asset, sensor id.UUID) []attribute.KeyValue {
	out := make([]attribute.KeyValue, 0, 4)
	for _, a := range [...]struct {
		key string
		id  id.UUID
	}{{Tenant, tenant}, {Site, site}, {Asset, asset}, {Sensor, sensor}} {
		if a.id != id.Nil {
			out = append(out, attribute.String(a.key, a.id.String()))
		}
	}
	return out
}
