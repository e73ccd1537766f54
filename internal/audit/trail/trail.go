// Package trail reads the audit log for the actor of the context: all of the tenant,
// or, for actors limited to sites, what concerns things on them.
package trail

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"foresight/ent"
	"foresight/ent/auditlog"
	"foresight/ent/enum"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// Service answers questions about the log. It is safe for concurrent use.
type Service struct{ client *ent.Client }

// New returns a service on the ORM.
func New(c *ent.Client) *Service { return &Service{c} }

// Filter narrows the log; nil fields do not.
type Filter struct {
	Entity    *string
	EntityID  *id.UUID
	ActorID   *id.UUID
	ActorKind *enum.ActorKind
	Action    *string
	From      *time.Time // inclusive
	To        *time.Time // exclusive
}

// Entries lists the log, the newest first.
func (s *Service) Entries(ctx context.Context, a page.Args, f Filter) (page.Page[*ent.AuditLog], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.AuditRead, a, keyset.Newest(auditlog.FieldAt))
	if err != nil {
		return page.Page[*ent.AuditLog]{}, err
	}
	q := f.narrow(s.query(ctx))
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.AuditLog) page.Key { return keyset.Key(e.At, e.ID) })
}

// ByID returns those among the ids that the actor may see.
func (s *Service) ByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.AuditLog, error) {
	if err := tenancy.Require(ctx, tenancy.AuditRead); err != nil {
		return nil, err
	}
	rows, err := s.query(ctx).Where(auditlog.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.AuditLog) id.UUID { return e.ID })
}

func (s *Service) query(ctx context.Context) *ent.AuditLogQuery {
	q := s.client.AuditLog.Query()
	if sites := tenancy.Must(ctx).SiteIDs; len(sites) > 0 {
		q.Where(func(s *sql.Selector) { onSites(s, sites) })
	}
	return q
}

func (f Filter) narrow(q *ent.AuditLogQuery) *ent.AuditLogQuery {
	if f.Entity != nil {
		q.Where(auditlog.Entity(*f.Entity))
	}
	if f.EntityID != nil {
		q.Where(auditlog.EntityID(*f.EntityID))
	}
	if f.ActorID != nil {
		q.Where(auditlog.ActorID(*f.ActorID))
	}
	if f.ActorKind != nil {
		q.Where(auditlog.ActorKindEQ(*f.ActorKind))
	}
	if f.Action != nil {
		q.Where(auditlog.Action(*f.Action))
	}
	if f.From != nil {
		q.Where(auditlog.AtGTE(*f.From))
	}
	if f.To != nil {
		q.Where(auditlog.AtLT(*f.To))
	}
	return q
}

// places are the entities that lie on a site, with the rows of a thing and the column
// of its site. What stands nowhere here is not shown to actors limited to sites: whom
// it concerns is not known.
var places = []struct{ entity, from, site string }{
	{ent.TypeSite, "SELECT FROM sites t", "t.id"},
	{ent.TypeGateway, "SELECT FROM gateways t", "t.site_id"},
	{ent.TypeAsset, "SELECT FROM assets t", "t.site_id"},
	{ent.TypeSensor, "SELECT FROM sensors t JOIN assets a ON a.tenant_id = t.tenant_id AND a.id = t.asset_id", "a.site_id"},
	{ent.TypeAlarmEvent, "SELECT FROM alarm_events t", "t.site_id"},
	{ent.TypeAlarmRule, "SELECT FROM alarm_rules t LEFT JOIN sensors s ON s.tenant_id = t.tenant_id AND s.id = t.sensor_id " +
		"LEFT JOIN assets a ON a.tenant_id = t.tenant_id AND a.id = coalesce(t.asset_id, s.asset_id)", "coalesce(t.site_id, a.site_id)"},
	{ent.TypeMaintenanceWorkOrder, "SELECT FROM maintenance_work_orders t JOIN assets a ON a.tenant_id = t.tenant_id AND a.id = t.asset_id", "a.site_id"},
}

func onSites(s *sql.Selector, sites []id.UUID) {
	s.Where(sql.P(func(b *sql.Builder) {
		b.WriteString("(")
		for i, p := range places {
			if i > 0 {
				b.WriteString(" OR ")
			}
			same := fmt.Sprintf("t.tenant_id = %s AND t.id = %s", s.C(auditlog.FieldTenantID), s.C(auditlog.FieldEntityID))
			b.WriteString(s.C(auditlog.FieldEntity) + " = ").Arg(p.entity).
				WriteString(" AND EXISTS (" + p.from + " WHERE " + same + " AND " + p.site + " = ANY (").Arg(sites).WriteString("))")
		}
		b.WriteString(")")
	}))
}
