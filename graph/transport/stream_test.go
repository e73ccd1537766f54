package transport

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// patient is a client whose writes have a deadline.
type patient struct{ *httptest.ResponseRecorder }

func (patient) SetWriteDeadline(time.Time) error { return nil }

// The end of a session ends the operation, too: a writer that sees both at once tells why.
func TestAStreamThatEndsEarlyTellsWhy(t *testing.T) {
	for range 100 {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(closing(CodeForbidden, "Token expired"))
		p := newProducer(cancel, nil, 1)
		close(p.done)
		w := patient{httptest.NewRecorder()}
		s := &stream{w: w, rc: http.NewResponseController(w), timeout: time.Minute}
		s.copy(ctx, p, time.Hour)
		if got := w.Body.String(); got != ": Token expired\n\n" {
			t.Fatalf("it ends with %q", got)
		}
	}
}
