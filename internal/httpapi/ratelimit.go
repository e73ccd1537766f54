package httpapi

import (
	"net/http"
	"strconv"

	"foresight/internal/fault"
	"foresight/internal/limit"
)

// limitRate refuses with 429 what comes faster than the bucket of its credential,
// or of its address when it has none.
func (a *API) limitRate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.take(r); err != nil {
			a.tooMany(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) tooMany(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	w.Header().Set("Retry-After", strconv.Itoa(f.Args["Seconds"].(int)))
	a.refuse(w, r, http.StatusTooManyRequests, f)
}

func (a *API) take(r *http.Request) *fault.Error {
	key := remoteKey(a.Remote(r))
	if g := GrantFrom(r.Context()); g != nil {
		key = "actor:" + g.Actor.ID.String()
	}
	return a.Take(key)
}

func remoteKey(address string) string { return "remote:" + limit.Client(address) }

// Take takes one request from the bucket of the key ("actor:" and an id), for
// operations on long connections. The fault is RateLimited, with `Seconds` to wait.
func (a *API) Take(key string) *fault.Error { return a.limiter.Take(key) }
