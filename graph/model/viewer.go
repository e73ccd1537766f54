package model

import (
	"github.com/google/uuid"

	"foresight/ent"
	"foresight/internal/tenancy"
)

// Viewer is the caller of a request, or who has just signed in.
type Viewer struct {
	Actor       *tenancy.Actor
	User        *ent.User // nil for a machine, and for a guest from another tenant
	Tenant      *ent.Tenant
	Role        *tenancy.Role // nil for a machine
	Permissions []string
	// Not by its alias, id.UUID: lists of it in inputs have no other name than this, and the
	// generator would take now the one, now the other for the functions that both share.
	SiteIDs         []uuid.UUID
	SitePermissions []*SitePermission
}
