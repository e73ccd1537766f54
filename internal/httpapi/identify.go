package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

type grantKey struct{}

// WithGrant returns a context of a request, or of a long connection, whose credential
// allows this.
func WithGrant(ctx context.Context, g *auth.Grant) context.Context {
	return context.WithValue(ctx, grantKey{}, g)
}

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
		ctx := obs.WithAgent(obs.WithRemote(r.Context(), a.Remote(r)), r.UserAgent())
		credential, err := credentialOf(r.Header)
		if err != nil {
			a.refuse(w, r, http.StatusUnauthorized, err)
			return
		}
		if credential != "" {
			g, err := a.c.Auth.Authenticate(ctx, credential)
			if err != nil {
				// Guessing at tokens is paid for by the address, as no actor is known.
				if f := a.Take(remoteKey(RemoteFrom(ctx))); f != nil {
					a.tooMany(w, r, f)
					return
				}
				a.notGood(w, r, err)
				return
			}
			ctx = tenancy.With(WithGrant(ctx, g), g.Actor)
			if a.c.Localize != nil && g.Actor.Locale != "" {
				ctx = a.c.Localize(ctx, r.Header.Get("Accept-Language"), g.Actor.Locale)
			}
			told(r.Context(), g.Actor)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// notGood answers a credential that was not accepted, or could not be checked.
func (a *API) notGood(w http.ResponseWriter, r *http.Request, err error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		f = fault.New(fault.Unauthenticated, "error.auth.token").Because(err)
	}
	if f.Kind == fault.Unavailable {
		a.c.Log.WarnContext(r.Context(), "credential not checked", "error", err, "request_id", obs.RequestID(r.Context()))
		w.Header().Set("Retry-After", "5")
		a.refuse(w, r, http.StatusServiceUnavailable, f)
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	a.refuse(w, r, http.StatusUnauthorized, f)
}

// credentialOf returns the credential of a request as Authenticate takes it, "" when
// there is none. Two are refused: it would be unclear who acts.
func credentialOf(h http.Header) (string, *fault.Error) {
	authorization, key := h.Get("Authorization"), h.Get(auth.KeyHeader)
	switch {
	case key == "":
		return authorization, nil
	case authorization != "":
		return "", fault.New(fault.Unauthenticated, "error.auth.one")
	}
	return auth.KeyScheme + " " + key, nil
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
