package config

import "strings"

// Telemetry is the store of readings, predictions and rollups.
type Telemetry struct {
	Store         string `env:"STORE" envDefault:"postgres" doc:"Where readings, predictions and rollups are kept, the same in all processes: postgres, beside all else; or mongo, a MongoDB 6.0 or later."`
	MongoURI      string `env:"MONGO_URI" secret:"true" doc:"Connection string of MongoDB, mongodb:// or mongodb+srv://. Its concerns and read preference are not followed."`
	MongoDatabase string `env:"MONGO_DATABASE" envDefault:"foresight" doc:"Database in MongoDB."`
	MongoSchema   string `env:"MONGO_SCHEMA" envDefault:"managed" doc:"managed: collections, validators and indexes are made and changed at start, nothing is dropped; external: somebody else does, they are compared at start, and what is missing is said."`
}

// The stores.
const (
	StorePostgres = "postgres"
	StoreMongo    = "mongo"
)

func (t Telemetry) verify(bad func(name, format string, args ...any)) {
	if t.Store != StorePostgres && t.Store != StoreMongo {
		bad("TELEMETRY_STORE", "want %s or %s", StorePostgres, StoreMongo)
	}
	if t.Store == StoreMongo && !strings.HasPrefix(t.MongoURI, "mongodb://") && !strings.HasPrefix(t.MongoURI, "mongodb+srv://") {
		bad("TELEMETRY_MONGO_URI", "want mongodb://… or mongodb+srv://…")
	}
	if t.MongoDatabase == "" || strings.ContainsAny(t.MongoDatabase, "/\\. \"$*<>:|?\x00") || len(t.MongoDatabase) > 63 {
		bad("TELEMETRY_MONGO_DATABASE", "want a name of MongoDB: no dots, spaces or signs, 63 bytes at most")
	}
	if t.MongoSchema != "managed" && t.MongoSchema != "external" {
		bad("TELEMETRY_MONGO_SCHEMA", "want managed or external")
	}
}
