package app

import (
	"context"

	"foresight/internal/access"
	"foresight/internal/httpapi"
	"foresight/internal/status"
)

// status tells operators how the installation stands.
func (a *App) status(people *access.Service) httpapi.Status {
	r := &status.Reader{Pool: a.db.worker, Bus: a.bus.conn, Log: a.bus.log}
	return func(ctx context.Context) (any, error) {
		if err := people.Operates(ctx); err != nil {
			return nil, err
		}
		return r.Read(ctx)
	}
}
