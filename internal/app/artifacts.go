package app

import (
	"context"

	"foresight/internal/artifacts"
	"foresight/internal/modelops"
)

// startArtifacts opens the store of artifacts, beside the other files.
func (a *App) startArtifacts(ctx context.Context) error {
	a.artifacts = artifacts.New(a.files.store)
	if err := a.artifacts.KeepShipped(ctx); err != nil {
		// What ships is served from the binary; only a later release would look for it.
		a.log.WarnContext(ctx, "shipped models not kept for later releases", "error", err)
	}
	return nil
}

// openRegistry opens what makes versions, once uploads come in.
func (a *App) openRegistry() { a.versions = modelops.NewVersions(a.db.sql, a.artifacts, a.bulk) }
