package decode

import "slices"

// Reason is why a message was rejected: stable text for machines, stored with the
// dead letter, a label of the metrics and shown in the graph.
type Reason string

// The reasons. All but LogFull are final: the message is a dead letter and is
// acknowledged to its sender, who would otherwise send it again for ever.
const (
	BadTopic        Reason = "bad_topic"         // names no sensor in any known form
	UnknownSensor   Reason = "unknown_sensor"    // no such sensor in the tenant, or deleted
	InactiveSensor  Reason = "inactive_sensor"   // the sensor or its asset or site is switched off
	InactiveTenant  Reason = "inactive_tenant"   // the tenant is switched off
	WrongTenant     Reason = "wrong_tenant"      // the topic names a tenant that the credential may not speak for
	WrongSite       Reason = "wrong_site"        // the sensor stands on a site that the credential may not speak for
	SensorMismatch  Reason = "sensor_mismatch"   // topic and payload name different sensors
	PayloadTooLarge Reason = "payload_too_large" // more bytes than Limits.MaxPayload
	BadJSON         Reason = "bad_json"          // no JSON object, or one of the wrong shape
	TooDeep         Reason = "too_deep"          // nested deeper than Limits.MaxDepth
	DuplicateKey    Reason = "duplicate_key"     // a key or a parameter is given twice
	NotANumber      Reason = "not_a_number"      // a parameter's value is no finite number
	Implausible     Reason = "implausible_value" // outside the catalogue's plausible range
	BadTimestamp    Reason = "bad_timestamp"     // neither RFC 3339 nor Unix seconds or milliseconds
	InFuture        Reason = "timestamp_in_future"
	TooOld          Reason = "timestamp_too_old" // older than the tenant's retention
	BadField        Reason = "bad_field"         // sensor_code or ingest_id is no proper text
	NoValues        Reason = "no_values"         // no parameter of the catalogue among the keys
	BadSparkplug    Reason = "bad_sparkplug"     // no payload of Sparkplug B, or beyond its limits
	UnknownNode     Reason = "unknown_node"      // the Sparkplug node is no gateway that the credential may speak for
	NoBirth         Reason = "no_birth"          // the birth of the Sparkplug node or device is not known; it was asked for
	OutOfSequence   Reason = "out_of_sequence"   // a Sparkplug message is missing before it; the birth was asked for
	OverQuota       Reason = "over_quota"        // over the tenant's quota on a shared broker, and too much waits already
	LogFull         Reason = "log_full"          // the log did not take it: not acknowledged, the sender repeats it
)

var reasons = []Reason{
	BadTopic, UnknownSensor, InactiveSensor, InactiveTenant, WrongTenant, WrongSite, SensorMismatch,
	PayloadTooLarge, BadJSON, TooDeep, DuplicateKey, NotANumber, Implausible, BadTimestamp, InFuture,
	TooOld, BadField, NoValues,
	BadSparkplug, UnknownNode, NoBirth, OutOfSequence, OverQuota, LogFull,
}

// Reasons lists every reason. The slice is the caller's.
func Reasons() []Reason { return slices.Clone(reasons) }

// Rejection says that a message is not admitted. Detail is a short English text for
// the people who look for the cause; parts of the message in it are quoted and cut.
type Rejection struct {
	Reason Reason
	Detail string
}

// Error makes a Rejection an error, for callers that return one.
func (r *Rejection) Error() string { return string(r.Reason) + ": " + r.Detail }

const quoteLimit = 64

// cut shortens foreign text for a Detail.
func cut[T ~string | ~[]byte](s T) string {
	if len(s) > quoteLimit {
		return string(s[:quoteLimit]) + "…"
	}
	return string(s)
}
