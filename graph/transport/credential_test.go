package transport

import (
	"net/http"
	"testing"

	"foresight/internal/fault"
)

func TestCredentialOfAConnection(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload map[string]any
		header  http.Header
		want    string
		refused bool
	}{
		{name: "none"},
		{name: "token", payload: map[string]any{"authorization": "Bearer t"}, want: "Bearer t"},
		{name: "token, as a header is written", payload: map[string]any{"Authorization": "Bearer t"}, want: "Bearer t"},
		{name: "key", payload: map[string]any{"apiKey": "k"}, want: "ApiKey k"},
		{name: "key, as a header is written", payload: map[string]any{"X-API-Key": "k"}, want: "ApiKey k"},
		{name: "no text", payload: map[string]any{"apiKey": 1, "authorization": []any{}}},
		{name: "both", payload: map[string]any{"apiKey": "k", "authorization": "Bearer t"}, refused: true},
		{name: "header", header: http.Header{"Authorization": {"Bearer h"}}, want: "Bearer h"},
		{name: "key header", header: http.Header{"X-Api-Key": {"h"}}, want: "ApiKey h"},
		{name: "both headers", header: http.Header{"X-Api-Key": {"h"}, "Authorization": {"Bearer h"}}, refused: true},
		{name: "the payload comes first", payload: map[string]any{"apiKey": "k"}, header: http.Header{"Authorization": {"Bearer h"}}, want: "ApiKey k"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.header == nil {
				c.header = http.Header{}
			}
			got, err := credential(c.payload, c.header)
			if got != c.want || fault.Is(err, fault.Unauthenticated) != c.refused {
				t.Errorf("%q %v, want %q", got, err, c.want)
			}
		})
	}
}
