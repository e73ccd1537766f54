package pgstore

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"foresight/internal/telemetry"
)

// Values in PostgreSQL's binary form, written by hand: a reading has 24 floats, and one
// encoder call per column and element costs several times what the server needs.

const oidFloat8 = 701

// pgEpoch is PostgreSQL's zero of time in Unix microseconds.
var pgEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func appendInt64(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 8), uint64(v))
}

func appendFloat(b []byte, v float64) []byte { return appendInt64(b, int64(math.Float64bits(v))) }

func appendTime(b []byte, t time.Time) []byte { return appendInt64(b, t.UnixMicro()-pgEpoch) }

func appendBytes[T string | []byte](b []byte, v T) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
	return append(b, v...)
}

func appendNull(b []byte) []byte { return append(b, 0xff, 0xff, 0xff, 0xff) }

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// appendChannels writes a float8[] with NULL for a missing channel, NULL when all
// are missing.
func appendChannels(b []byte, ch *[telemetry.Channels]float64) []byte {
	present := 0
	for _, v := range ch {
		if v == v {
			present++
		}
	}
	if present == 0 {
		return appendNull(b)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(20+4*telemetry.Channels+8*present))
	b = binary.BigEndian.AppendUint32(b, 1) // dimensions
	b = append(b, 0, 0, 0, boolByte(present < telemetry.Channels))
	b = binary.BigEndian.AppendUint32(b, oidFloat8)
	b = binary.BigEndian.AppendUint32(b, telemetry.Channels)
	b = binary.BigEndian.AppendUint32(b, 1) // lower bound
	for _, v := range ch {
		if v == v {
			b = binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 8), math.Float64bits(v))
		} else {
			b = appendNull(b)
		}
	}
	return b
}

// appendValues writes a jsonb object, NULL when there are no values.
func appendValues(b []byte, values []telemetry.Value) []byte {
	if len(values) == 0 {
		return appendNull(b)
	}
	b, at := beginJSON(b)
	sep := byte('{')
	for _, v := range values {
		b = appendJSONString(append(b, sep), v.Name)
		b = strconv.AppendFloat(append(b, ':'), v.Value, 'g', -1, 64)
		sep = ','
	}
	return endLength(append(b, '}'), at)
}

// beginJSON leaves room for the length, which endLength fills in, and writes the
// version of jsonb's binary form.
func beginJSON(b []byte) (_ []byte, at int) { return append(b, 0, 0, 0, 0, 1), len(b) }

func endLength(b []byte, at int) []byte {
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// appendJSONString quotes a text; codes and names need no escapes.
func appendJSONString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
