package bulk

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant"
	"foresight/internal/tenancy"
)

// Existing is what an import does with rows whose code is there already.
type Existing string

// The ways with what is there.
const (
	RejectExisting Existing = "reject" // it is a mistake
	SkipExisting   Existing = "skip"   // it is left as it is, and may be referred to
)

// resolver finds what rows refer to, in the file and in the database, and judges them.
type resolver struct {
	existing Existing
	rows     map[Kind]map[string]*row
	stored   map[Kind]map[string]stored
	places   map[id.UUID]id.UUID // site of each thing that may be referred to, by its id
	unique   map[string]int      // row by value of what must be unique besides codes
	taken    map[string]bool     // such values in the database
	judged   map[*row]bool       // false: being judged
}

// stored is a row of the database.
type stored struct {
	id, site id.UUID
	visible  bool // the actor sees it
}

// resolve judges the rows of a file within the transaction of the import. What it
// finds in the database cannot be moved or deleted until that ends.
func resolve(ctx context.Context, tx pgx.Tx, rows []*row, existing Existing, told func(done int)) error {
	v := &resolver{existing: existing, rows: map[Kind]map[string]*row{}, stored: map[Kind]map[string]stored{},
		places: map[id.UUID]id.UUID{}, unique: map[string]int{}, taken: map[string]bool{}, judged: map[*row]bool{}}
	for _, k := range kinds {
		v.rows[k] = map[string]*row{}
	}
	for _, r := range rows {
		if !slices.Contains(kinds, r.kind) {
			continue
		}
		if first, twice := v.rows[r.kind][r.code]; twice && r.code != "" {
			r.bad("code", fault.New(fault.Conflict, "error.import.codeTwice").With("Row", first.number))
			continue
		}
		v.rows[r.kind][r.code] = r
	}
	if err := v.load(ctx, tx, rows); err != nil {
		return err
	}
	done := 0
	for _, k := range kinds {
		for _, r := range rows {
			if r.kind != k {
				continue
			}
			if err := v.judge(ctx, r); err != nil {
				return err
			}
			if done++; done%500 == 0 {
				told(done)
			}
		}
	}
	return nil
}

// load reads what the file's codes name in the database.
func (v *resolver) load(ctx context.Context, tx pgx.Tx, rows []*row) error {
	a := tenancy.Must(ctx)
	codes := map[Kind]map[string]bool{Site: {}, Gateway: {}, Asset: {}, Sensor: {}}
	var topics, externals []string
	for _, r := range rows {
		if r.code != "" && codes[r.kind] != nil {
			codes[r.kind][r.code] = true
		}
		for _, f := range r.refs {
			codes[f.kind][f.code] = true
		}
		if t := r.sensor.MQTTTopic; t != nil {
			topics = append(topics, *t)
		}
		if e := r.asset.ExternalRef; e != nil {
			externals = append(externals, *e)
		}
	}
	for k, query := range map[Kind]string{
		Site:    `SELECT site_code, id, id FROM sites WHERE tenant_id = $1 AND site_code = ANY ($2) AND NOT is_deleted FOR SHARE`,
		Gateway: `SELECT gateway_code, id, site_id FROM gateways WHERE tenant_id = $1 AND gateway_code = ANY ($2) AND NOT is_deleted FOR SHARE`,
		Asset:   `SELECT asset_code, id, site_id FROM assets WHERE tenant_id = $1 AND asset_code = ANY ($2) AND NOT is_deleted FOR SHARE`,
		Sensor: `SELECT s.sensor_code, s.id, a.site_id FROM sensors s JOIN assets a ON a.tenant_id = s.tenant_id AND a.id = s.asset_id
			WHERE s.tenant_id = $1 AND s.sensor_code = ANY ($2) AND NOT s.is_deleted`,
	} {
		v.stored[k] = map[string]stored{}
		names := make([]string, 0, len(codes[k]))
		for code := range codes[k] {
			names = append(names, code)
		}
		found, err := tx.Query(ctx, query, a.TenantID, names)
		if err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		var code string
		var s stored
		if _, err := pgx.ForEachRow(found, []any{&code, &s.id, &s.site}, func() error {
			s.visible = len(a.SiteIDs) == 0 || slices.Contains(a.SiteIDs, s.site)
			v.stored[k][code] = s
			if s.visible {
				v.places[s.id] = s.site
			}
			return nil
		}); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
	}
	found, err := tx.Query(ctx, `
		SELECT 'mqtt_topic ' || mqtt_topic FROM sensors WHERE tenant_id = $1 AND mqtt_topic = ANY ($2) AND NOT is_deleted
		UNION ALL SELECT 'external_ref ' || external_ref FROM assets WHERE tenant_id = $1 AND external_ref = ANY ($3) AND NOT is_deleted`,
		a.TenantID, topics, externals)
	if err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	var value string
	_, err = pgx.ForEachRow(found, []any{&value}, func() error { v.taken[value] = true; return nil })
	return err
}

