package model

import (
	"foresight/ent"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Viewer is the caller of a request, or who has just signed in.
type Viewer struct {
	Actor           *tenancy.Actor
	User            *ent.User // nil for a machine, and for a guest from another tenant
	Tenant          *ent.Tenant
	Role            *tenancy.Role // nil for a machine
	Permissions     []string
	SiteIDs         []id.UUID
	SitePermissions []*SitePermission
}
