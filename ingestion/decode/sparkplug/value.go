package sparkplug

import (
	"math"

	"foresight/ingestion/decode/sparkplug/spb"
)

// The data types that decide how a value is to be read (Sparkplug B 3.0.0, 6.4.16).
const (
	typeInt8    = 1
	typeInt16   = 2
	typeInt32   = 3
	typeInt64   = 4
	typeBoolean = 11
)

// signed reports whether the bits of a value are a two's complement.
func signed(datatype uint32) bool { return datatype >= typeInt8 && datatype <= typeInt64 }

// Value is a metric that a message has told, by its name.
type Value struct {
	Name       string
	Time       int64 // Unix milliseconds; 0 when neither metric nor message has one
	Historical bool  // taken some time ago, and not the present value
	// Number is NaN for what is no finite number: a text, a table, an infinity. A truth
	// value is 0 or 1.
	Number float64
}

// numberOf reads a value of the data type, which the metric may leave to its birth.
func numberOf(m *spb.Metric, datatype uint32) float64 {
	v := math.NaN()
	switch x := m.GetValue().(type) {
	case *spb.Metric_IntValue:
		switch datatype {
		case typeInt8:
			v = float64(int8(x.IntValue))
		case typeInt16:
			v = float64(int16(x.IntValue))
		case typeInt32, typeInt64:
			v = float64(int32(x.IntValue))
		default:
			v = float64(x.IntValue)
		}
	case *spb.Metric_LongValue:
		if signed(datatype) {
			v = float64(int64(x.LongValue))
		} else {
			v = float64(x.LongValue)
		}
	case *spb.Metric_FloatValue:
		v = float64(x.FloatValue)
	case *spb.Metric_DoubleValue:
		v = x.DoubleValue
	case *spb.Metric_BooleanValue:
		if v = 0; x.BooleanValue {
			v = 1
		}
	}
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}