// judge decides about a row after what it refers to in the file.
func (v *resolver) judge(ctx context.Context, r *row) error {
	if _, begun := v.judged[r]; begun {
		return nil
	}
	v.judged[r] = false
	defer func() { v.judged[r] = true }()
	if v.isThere(r) {
		return nil
	}
	for _, f := range r.refs {
		if err := v.refer(ctx, r, f); err != nil {
			return err
		}
	}
	if err := v.check(ctx, r); err != nil {
		return err
	}
	for column, value := range map[string]*string{"mqtt_topic": r.sensor.MQTTTopic, "external_ref": r.asset.ExternalRef} {
		if value != nil {
			v.onlyOne(r, column, *value)
		}
	}
	return nil
}

// isThere settles a row whose code is in the database.
func (v *resolver) isThere(r *row) bool {
	s, there := v.stored[r.kind][r.code]
	if !there || r.wrong != nil {
		return false
	}
	if v.existing == SkipExisting && s.visible {
		r.skip, r.id = true, s.id
		return true
	}
	r.bad("code", fault.New(fault.Conflict, "error."+string(r.kind)+".codeTaken"))
	return false
}

// refer puts the id of what a reference names into the row.
func (v *resolver) refer(ctx context.Context, r *row, f ref) error {
	if to, ok := v.rows[f.kind][f.code]; ok && to != r {
		if done, begun := v.judged[to]; begun && !done {
			r.bad(f.column, fault.New(fault.BadInput, "error.asset.circle"))
			return nil
		}
		if err := v.judge(ctx, to); err != nil {
			return err
		}
		switch s, there := v.stored[f.kind][f.code]; {
		case to.wrong == nil:
			f.set(to.id)
			return nil
		case !there || !s.visible:
			r.bad(f.column, fault.New(fault.BadInput, "error.import.referenceRejected").With("Row", to.number))
			return nil
		}
	} else if ok {
		r.bad(f.column, fault.New(fault.BadInput, "error.asset.circle"))
		return nil
	}
	s, there := v.stored[f.kind][f.code]
	if !there || !s.visible {
		r.bad(f.column, fault.Missing(f.kind.entity()))
		return nil
	}
	f.set(s.id)
	return nil
}

// check applies the rules of single changes.
func (v *resolver) check(ctx context.Context, r *row) error {
	find := func(_ context.Context, _ string, of id.UUID) (id.UUID, bool, error) {
		site, ok := v.places[of]
		return site, ok, nil
	}
	var l fault.List
	var err error
	site := r.id
	switch r.kind {
	case Site:
		if len(tenancy.Must(ctx).SiteIDs) > 0 {
			r.bad("kind", fault.New(fault.BadInput, "error.import.siteOutOfReach"))
		}
		l, err = plant.CheckSite(&r.site)
	case Gateway:
		l, err = plant.CheckGateway(ctx, &r.gateway, find)
		site = r.gateway.Site
	case Asset:
		l, err = plant.CheckAsset(ctx, &r.asset, find)
		site = r.asset.Site
	case Sensor:
		l, err = plant.CheckSensor(ctx, &r.sensor, find)
	}
	if err != nil {
		return err
	}
	for _, f := range l {
		if column := columnOf(r.kind, field(f)); !r.blames(column) {
			r.bad(column, f)
		}
	}
	if r.wrong == nil {
		v.places[r.id] = site
	}
	return nil
}

// onlyOne holds a value to be unique in the file and in the database.
func (v *resolver) onlyOne(r *row, column, value string) {
	key := column + " " + value
	first, twice := v.unique[key]
	switch {
	case twice:
		r.bad(column, fault.New(fault.Conflict, "error.import.valueTwice").With("Row", first))
	case v.taken[key] && column == "mqtt_topic":
		r.bad(column, fault.New(fault.Conflict, "error.sensor.topicTaken"))
	case v.taken[key]:
		r.bad(column, fault.New(fault.Conflict, "error.asset.externalRefTaken"))
	}
	if !twice {
		v.unique[key] = r.number
	}
}
