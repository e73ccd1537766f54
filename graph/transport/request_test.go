package transport

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

func FuzzDecodeParams(f *testing.F) {
	for _, s := range []string{`{"query":"{a}"}`, `{"query":"{a}","variables":{"n":12345678901234567890},"extensions":null,"operationName":null}`,
		`{}`, `[]`, `null`, `{"query":1}`, `{"variables":[]}`, "\xff", ``, `{"variables":{"a":{}}}x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodeParams(b)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v and %v", p, err)
		}
		if err == nil && !json.Valid(b) {
			t.Fatalf("read invalid JSON: %q", b)
		}
	})
}

func FuzzNegotiate(f *testing.F) {
	f.Add("application/json;q=0.1, */*")
	f.Add("text/event-stream;q=x")
	f.Fuzz(func(t *testing.T, accept string) {
		switch got := negotiate(&http.Request{Header: http.Header{"Accept": {accept}}}, typeJSON, typeGraphQL); got {
		case "", typeJSON, typeGraphQL:
		default:
			t.Fatal(got)
		}
	})
}

func TestBigNumbersKeepTheirDigits(t *testing.T) {
	p, err := decodeParams([]byte(`{"query":"q","variables":{"n":9007199254740993}}`))
	if err != nil || p.Variables["n"] != json.Number("9007199254740993") {
		t.Errorf("%v %v", p, err)
	}
}

func TestAppendResponse(t *testing.T) {
	for _, c := range []struct {
		r    graphql.Response
		want string
	}{
		{graphql.Response{}, `{}`},
		{graphql.Response{Data: []byte(`null`)}, `{"data":null}`},
		{graphql.Response{Errors: gqlerror.List{{Message: "m"}}}, `{"errors":[{"message":"m"}]}`},
		{graphql.Response{Errors: gqlerror.List{{Message: "m"}}, Data: []byte(`{"a":1}`), Extensions: map[string]any{"x": 1}}, `{"errors":[{"message":"m"}],"data":{"a":1},"extensions":{"x":1}}`},
		{graphql.Response{Extensions: map[string]any{"x": 1}}, `{"extensions":{"x":1}}`},
	} {
		if b, err := AppendResponse(nil, &c.r); err != nil || string(b) != c.want {
			t.Errorf("%s %v, want %s", b, err, c.want)
		}
	}
	if _, err := AppendResponse(nil, &graphql.Response{Extensions: map[string]any{"x": func() {}}}); err == nil {
		t.Error("no error for what is no JSON")
	}
}

func TestLifetimeEndsEarlyNeverLate(t *testing.T) {
	now := time.Now()
	seen := map[time.Duration]bool{}
	for range 200 {
		s := Session{ExpiresAt: now.Add(15 * time.Minute)}
		d := s.lifetime(now)
		if d > 15*time.Minute || d < 15*time.Minute-maxJitter {
			t.Fatal(d)
		}
		seen[d] = true
	}
	if len(seen) < 100 {
		t.Errorf("only %d different ends", len(seen))
	}
	if d := (&Session{ExpiresAt: now.Add(-time.Hour)}).lifetime(now); d != 0 {
		t.Errorf("expired: %v", d)
	}
}

// Appending the executor's bytes, against encoding the response as a whole.
func BenchmarkResponse(b *testing.B) {
	data := []byte(`{"assets":{"nodes":[`)
	for range 100 {
		data = append(data, `{"id":"01900000-0000-8001-8000-000000000000","name":"Feed pump","criticality":"HIGH"},`...)
	}
	r := &graphql.Response{Data: append(data[:len(data)-1], `]}}`...), Extensions: map[string]any{"cost": 1}}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := AppendResponse(nil, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
