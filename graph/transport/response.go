package transport

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/graph/limits"
	"foresight/internal/fault"
)

// AppendResponse appends the response as JSON. The data is what the executor wrote
// and is not read again; without data (the operation was not executed) there is
// no such entry, as the drafts ask.
func AppendResponse(b []byte, r *graphql.Response) ([]byte, error) {
	b = append(b, '{')
	n := len(b)
	if len(r.Errors) > 0 {
		e, err := json.Marshal(r.Errors)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `"errors":`...), e...)
	}
	if r.Data != nil {
		if len(b) > n {
			b = append(b, ',')
		}
		b = append(append(b, `"data":`...), r.Data...)
	}
	if len(r.Extensions) > 0 {
		if len(b) > n {
			b = append(b, ',')
		}
		x, err := json.Marshal(r.Extensions)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `"extensions":`...), x...)
	}
	return append(b, '}'), nil
}

// writeResponse sends the response with the status.
func writeResponse(w http.ResponseWriter, mediaType string, status int, r *graphql.Response) {
	b, err := AppendResponse(nil, r)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"errors":[{"message":"Something went wrong on our side.","extensions":{"code":"INTERNAL"}}]}`)
	}
	h := w.Header()
	h.Set("Content-Type", mediaType+"; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
	for _, e := range r.Errors {
		if seconds, ok := e.Extensions[limits.RetryAfter].(int); ok {
			h.Set("Retry-After", strconv.Itoa(seconds))
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client has gone
}

// statusOf returns the status of a response that was not executed. For
// application/json every answer to a request that could be understood is 200, as
// clients of that type read the status as one of the transport; but 429 is one, and
// has its Retry-After.
func statusOf(mediaType string, errs gqlerror.List) int {
	for _, e := range errs {
		code, _ := e.Extensions["code"].(string)
		if mediaType == typeJSON && fault.Kind(code) != fault.RateLimited {
			continue
		}
		switch fault.Kind(code) {
		case fault.Unauthenticated:
			return http.StatusUnauthorized
		case fault.Forbidden:
			return http.StatusForbidden
		case fault.RateLimited:
			return http.StatusTooManyRequests
		case fault.Unavailable:
			return http.StatusServiceUnavailable
		case fault.Internal:
			return http.StatusInternalServerError
		}
	}
	if mediaType == typeJSON {
		return http.StatusOK
	}
	return http.StatusBadRequest
}
