package audit

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent"

	gen "foresight/ent"
	"foresight/ent/schema"
)

// What is asked by reflection is there for every entity of the client.
func TestEveryEntityCanBeRead(t *testing.T) {
	client := reflect.TypeFor[gen.Client]()
	entities := 0
	for i := range client.NumField() {
		f := client.Field(i)
		if !f.IsExported() || f.Type.Kind() != reflect.Pointer || !strings.HasSuffix(f.Type.Elem().Name(), "Client") {
			continue
		}
		entities++
		query, ok := f.Type.MethodByName("Query")
		if !ok {
			t.Fatalf("%s has no Query", f.Name)
		}
		for _, method := range []string{"ForUpdate", "All"} {
			if _, ok := query.Type.Out(0).MethodByName(method); !ok {
				t.Errorf("queries of %s have no %s", f.Name, method)
			}
		}
	}
	if entities < 40 {
		t.Errorf("only %d entities", entities)
	}
}

// Everything that the model calls sensitive is a secret to the log.
func TestWhatIsSensitiveIsSecret(t *testing.T) {
	found := 0
	for _, e := range []ent.Interface{schema.User{}, schema.Gateway{}, schema.APIKey{}, schema.OAuthClient{}, schema.Webhook{}, schema.Invite{},
		schema.PasswordReset{}, schema.NotificationChannel{}, schema.FaultAction{}, schema.Connector{}, schema.RefreshToken{}} {
		for _, f := range e.Fields() {
			if d := f.Descriptor(); d.Sensitive {
				found++
				if !isSecret(d.Name) {
					t.Errorf("%T.%s would be written into the log", e, d.Name)
				}
			}
		}
	}
	if found != 11 {
		t.Errorf("%d sensitive fields", found)
	}
	// And of every entity that the ORM knows: what its type does not print.
	client := reflect.TypeFor[gen.Client]()
	var hidden []string
	for i := range client.NumField() {
		f := client.Field(i)
		get, ok := f.Type.MethodByName("Get")
		if !f.IsExported() || !ok {
			continue
		}
		row := get.Type.Out(0).Elem()
		for j := range row.NumField() {
			column, ok := columnOf(row.Field(j))
			if ok && strings.HasPrefix(row.Field(j).Tag.Get("json"), "-") {
				hidden = append(hidden, column)
				if !isSecret(column) {
					t.Errorf("%s.%s would be written into the log", f.Name, column)
				}
			}
		}
	}
	if len(hidden) != found || !slices.Contains(hidden, "mqtt_password_hash") {
		t.Errorf("hidden are %v", hidden)
	}
}
