package main

import (
	"fmt"
	"maps"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
)

// withChecks gives the tables the checks that the ORM keeps in Go only: values of
// enumerations, and lengths of texts and byte strings.
func withChecks(tables []*schema.Table) []*schema.Table {
	for _, t := range tables {
		if t.Annotation == nil {
			t.Annotation = &entsql.Annotation{}
		}
		checks := maps.Clone(t.Annotation.Checks)
		if checks == nil {
			checks = make(map[string]string)
		}
		for _, c := range t.Columns {
			if c.Type == field.TypeString || c.Type == field.TypeEnum {
				// text needs no casts in checks and indexes, varchar does.
				c.SchemaType = map[string]string{dialect.Postgres: "text"}
			}
			if name, expr := check(t.Name, c); expr != "" {
				checks[name] = expr
			}
		}
		t.Annotation.Checks = checks
	}
	return tables
}

func check(table string, c *schema.Column) (name, expr string) {
	switch {
	case c.Type == field.TypeEnum:
		quoted := make([]string, len(c.Enums))
		for i, v := range c.Enums {
			quoted[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
		}
		return table + "_" + c.Name + "_enum", fmt.Sprintf("%q IN (%s)", c.Name, strings.Join(quoted, ", "))
	case c.Type == field.TypeString && c.Size > 0:
		return table + "_" + c.Name + "_length", fmt.Sprintf("char_length(%q) <= %d", c.Name, c.Size)
	case c.Type == field.TypeBytes && c.Size > 0:
		return table + "_" + c.Name + "_length", fmt.Sprintf("octet_length(%q) <= %d", c.Name, c.Size)
	}
	return "", ""
}
