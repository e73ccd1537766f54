package admit

import (
	"context"
	"time"

	"foresight/ingestion/decode"
	"foresight/ingestion/registry"
	"foresight/internal/telemetry"
)

// Readmit begins the admission of a message that was admitted before and is brought in
// again: it keeps its id, its time of arrival and the values that it was found to hold
// (a payload may be unreadable by itself, such as Sparkplug's). Whether it may enter is
// judged as of now: its tenant and sensor must be there and switched on, the
// credential must cover the site on which the sensor stands today, and the retention
// must not have passed. What is rejected is not a dead letter, and nothing is drawn on
// the quota: the log of an Admitter for history is of lower priority.
func (a *Admitter) Readmit(ctx context.Context, c Credential, was *telemetry.Raw) Ticket {
	tenant, sensor, rejection := a.reexamine(c, was)
	if rejection != nil {
		a.counts.rejected(tenant, rejection.Reason)
		return Ticket{Rejection: rejection}
	}
	again := *was
	again.Key = sensor.Key
	buf := a.bufs.Get().(*[]byte)
	*buf = telemetry.AppendEnvelope((*buf)[:0], &again)
	partition := a.opt.Partition(again.Tenant, again.Sensor, a.opt.Log.Partitions())
	pending, err := a.opt.Log.AppendAsync(ctx, partition, again.Tenant, again.Sensor, *buf)
	if err != nil {
		a.bufs.Put(buf)
		return a.unconfirmed(tenant, err)
	}
	return Ticket{Key: sensor.Key, IngestID: was.IngestID, Timestamp: was.Timestamp, admitter: a, tenant: tenant, pending: pending, buf: buf}
}

func (a *Admitter) reexamine(c Credential, was *telemetry.Raw) (*registry.Tenant, *registry.Sensor, *decode.Rejection) {
	if c.AnyTenant || c.Tenant != was.Tenant {
		return nil, nil, no(decode.WrongTenant, "the message is another tenant's")
	}
	tenant, ok := a.opt.Snapshot().Tenant(was.Tenant)
	if !ok || !tenant.Active {
		return tenant, nil, no(decode.InactiveTenant, "the tenant is switched off or deleted")
	}
	sensor, ok := tenant.SensorByID(was.Sensor)
	switch age := a.opt.Now().Sub(was.Timestamp); {
	case !ok:
		return tenant, nil, no(decode.UnknownSensor, "the sensor is deleted")
	case !c.covers(sensor.Site):
		return tenant, nil, no(decode.WrongSite, "the credential may not speak for the site of sensor %s", sensor.Code)
	case !sensor.Active:
		return tenant, nil, no(decode.InactiveSensor, "sensor %s or its asset or site is switched off", sensor.Code)
	case age > tenant.Retention:
		return tenant, nil, no(decode.TooOld, "%s lies before the retention of %s", was.Timestamp.Format(time.RFC3339Nano), tenant.Retention)
	}
	return tenant, sensor, nil
}
