package auth

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/internal/audit"
	"foresight/internal/id"
)

// What the audit log tells of sessions; the entity is the person.
const (
	didSignIn      = "login"
	didSignOut     = "logout"
	didEndSession  = "end_session" // by the person elsewhere, or by an admin
	didSwitch      = "switch_tenant"
	noticedReplay  = "refresh_token_reused" // by a thief, or the person after one
	sessionsEntity = "User"
)

// note adds an entry about a person to the audit log, in the name of the context's
// actor.
func note(ctx context.Context, tx pgx.Tx, action string, user id.UUID) error {
	return audit.Record(ctx, tx, audit.Entry{Action: action, Entity: sessionsEntity, ID: user})
}
