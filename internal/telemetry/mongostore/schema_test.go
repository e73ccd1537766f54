package mongostore

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"foresight/internal/testkit/mongofake"
)

// started tries to start a store and stops it again.
func started(t *testing.T, o Options) error {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		return err
	}
	return s.Stop(context.WithoutCancel(t.Context()))
}

func run(t *testing.T, m *mongofake.Memory, cmd bson.D) {
	t.Helper()
	b, err := bson.Marshal(append(cmd, bson.E{Key: "$db", Value: "foresight"}))
	if err != nil {
		t.Fatal(err)
	}
	var doc bson.D
	if err := bson.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if reply := m.Handle(t.Context(), mongofake.Command{Name: doc[0].Key, Database: "foresight", Doc: doc}); mongofake.Get(reply, "errmsg") != nil {
		t.Fatal(reply)
	}
}

func TestExternalSchemaSaysWhatIsMissing(t *testing.T) {
	memory := mongofake.NewMemory()
	server := mongofake.Start(t, mongofake.Limits{}, memory.Handle)
	var missing *SchemaError
	err := started(t, Options{URI: server.URI(), Schema: External})
	if !errors.As(err, &missing) || len(missing.Missing) != 2*6 { // six collections, and the indexes of each
		t.Fatalf("of nothing: %v", err)
	}
	for _, c := range server.Commands() {
		if c.Name != "hello" && c.Name != "listCollections" && c.Name != "listIndexes" {
			t.Errorf("it sent %s", c.Name)
		}
	}
	// What the error names is what mends it.
	for _, m := range missing.Missing {
		_, command, ok := strings.Cut(m, "; wanted: ")
		var doc bson.D
		if err := bson.UnmarshalExtJSON([]byte(command), false, &doc); !ok || err != nil {
			t.Fatalf("%s: %v", m, err)
		}
		run(t, memory, doc)
	}
	if err := started(t, Options{URI: server.URI(), Schema: External}); err != nil {
		t.Errorf("after what it named: %v", err)
	}

	for name, c := range map[string]struct {
		change bson.D
		want   string
	}{
		"another validator": {bson.D{{Key: "collMod", Value: predictionsName}, {Key: "validator", Value: bson.D{}}}, "the validator of predictions is another; wanted: {\"collMod\":\"predictions\""},
		"violations pass":   {bson.D{{Key: "collMod", Value: rawName}, {Key: "validationAction", Value: "warn"}}, "the validator of telemetry_raw is another"},
		"another retention": {bson.D{{Key: "collMod", Value: rawName}, {Key: "index", Value: bson.D{{Key: "keyPattern", Value: keys(fieldTime)}, {Key: "expireAfterSeconds", Value: 60}}}}, "does not expire documents after 720h0m0s; wanted: {\"collMod\":\"telemetry_raw\""},
	} {
		run(t, memory, c.change)
		err := started(t, Options{URI: server.URI(), Schema: External})
		if !errors.As(err, &missing) || len(missing.Missing) != 1 || !strings.Contains(missing.Missing[0], c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err := started(t, Options{URI: server.URI()}); err != nil {
			t.Errorf("%s is not mended: %v", name, err)
		}
		if err := started(t, Options{URI: server.URI(), Schema: External}); err != nil {
			t.Errorf("%s, mended: %v", name, err)
		}
	}
}

// TestManagedSchemaDropsNothing: an index that stands in the way is named.
func TestManagedSchemaDropsNothing(t *testing.T) {
	memory := mongofake.NewMemory()
	server := mongofake.Start(t, mongofake.Limits{}, memory.Handle)
	run(t, memory, bson.D{{Key: "create", Value: rawName}})
	run(t, memory, bson.D{{Key: "createIndexes", Value: rawName}, {Key: "indexes", Value: bson.A{
		bson.D{{Key: "key", Value: rawByAsset}, {Key: "name", Value: "theirs"}, {Key: "unique", Value: true}}}}})
	var missing *SchemaError
	err := started(t, Options{URI: server.URI()})
	if !errors.As(err, &missing) || len(missing.Missing) != 1 || !strings.Contains(err.Error(), "theirs") || !strings.Contains(err.Error(), "drop it") {
		t.Errorf("%v", err)
	}
}

// TestEqualSchemas: a shell writes numbers as doubles and names in any order.
func TestEqualSchemas(t *testing.T) {
	have, err := bson.Marshal(bson.D{{Key: "b", Value: bson.A{1.0, "x"}}, {Key: "a", Value: bson.D{{Key: "c", Value: int64(2)}}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		want bson.D
		same bool
	}{
		"equal":         {bson.D{{Key: "a", Value: bson.D{{Key: "c", Value: int32(2)}}}, {Key: "b", Value: bson.A{int32(1), "x"}}}, true},
		"other order":   {bson.D{{Key: "a", Value: bson.D{{Key: "c", Value: 2}}}, {Key: "b", Value: bson.A{"x", 1}}}, false},
		"less":          {bson.D{{Key: "b", Value: bson.A{1, "x"}}}, false},
		"another value": {bson.D{{Key: "a", Value: bson.D{{Key: "c", Value: "2"}}}, {Key: "b", Value: bson.A{1, "x"}}}, false},
	} {
		if got := same(have, c.want); got != c.same {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOldServersAreRefused(t *testing.T) {
	server := mongofake.Start(t, mongofake.Limits{MaxWireVersion: 13}, mongofake.NewMemory().Handle)
	if err := started(t, Options{URI: server.URI()}); err == nil || !strings.Contains(err.Error(), "older than MongoDB 6.0") {
		t.Errorf("%v", err)
	}
}

func TestConnectionStrings(t *testing.T) {
	const secret = "pa%zzs@word"
	for name, uri := range map[string]string{
		"no scheme":                "user:" + secret + "@host",
		"another scheme":           "http://user:" + secret + "@host",
		"a password not encoded":   "mongodb://user:" + secret + "@host:27017/",
		"an option that is wrong":  "mongodb://user:word@host/?w=majority&tls=perhaps",
		"a token of its mechanism": "mongodb://user:word@host/?authMechanism=MONGODB-X509&authMechanismProperties=X:" + secret,
	} {
		_, err := New(Options{URI: uri})
		if err == nil {
			t.Errorf("%s is taken", name)
		} else if strings.Contains(err.Error(), "zz") || strings.Contains(err.Error(), "word@") {
			t.Errorf("%s: the error tells: %v", name, err)
		}
	}
	if _, err := New(Options{URI: "mongodb://host", Schema: "none"}); err == nil {
		t.Error("schema none is taken")
	}
	s, err := New(Options{URI: "mongodb://host/?timeoutMS=1234&appName=mine"})
	if err != nil {
		t.Fatal(err)
	}
	if *s.client.Timeout != 1234*time.Millisecond || *s.client.AppName != "mine" {
		t.Errorf("time limit %v of %s", *s.client.Timeout, *s.client.AppName)
	}
}
