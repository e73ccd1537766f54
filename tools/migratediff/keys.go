package main

import (
	"fmt"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect/sql/schema"

	entschema "foresight/ent/schema"
)

// tenantKeys narrows every key of the wanted schema to the tenant before it is
// compared with the present one.
func tenantKeys(next schema.Differ) schema.Differ {
	return schema.DiffFunc(func(current, desired *atlas.Schema) ([]atlas.Change, error) {
		for _, t := range desired.Tables {
			nullsNotDistinct(t)
			uniquePerTenant(t)
		}
		for _, t := range desired.Tables {
			for _, fk := range t.ForeignKeys {
				if err := composite(fk); err != nil {
					return nil, err
				}
				ofItsModel(fk)
			}
			if err := ownerKeys(desired, t); err != nil {
				return nil, err
			}
		}
		return next.Diff(current, desired)
	})
}

// nullsNotDistinct gives the clause to the indexes whose name asks for it.
func nullsNotDistinct(t *atlas.Table) {
	for _, i := range t.Indexes {
		if strings.HasSuffix(i.Name, entschema.NullsNotDistinct) {
			i.AddAttrs(&postgres.IndexNullsDistinct{V: false})
		}
	}
}

// uniquePerTenant adds what composite keys refer to. It must be a constraint: an
// index is made after the table and comes too late for keys to the table itself.
func uniquePerTenant(t *atlas.Table) {
	if !ownedByTenant(t) {
		return
	}
	unique(t, "tenant_id", "id")
	switch t.Name {
	case "memberships":
		unique(t, "tenant_id", "user_id")
	case versions:
		unique(t, "tenant_id", "model_id", "id")
	}
}

// versions is the table of model versions. Where one is named beside a model, it is a
// version of that model: what is held once per model (the version in production)
// would otherwise not be.
const versions = "ml_model_versions"

func ofItsModel(fk *atlas.ForeignKey) {
	if fk.RefTable.Name != versions || column(fk.Table, "model_id") == nil {
		return
	}
	model := func(t *atlas.Table, columns []*atlas.Column) []*atlas.Column {
		return slices.Insert(columns, 1, column(t, "model_id"))
	}
	fk.Columns, fk.RefColumns = model(fk.Table, fk.Columns), model(fk.RefTable, fk.RefColumns)
}

func unique(t *atlas.Table, columns ...string) {
	name := t.Name + "_" + strings.Join(columns, "_") + "_key"
	i := atlas.NewUniqueIndex(name).AddAttrs(postgres.UniqueConstraint(name))
	for _, c := range columns {
		i.AddColumns(column(t, c))
	}
	t.AddIndexes(i)
}

// composite rewrites a key between two tables of tenants.
func composite(fk *atlas.ForeignKey) error {
	if len(fk.Columns) != 1 || !ownedByTenant(fk.Table) {
		return nil
	}
	if builtIn[fk.RefTable.Name] {
		return nil // no tenant has rows there
	}
	if !ownedByTenant(fk.RefTable) {
		return fmt.Errorf("%s: %s has rows without a tenant, a key to it would not stay within one", fk.Symbol, fk.RefTable.Name)
	}
	fk.Columns = []*atlas.Column{column(fk.Table, "tenant_id"), fk.Columns[0]}
	fk.RefColumns = []*atlas.Column{column(fk.RefTable, "tenant_id"), fk.RefColumns[0]}
	// SET NULL would null the tenant as well; rows are soft-deleted anyway.
	fk.OnDelete = atlas.NoAction
	return nil
}

// ownerKeys adds the keys that are no edges of the ORM: of a row to its tenant,
// and of the columns that name people to their membership in that tenant.
func ownerKeys(s *atlas.Schema, t *atlas.Table) error {
	if builtIn[t.Name] {
		return nil
	}
	tenants, ok := s.Table("tenants")
	if !ok {
		return fmt.Errorf("no table tenants")
	}
	memberships, ok := s.Table("memberships")
	if !ok {
		return fmt.Errorf("no table memberships")
	}
	own := "id" // of the tenants themselves
	if t != tenants {
		own = "tenant_id"
		if column(t, own) == nil {
			return fmt.Errorf("%s has no tenant_id", t.Name)
		}
		key(t, []string{own}, tenants, []string{"id"})
	}
	for _, c := range t.Columns {
		switch {
		case t == memberships && c.Name == "user_id":
			users, ok := s.Table("users")
			if !ok {
				return fmt.Errorf("no table users")
			}
			// The one key that may lead into another tenant: a guest's home.
			key(t, []string{c.Name}, users, []string{"id"})
		case namesPerson(c.Name):
			key(t, []string{own, c.Name}, memberships, []string{"tenant_id", "user_id"})
		}
	}
	return nil
}

// namesPerson reports whether a column holds a user id, which is a matter of its name.
func namesPerson(column string) bool {
	switch column {
	case "user_id", "by", "assigned_to":
		return true
	}
	return strings.HasSuffix(column, "_by")
}

func key(t *atlas.Table, columns []string, ref *atlas.Table, refColumns []string) {
	fk := atlas.NewForeignKey(t.Name + "_" + columns[len(columns)-1] + "_fkey").
		SetTable(t).SetRefTable(ref).SetOnDelete(atlas.NoAction).SetOnUpdate(atlas.NoAction)
	for i := range columns {
		fk.AddColumns(column(t, columns[i]))
		fk.AddRefColumns(column(ref, refColumns[i]))
	}
	t.AddForeignKeys(fk)
}

// ownedByTenant reports whether every row of the table belongs to a tenant.
func ownedByTenant(t *atlas.Table) bool {
	c := column(t, "tenant_id")
	return c != nil && !c.Type.Null
}

func column(t *atlas.Table, name string) *atlas.Column {
	if i := slices.IndexFunc(t.Columns, func(c *atlas.Column) bool { return c.Name == name }); i >= 0 {
		return t.Columns[i]
	}
	return nil
}
