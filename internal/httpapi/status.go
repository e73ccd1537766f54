package httpapi

import (
	"context"
	"encoding/json"
	"net/http"

	"foresight/internal/fault"
	"foresight/internal/tenancy"
)

// Status tells how the installation stands, to those who operate it: any other actor of
// the context is refused. The answer is written as JSON.
type Status func(ctx context.Context) (any, error)

// status answers GET /status.
func (a *API) status(w http.ResponseWriter, r *http.Request) {
	if tenancy.From(r.Context()) == nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		a.refuse(w, r, http.StatusUnauthorized, fault.New(fault.Unauthenticated, "error.auth.required"))
		return
	}
	s, err := a.c.Status(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	b, err := json.Marshal(s)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b) // the client has gone
}
