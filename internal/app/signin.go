package app

import (
	"context"
	"net/http"
	"net/url"

	"foresight/internal/auth"
	"foresight/internal/auth/sso"
	"foresight/internal/httpapi"
	"foresight/internal/id"
)

// signIn returns what signs people in by OpenID Connect, nil when no provider is
// configured.
func (a *App) signIn(sessions *auth.Service) (http.Handler, error) {
	if a.cfg.Auth.OIDCFile == "" {
		return nil, nil
	}
	providers, err := sso.Load(a.cfg.Auth.OIDCFile)
	if err != nil {
		return nil, err
	}
	public, err := url.Parse(a.cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	return sso.New(sso.Config{Providers: providers, PublicURL: public, Secure: a.cfg.Secure(), Login: sessions.LoginWith, Log: a.log,
		Tenant: func(ctx context.Context, code string) (tenant id.UUID, err error) {
			err = a.db.worker.QueryRow(ctx, `SELECT id FROM tenants WHERE code = $1 AND is_active AND NOT is_deleted`, code).Scan(&tenant)
			return tenant, err
		},
		Keep: func(ctx context.Context, token string) bool {
			return httpapi.SetRefreshCookie(ctx, token, a.cfg.Auth.RefreshTTL)
		},
	}), nil
}
