package tenancy

import (
	"context"
	"sort"
	"strings"

	"foresight/internal/fault"
)

// Permission is `resource:action`.
type Permission string

// The permissions of the product. The graph maps every operation to one of them.
const (
	PlantRead        Permission = "plant:read" // tenant, sites, gateways, assets, sensors, parameters
	PlantWrite       Permission = "plant:write"
	TelemetryRead    Permission = "telemetry:read"
	TelemetryWrite   Permission = "telemetry:write"
	PredictionsRead  Permission = "predictions:read"
	PredictionsWrite Permission = "predictions:write"
	ModelsRead       Permission = "models:read"
	ModelsWrite      Permission = "models:write"
	ModelsDeploy     Permission = "models:deploy"
	RulesRead        Permission = "rules:read"
	RulesWrite       Permission = "rules:write"
	AlarmsRead       Permission = "alarms:read"
	AlarmsAct        Permission = "alarms:acknowledge" // acknowledge, clear, resolve
	SchemaRead       Permission = "schema:read"        // introspection, where it is not open to all
	UsersRead        Permission = "users:read"
	UsersWrite       Permission = "users:write"

	// What only those who run a tenant hold.
	RolesRead        Permission = "roles:read"
	RolesWrite       Permission = "roles:write"
	CredentialsRead  Permission = "credentials:read" // API keys and OAuth clients
	CredentialsWrite Permission = "credentials:write"
	WebhooksRead     Permission = "webhooks:read"
	WebhooksWrite    Permission = "webhooks:write"
	AuditRead        Permission = "audit:read"
	TenantWrite      Permission = "tenant:write" // the tenant's own settings
)

var all = []Permission{
	PlantRead, PlantWrite, TelemetryRead, TelemetryWrite, PredictionsRead, PredictionsWrite,
	ModelsRead, ModelsWrite, ModelsDeploy, RulesRead, RulesWrite, AlarmsRead, AlarmsAct,
	SchemaRead, UsersRead, UsersWrite,
	RolesRead, RolesWrite, CredentialsRead, CredentialsWrite, WebhooksRead, WebhooksWrite, AuditRead, TenantWrite,
}

// administrative permissions to read belong to admins alone.
var administrative = NewSet(UsersRead, RolesRead, CredentialsRead, WebhooksRead, AuditRead)

// Permissions lists every permission.
func Permissions() []Permission { return append([]Permission(nil), all...) }

// Known reports whether the text names a permission.
func Known(p Permission) bool {
	for _, q := range all {
		if p == q {
			return true
		}
	}
	return false
}

// Set is a set of permissions.
type Set map[Permission]struct{}

// NewSet returns the set of the permissions.
func NewSet(ps ...Permission) Set {
	s := make(Set, len(ps))
	for _, p := range ps {
		s[p] = struct{}{}
	}
	return s
}

// Has reports membership; a nil set has nothing.
func (s Set) Has(p Permission) bool { _, ok := s[p]; return ok }

// Strings lists the set in order.
func (s Set) Strings() []string {
	out := make([]string, 0, len(s))
	for p := range s {
		out = append(out, string(p))
	}
	sort.Strings(out)
	return out
}

// Role is a system role; each holds all that the one before it holds.
type Role string

// The system roles.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Engineer Role = "engineer"
	Admin    Role = "admin"
)

// RoleScopes returns what a system role may do; an unknown role may do nothing.
func RoleScopes(r Role) Set {
	s := Set{}
	switch r {
	case Admin:
		return NewSet(all...)
	case Engineer:
		for _, p := range []Permission{PlantWrite, TelemetryWrite, RulesWrite, ModelsWrite, ModelsDeploy} {
			s[p] = struct{}{}
		}
		fallthrough
	case Operator:
		s[AlarmsAct] = struct{}{}
		s[PredictionsWrite] = struct{}{}
		fallthrough
	case Viewer:
		for _, p := range all {
			if strings.HasSuffix(string(p), ":read") && !administrative.Has(p) {
				s[p] = struct{}{}
			}
		}
	}
	return s
}

// Values lists the roles, rising; the database's check is made from it.
func (Role) Values() []string {
	return []string{string(Viewer), string(Operator), string(Engineer), string(Admin)}
}

// Require returns nil when the context's actor holds the permission, FORBIDDEN
// when it does not, and UNAUTHENTICATED when there is no actor.
func Require(ctx context.Context, p Permission) error {
	a := From(ctx)
	if a == nil {
		return fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	if !a.Can(p) {
		return fault.Denied(string(p))
	}
	return nil
}
