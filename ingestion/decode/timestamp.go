package decode

import (
	"math"
	"time"
)

// Unix times are told apart by size: from 10¹¹ on they are milliseconds (March 1973),
// below they are seconds (until the year 5138).
const firstMillisecond = 1e11

// maxMillisecond is the end of the year 9999, beyond which RFC 3339 has no form.
const maxMillisecond = 253402300799999

func (m *message) timestamp() *Rejection {
	switch m.json.PeekKind() {
	case '"':
		text, r := m.string()
		if r != nil {
			return r
		}
		var at time.Time
		if err := at.UnmarshalText(text); err != nil {
			return reject(BadTimestamp, "%q is not RFC 3339", cut(text))
		}
		if at.Unix() < 0 || at.UnixMilli() > maxMillisecond {
			return reject(BadTimestamp, "%q lies outside the years 1970 to 9999", cut(text))
		}
		m.out.Timestamp = at.UTC().Truncate(time.Millisecond)
		return nil
	case '0':
		t, err := m.json.ReadToken()
		if err != nil {
			return broken(err)
		}
		v, err := t.Float()
		if err == nil && v >= 0 && v < firstMillisecond {
			v *= 1000
		}
		if err != nil || v < 0 || v > maxMillisecond {
			return reject(BadTimestamp, "%s is no Unix time in seconds or milliseconds", cut(t.String()))
		}
		m.out.Timestamp = time.UnixMilli(int64(math.Round(v))).UTC()
		return nil
	}
	return reject(BadTimestamp, "%s instead of a text or a number", m.json.PeekKind())
}
