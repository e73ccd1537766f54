package mongostore

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"foresight/internal/telemetry"
)

// Names of the collections.
const (
	rawName         = "telemetry_raw"
	predictionsName = "predictions"
	sensorsName     = "telemetry_sensors"
)

func rollupName(r telemetry.Resolution) string { return "telemetry_rollup_" + r.String() }

// Keys of the indexes; queries name them as their hints.
var (
	rawByAsset  = keys(fieldTenant, fieldAsset, "-"+fieldTime)
	rawBySensor = keys(fieldTenant, fieldSensor, "-"+fieldTime, "-"+fieldLogSeq)

	predictionsByAsset   = keys(fieldTenant, fieldAsset, "-"+fieldTime)
	predictionsBySensor  = keys(fieldTenant, fieldSensor, "-"+fieldTime)
	predictionsByVersion = keys(fieldTenant, fieldVersion, "-"+fieldTime)
	predictionsByLabel   = keys(fieldTenant, fieldLabel, "-"+fieldTime)
	predictionsAbnormal  = keys(fieldTenant, "-"+fieldTime)

	rollupsBySensor = keys(fieldTenant, fieldSensor, fieldStart, fieldLane)
	rollupsByAsset  = keys(fieldTenant, fieldAsset, fieldSensor, fieldStart, fieldLane)
	rollupOrder     = keys(fieldSensor, fieldStart, fieldLane)
)

// keys makes the keys of an index; a minus says descending.
func keys(fields ...string) (out bson.D) {
	for _, f := range fields {
		if f[0] == '-' {
			out = append(out, bson.E{Key: f[1:], Value: int32(-1)})
			continue
		}
		out = append(out, bson.E{Key: f, Value: int32(1)})
	}
	return out
}

// collection is how a collection must be.
type collection struct {
	name      string
	validator bson.D
	indexes   []index // besides that of _id
}

// index is how an index must be; indexes are told apart by their keys.
type index struct {
	name    string
	keys    bson.D
	partial bson.D        // nil: all documents
	ttl     time.Duration // 0: documents do not expire by it
}

// schemaFor returns all collections. Validators name what the code relies on and leave
// room for fields that it does not know.
func schemaFor(keep Retention) []collection {
	abnormal := bson.D{{Key: fieldAbnormal, Value: true}}
	expires := func(field string, after time.Duration) index {
		return index{name: "expires", keys: keys(field), ttl: after}
	}
	out := []collection{{
		name:      rawName,
		validator: rawValidator(),
		indexes: []index{
			{name: "asset_time", keys: rawByAsset},
			{name: "sensor_time", keys: rawBySensor},
			expires(fieldTime, keep.Readings),
		},
	}, {
		name:      predictionsName,
		validator: predictionValidator(),
		indexes: []index{
			{name: "asset_time", keys: predictionsByAsset},
			{name: "sensor_time", keys: predictionsBySensor},
			{name: "model_version_time", keys: predictionsByVersion},
			{name: "label_time", keys: predictionsByLabel, partial: abnormal},
			{name: "abnormal_time", keys: predictionsAbnormal, partial: abnormal},
			expires(fieldTime, keep.Predictions),
		},
	}, {
		name:      sensorsName,
		validator: sensorValidator(),
		indexes: []index{
			{name: "sensor", keys: keys(fieldTenant, fieldSensor)},
			{name: "asset", keys: keys(fieldTenant, fieldAsset)},
			{name: "site", keys: keys(fieldTenant, fieldSite)},
			expires(fieldSeen, keep.Readings+2*tellEvery),
		},
	}}
	for _, r := range telemetry.Resolutions {
		c := collection{name: rollupName(r), validator: rollupValidator(), indexes: []index{
			{name: "sensor_time", keys: rollupsBySensor},
			{name: "asset_time", keys: rollupsByAsset},
		}}
		switch r {
		case telemetry.M5:
			c.indexes = append(c.indexes, expires(fieldStart, keep.RollupsM5))
		case telemetry.H1:
			c.indexes = append(c.indexes, expires(fieldStart, keep.RollupsH1))
		}
		out = append(out, c)
	}
	return out
}

type field struct {
	name string
	rule bson.D
	may  bool // be absent
}

func is(bsonType string, more ...bson.E) bson.D {
	return append(bson.D{{Key: "bsonType", Value: bsonType}}, more...)
}

