// Package model holds the Go types of the graph that are no entities: connections
// by hand, inputs and payloads generated.
package model

import (
	"foresight/ent"
	"foresight/internal/alarms"
	"foresight/internal/page"
	"foresight/internal/telemetry"
)

// Connection is a page of a list as the graph shows it.
type Connection[T any] struct{ page.Page[T] }

// Edge is an item of a page with its cursor.
type Edge[T any] struct {
	Cursor string
	Node   T
}

// PageInfo is the place of a page within its connection.
type PageInfo struct {
	HasNextPage, HasPreviousPage bool
	StartCursor, EndCursor       *string
}

// NewConnection shows a page, or passes the error on.
func NewConnection[T any](p page.Page[T], err error) (*Connection[T], error) {
	if err != nil {
		return nil, err
	}
	return &Connection[T]{p}, nil
}

// Nodes returns the items.
func (c *Connection[T]) Nodes() []T { return c.Items }

// Edges returns the items with their cursors.
func (c *Connection[T]) Edges() []*Edge[T] {
	out := make([]*Edge[T], len(c.Items))
	for i, n := range c.Items {
		out[i] = &Edge[T]{c.Cursor(n), n}
	}
	return out
}

// PageInfo returns the place of the page.
func (c *Connection[T]) PageInfo() *PageInfo {
	p := &PageInfo{HasNextPage: c.HasNext, HasPreviousPage: c.HasPrevious}
	if n := len(c.Items); n > 0 {
		first, last := c.Cursor(c.Items[0]), c.Cursor(c.Items[n-1])
		p.StartCursor, p.EndCursor = &first, &last
	}
	return p
}

// TotalCount returns the number of all matches; it was counted only when asked for.
func (c *Connection[T]) TotalCount() int { return c.Total }

// The connections of the graph.
type (
	ApiKeyConnection          = Connection[*ent.APIKey]
	ApiKeyEdge                = Edge[*ent.APIKey]
	OAuthClientConnection     = Connection[*ent.OAuthClient]
	OAuthClientEdge           = Edge[*ent.OAuthClient]
	UserConnection            = Connection[*ent.User]
	UserEdge                  = Edge[*ent.User]
	MembershipConnection      = Connection[*ent.Membership]
	MembershipEdge            = Edge[*ent.Membership]
	InviteConnection          = Connection[*ent.Invite]
	InviteEdge                = Edge[*ent.Invite]
	AccessRoleConnection      = Connection[*ent.Role]
	AccessRoleEdge            = Edge[*ent.Role]
	PermissionConnection      = Connection[*ent.Permission]
	PermissionEdge            = Edge[*ent.Permission]
	TenantConnection          = Connection[*ent.Tenant]
	TenantEdge                = Edge[*ent.Tenant]
	SiteConnection            = Connection[*ent.Site]
	SiteEdge                  = Edge[*ent.Site]
	GatewayConnection         = Connection[*ent.Gateway]
	GatewayEdge               = Edge[*ent.Gateway]
	AssetConnection           = Connection[*ent.Asset]
	AssetEdge                 = Edge[*ent.Asset]
	SensorConnection          = Connection[*ent.Sensor]
	SensorEdge                = Edge[*ent.Sensor]
	ParameterConnection       = Connection[*ent.Parameter]
	ParameterEdge             = Edge[*ent.Parameter]
	FaultTypeConnection       = Connection[*ent.FaultType]
	FaultTypeEdge             = Edge[*ent.FaultType]
	ModelConnection           = Connection[*ent.MLModel]
	ModelEdge                 = Edge[*ent.MLModel]
	ModelVersionConnection    = Connection[*ent.MLModelVersion]
	ModelVersionEdge          = Edge[*ent.MLModelVersion]
	DeploymentConnection      = Connection[*ent.MLModelDeployment]
	DeploymentEdge            = Edge[*ent.MLModelDeployment]
	AuditEntryConnection      = Connection[*ent.AuditLog]
	AuditEntryEdge            = Edge[*ent.AuditLog]
	WebhookConnection         = Connection[*ent.Webhook]
	WebhookEdge               = Edge[*ent.Webhook]
	AlarmRuleConnection       = Connection[*ent.AlarmRule]
	AlarmRuleEdge             = Edge[*ent.AlarmRule]
	AlarmEventConnection      = Connection[*alarms.Event]
	AlarmEventEdge            = Edge[*alarms.Event]
	ReadingConnection         = Connection[*telemetry.Raw]
	ReadingEdge               = Edge[*telemetry.Raw]
	FaultPredictionConnection = Connection[*telemetry.FaultPrediction]
	FaultPredictionEdge       = Edge[*telemetry.FaultPrediction]
)
