package httpapi

import (
	"encoding/json"
	"net/http"

	"foresight/internal/fault"
	"foresight/internal/obs"
)

// refuse answers a request that does not reach its route: on /graphql with a
// GraphQL result, elsewhere with the same error as plain JSON.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, status int, f *fault.Error) {
	if r.URL.Path == "/graphql" && a.c.GraphError != nil && r.Header.Get("Upgrade") == "" {
		a.c.GraphError(w, r, status, f)
		return
	}
	message := http.StatusText(status)
	if a.c.Message != nil {
		message = a.c.Message(r.Context(), f)
	}
	b, _ := json.Marshal(map[string]any{"error": map[string]string{ // strings only
		"code": string(f.Kind), "message": message, "requestId": obs.RequestID(r.Context()),
	}})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client has gone
}
