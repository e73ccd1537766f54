package model

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// written returns the text of a scalar without quotation marks.
func written(t *testing.T, m graphql.Marshaler) string {
	t.Helper()
	var b strings.Builder
	m.MarshalGQL(&b)
	if !json.Valid([]byte(b.String())) {
		t.Fatalf("%s is no JSON", b.String())
	}
	return strings.Trim(b.String(), `"`)
}

func TestTimesOutsideTheCalendarAreRefused(t *testing.T) {
	for _, s := range []string{"0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2026-01-01", "2026-02-30T00:00:00Z", ""} {
		if got, err := UnmarshalTime(s); err == nil {
			t.Errorf("%q is read as %s", s, got)
		}
	}
	for _, v := range []any{nil, 1, json.Number("1"), time.Now()} {
		if _, err := UnmarshalTime(v); err == nil {
			t.Errorf("%T is read as a time", v)
		}
	}
	if got, err := UnmarshalTime("2026-01-31T14:00:00.123456+02:00"); err != nil || !got.Equal(time.Date(2026, 1, 31, 12, 0, 0, 123456000, time.UTC)) {
		t.Errorf("%s, %v", got, err)
	}
}

// FuzzScalars: what a scalar reads it writes in a form that it reads as the same.
func FuzzScalars(f *testing.F) {
	for _, s := range []string{"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.999999999+14:00", "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:60Z",
		"01900000-0000-8000-8000-000000000000", "{01900000-0000-8000-8000-000000000000}", "9007199254740991", "9007199254740992", "-1", "1e3", "a\x00b", "\xff"} {
		f.Add(s, 1.0)
	}
	f.Add("", math.NaN())
	f.Add("", math.Inf(1))
	f.Add("", float64(maxLong))
	f.Add("", 1<<53+2.0)
	f.Fuzz(func(t *testing.T, s string, n float64) {
		if at, err := UnmarshalTime(s); err == nil {
			text := written(t, MarshalTime(at))
			if again, err := UnmarshalTime(text); err != nil || !again.Equal(at.Truncate(time.Millisecond)) || len(text) != len(timeLayout) {
				t.Errorf("time %q is written as %q: %v", s, text, err)
			}
		}
		if u, err := UnmarshalUUID(s); err == nil {
			if text := written(t, MarshalUUID(u)); !strings.EqualFold(text, s) || u == uuid.Nil && strings.Trim(s, "0-") != "" {
				t.Errorf("id %q is written as %q", s, text)
			}
		}
		if got, err := UnmarshalString(s); (err == nil) == strings.Contains(s, "\x00") || err == nil && got != s {
			t.Errorf("text %q is read as %q, %v", s, got, err)
		}
		for _, v := range []any{json.Number(s), n, int64(n), int(n)} {
			if whole, err := UnmarshalLong(v); err == nil {
				text := written(t, MarshalLong(whole))
				if again, err := UnmarshalLong(json.Number(text)); err != nil || again != whole || whole > maxLong {
					t.Errorf("%T %v is read as %d", v, v, whole)
				}
			}
		}
		if whole, err := UnmarshalLong(n); (err == nil) != (n >= 0 && n <= maxLong && n == math.Trunc(n)) || err == nil && float64(whole) != n {
			t.Errorf("%v is read as %d, %v", n, whole, err)
		}
	})
}
