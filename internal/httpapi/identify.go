package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

type grantKey struct{}

// GrantFrom returns what the request's credential allows, nil without one.
func GrantFrom(ctx context.Context) *auth.Grant {
	g, _ := ctx.Value(grantKey{}).(*auth.Grant)
	return g
}

// RemoteFrom returns the address of the client, "" outside of a request.
func RemoteFrom(ctx context.Context) string { return obs.Remote(ctx) }

// identify verifies the credential when there is one and puts its actor into the
// context. A credential that is not good is refused rather than ignored.
func (a *API) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := obs.WithRemote(r.Context(), a.Remote(r))
		if h := r.Header.Get("Authorization"); h != "" {
			g, err := a.c.Auth.Authenticate(ctx, h)
			if err != nil {
				// Guessing at tokens is paid for by the address, as no actor is known.
				if f := a.Take("remote:" + RemoteFrom(ctx)); f != nil {
					a.tooMany(w, r, f)
					return
				}
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
				a.refuse(w, r, http.StatusUnauthorized, fault.New(fault.Unauthenticated, "error.auth.token").Because(err))
				return
			}
			ctx = tenancy.With(context.WithValue(ctx, grantKey{}, g), g.Actor)
			if a.c.Localize != nil && g.Actor.Locale != "" {
				ctx = a.c.Localize(ctx, r.Header.Get("Accept-Language"), g.Actor.Locale)
			}
			told(r.Context(), g.Actor)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Remote returns the address of the client: the connection's, or, behind a trusted
// proxy, the last one in X-Forwarded-For that no trusted proxy has.
func (a *API) Remote(r *http.Request) string {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr := ap.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && a.trusts(addr); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
	}
	return addr.String()
}

func (a *API) trusts(addr netip.Addr) bool {
	for _, p := range a.c.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
