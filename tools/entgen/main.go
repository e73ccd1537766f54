// Command entgen generates the ORM in ent from ent/schema. It is run by
// `go generate ./ent`, in the folder ent.
//
// The schema imports parts of what is generated (policies, interceptors). When
// generated code is broken or missing, check it out again before generating.
package main

import (
	_ "embed"
	"log"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
)

// policies is the template of a list for tests, ent/enttest/policies.go.
//
//go:embed policies.tmpl
var policies string

func main() {
	log.SetFlags(0)
	cfg := &gen.Config{
		Target:  ".",
		Package: "foresight/ent",
		Features: []gen.Feature{
			gen.FeaturePrivacy,
			gen.FeatureIntercept,
			gen.FeatureEntQL,
			gen.FeatureLock,
		},
		Templates: []*gen.Template{gen.MustParse(gen.NewTemplate("policies").Parse(policies))},
	}
	if err := entc.Generate("./schema", cfg); err != nil {
		log.Fatalf("entgen: %v", err)
	}
}
