package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"foresight/internal/fault"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

// maxForm is the largest body of a token request in bytes.
const maxForm = 16 << 10

// tokenAnswer is the body of RFC 6749, 5.1.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	TenantID     string `json:"tenant_id"`
}

// oauthError is the body of RFC 6749, 5.2.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	status      int
}

func (e *oauthError) Error() string { return e.Code }

func invalidRequest(why string) *oauthError {
	return &oauthError{Code: "invalid_request", Description: why, status: http.StatusBadRequest}
}

// TokenEndpoint answers POST /oauth/token: the grants client_credentials (client
// authenticated by Basic or in the form) and refresh_token, after RFC 6749.
// remote tells the address of the client.
func (s *Service) TokenEndpoint(remote func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		from := remote(r)
		r = r.WithContext(obs.WithAgent(obs.WithRemote(r.Context(), from), r.UserAgent()))
		session, err := s.tokenGrant(w, r, from)
		if err != nil {
			s.answerError(w, r, err)
			return
		}
		a := session.Grant.Actor
		answer := tokenAnswer{AccessToken: session.AccessToken, TokenType: "Bearer", ExpiresIn: int(session.ExpiresIn.Seconds()),
			RefreshToken: session.RefreshToken, TenantID: a.TenantID.String()}
		if a.Kind == tenancy.Client {
			answer.Scope = strings.Join(a.Scopes.Strings(), " ")
		}
		writeJSON(w, http.StatusOK, answer)
	})
}

func (s *Service) tokenGrant(w http.ResponseWriter, r *http.Request, remote string) (*Session, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		return nil, &oauthError{Code: "invalid_request", Description: "use POST", status: http.StatusMethodNotAllowed}
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("the body must be application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, invalidRequest("the form cannot be read")
	}
	for name, v := range r.PostForm {
		if len(v) > 1 {
			return nil, invalidRequest(fmt.Sprintf("%.40q is there twice", name))
		}
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		clientID, secret, err := clientAuth(r)
		if err != nil {
			return nil, err
		}
		return s.ClientCredentials(r.Context(), ClientLogin{clientID, secret, r.PostForm.Get("scope"), remote})
	case "refresh_token":
		token := r.PostForm.Get("refresh_token")
		if token == "" {
			return nil, invalidRequest("refresh_token is missing")
		}
		session, err := s.Refresh(r.Context(), token)
		if fault.Is(err, fault.Unauthenticated) {
			return nil, &oauthError{Code: "invalid_grant", Description: "the refresh token is not valid", status: http.StatusBadRequest}
		}
		return session, err
	case "":
		return nil, invalidRequest("grant_type is missing")
	}
	return nil, &oauthError{Code: "unsupported_grant_type", status: http.StatusBadRequest}
}

// clientAuth reads the client's id and secret from Basic (form-encoded within, as
// RFC 6749, 2.3.1 asks) or from the form, never from both.
func clientAuth(r *http.Request) (clientID, secret string, err error) {
	formID, formSecret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if h := r.Header.Get("Authorization"); h != "" {
		user, password, ok := r.BasicAuth()
		if !ok {
			return "", "", &oauthError{Code: "invalid_client", status: http.StatusUnauthorized}
		}
		if clientID, err = url.QueryUnescape(user); err == nil {
			secret, err = url.QueryUnescape(password)
		}
		if err != nil {
			return "", "", invalidRequest("the Basic credentials are not form-encoded")
		}
		if formSecret != "" || formID != "" && formID != clientID {
			return "", "", invalidRequest("more than one way of client authentication")
		}
		return clientID, secret, nil
	}
	if formID == "" || formSecret == "" {
		return "", "", &oauthError{Code: "invalid_client", Description: "client authentication is missing", status: http.StatusUnauthorized}
	}
	return formID, formSecret, nil
}

func (s *Service) answerError(w http.ResponseWriter, r *http.Request, err error) {
	var e *oauthError
	var f *fault.Error
	switch {
	case errors.As(err, &e):
	case errors.As(err, &f) && f.Kind == fault.Unauthenticated:
		e = &oauthError{Code: "invalid_client", status: http.StatusUnauthorized}
	case f != nil && f.Kind == fault.BadInput:
		e = &oauthError{Code: "invalid_scope", status: http.StatusBadRequest}
	case f != nil && f.Kind == fault.RateLimited:
		w.Header().Set("Retry-After", fmt.Sprint(f.Args["Seconds"]))
		e = &oauthError{Code: "temporarily_unavailable", Description: "too many failed tries", status: http.StatusTooManyRequests}
	default:
		s.c.Log.ErrorContext(r.Context(), "token request failed", "error", err)
		e = &oauthError{Code: "temporarily_unavailable", status: http.StatusServiceUnavailable}
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="foresight", charset="UTF-8"`)
	}
	writeJSON(w, e.status, e)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client has gone
}
