package model

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// timeLayout is RFC 3339 with milliseconds, always UTC, so that texts of equal
// length sort by time.
const timeLayout = "2006-01-02T15:04:05.000Z"

// MarshalTime writes the scalar Time.
func MarshalTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		b := make([]byte, 0, len(timeLayout)+2)
		b = append(b, '"')
		b = t.UTC().AppendFormat(b, timeLayout)
		_, _ = w.Write(append(b, '"'))
	})
}

// UnmarshalTime reads the scalar Time: RFC 3339 with any zone, in UTC within the years
// 1 to 9999, which is what MarshalTime can write.
func UnmarshalTime(v any) (time.Time, error) {
	if s, ok := v.(string); ok {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			if t = t.UTC(); t.Year() >= 1 && t.Year() <= 9999 {
				return t, nil
			}
		}
	}
	return time.Time{}, errors.New("want a time such as 2026-01-31T12:00:00Z")
}

// MarshalString writes the scalar String.
func MarshalString(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalString reads the scalar String. A text with a zero character is refused:
// PostgreSQL cannot hold it.
func UnmarshalString(v any) (string, error) {
	s, ok := v.(string)
	if !ok || strings.ContainsRune(s, 0) {
		return "", errors.New("want a text without zero characters")
	}
	return s, nil
}

// MarshalUUID writes the scalar UUID.
func MarshalUUID(u uuid.UUID) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, `"`+u.String()+`"`)
	})
}

// UnmarshalUUID reads the scalar UUID.
func UnmarshalUUID(v any) (uuid.UUID, error) {
	if s, ok := v.(string); ok && len(s) == 36 {
		if u, err := uuid.Parse(s); err == nil {
			return u, nil
		}
	}
	return uuid.Nil, errors.New("want an id such as 01900000-0000-8000-8000-000000000000")
}

// maxLong is the largest whole number that JSON readers keep exactly.
const maxLong = 1<<53 - 1

// MarshalLong writes the scalar Long.
func MarshalLong(n uint64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.FormatUint(n, 10)) })
}

// UnmarshalLong reads the scalar Long.
func UnmarshalLong(v any) (uint64, error) {
	var n int64
	var err error
	switch v := v.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	case float64:
		n = int64(v)
		if float64(n) != v {
			err = errors.New("fraction")
		}
	case json.Number:
		n, err = v.Int64()
	default:
		err = errors.New("no number")
	}
	if err != nil || n < 0 || n > maxLong {
		return 0, errors.New("want a whole number from 0 to 9007199254740991")
	}
	return uint64(n), nil
}