// oneOf lists the alternatives of a type.
func oneOf(types ...string) bson.D {
	list := make(bson.A, len(types))
	for i, t := range types {
		list[i] = t
	}
	return bson.D{{Key: "bsonType", Value: list}}
}

// document is a validator of documents that bear the four ids and these fields.
func document(fields ...field) bson.D {
	required := bson.A{fieldID}
	properties := bson.D{{Key: fieldID, Value: is("binData")}}
	for _, name := range []string{fieldTenant, fieldSite, fieldAsset, fieldSensor} {
		required = append(required, name)
		properties = append(properties, bson.E{Key: name, Value: is("binData")})
	}
	for _, f := range fields {
		if !f.may {
			required = append(required, f.name)
		}
		properties = append(properties, bson.E{Key: f.name, Value: f.rule})
	}
	return bson.D{{Key: "$jsonSchema", Value: bson.D{
		{Key: "bsonType", Value: "object"},
		{Key: "required", Value: required},
		{Key: "properties", Value: properties},
	}}}
}

func rawValidator() bson.D {
	n := bson.E{Key: "minItems", Value: int32(telemetry.Channels)}
	m := bson.E{Key: "maxItems", Value: int32(telemetry.Channels)}
	return document(
		field{name: fieldTime, rule: is("date")},
		field{name: fieldIngest, rule: is("binData")},
		field{name: fieldLogSeq, rule: is("long")},
		field{name: fieldReceived, rule: is("date")},
		field{name: fieldMicros, rule: is("int", bson.E{Key: "minimum", Value: int32(1)}, bson.E{Key: "maximum", Value: int32(999)}), may: true},
		field{name: fieldLate, rule: is("bool")},
		field{name: fieldChannels, rule: is("array", n, m, bson.E{Key: "items", Value: oneOf("double", "null")}), may: true},
		field{name: fieldValues, rule: is("object", bson.E{Key: "additionalProperties", Value: is("double")}), may: true},
		field{name: fieldTopic, rule: is("string")},
		field{name: fieldPayload, rule: is("binData")},
	)
}

func probability() bson.D {
	return is("double", bson.E{Key: "minimum", Value: int32(0)}, bson.E{Key: "maximum", Value: int32(1)})
}

func predictionValidator() bson.D {
	class := is("object", bson.E{Key: "required", Value: bson.A{"label", "probability"}},
		bson.E{Key: "properties", Value: bson.D{{Key: "label", Value: is("string")}, {Key: "probability", Value: probability()}}})
	return document(
		field{name: fieldTime, rule: is("date")},
		field{name: fieldRaw, rule: is("binData")},
		field{name: fieldLabel, rule: is("string")},
		field{name: fieldAbnormal, rule: bson.D{{Key: "enum", Value: bson.A{true}}}, may: true},
		field{name: fieldProb, rule: probability()},
		field{name: fieldTop, rule: is("array", bson.E{Key: "items", Value: class}), may: true},
		field{name: fieldVersion, rule: is("binData")},
		field{name: fieldVersionAs, rule: is("string")},
		field{name: fieldRole, rule: bson.D{{Key: "enum", Value: bson.A{string(telemetry.Production), string(telemetry.Canary), string(telemetry.Shadow)}}}},
		field{name: fieldOOD, rule: is("bool")},
	)
}

func sensorValidator() bson.D {
	return document(field{name: fieldSeen, rule: is("date")})
}

func rollupValidator() bson.D {
	numbers := bson.D{{Key: "count", Value: is("long", bson.E{Key: "minimum", Value: int32(1)})}, {Key: "last_ms", Value: is("int")}}
	required := bson.A{"count", "last_ms"}
	for _, name := range []string{"sum", "sum_squares", "min", "max", "last"} {
		required = append(required, name)
		numbers = append(numbers, bson.E{Key: name, Value: is("double")})
	}
	aggregate := is("object", bson.E{Key: "required", Value: required}, bson.E{Key: "properties", Value: numbers})
	return document(
		field{name: fieldStart, rule: is("date")},
		field{name: fieldLane, rule: is("int", bson.E{Key: "minimum", Value: int32(0)}, bson.E{Key: "maximum", Value: int32(255)})},
		field{name: fieldLastSeq, rule: is("long")},
		field{name: fieldReadings, rule: is("long", bson.E{Key: "minimum", Value: int32(1)})},
		field{name: fieldParams, rule: is("object", bson.E{Key: "additionalProperties", Value: aggregate})},
	)
}
