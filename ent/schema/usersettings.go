package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/ent/settings"
	"foresight/internal/id"
)

// UserSettings holds how one person wants the application to be, in one tenant.
type UserSettings struct{ ent.Schema }

// Mixin of the entity.
func (UserSettings) Mixin() []ent.Mixin { return mixin.Base(id.UserSettings) }

// Annotations of the entity.
func (UserSettings) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"user_settings_refresh_interval":  "refresh_interval_sec BETWEEN 1 AND 3600",
		"user_settings_anomaly_threshold": "anomaly_threshold BETWEEN 0 AND 1",
	})}
}

// Fields of the entity.
func (UserSettings) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().Comment("the person"),
		field.Bool("auto_refresh").Default(true).Comment("whether views refresh by themselves"),
		field.Int("refresh_interval_sec").Default(5).Range(1, 3600).Comment("seconds between refreshes of views that are not live"),
		field.Float("anomaly_threshold").Default(0.7).Range(0, 1).Comment("confidence of a fault from which the person's own actions fire"),
		field.Bool("enable_notifications").Default(true).Comment("false: the person's own actions do not fire"),
		field.JSON("quiet_hours", &settings.QuietHours{}).Optional().Comment("when the person is not to be disturbed; null: never quiet"),
		field.Enum("theme").GoType(enum.Theme("")).Default(string(enum.ThemeSystem)).Comment("look of the application"),
		field.String("date_format").MaxLen(32).Default("").Comment("pattern of dates as the application writes it; empty: the locale's"),
		field.Enum("units").GoType(enum.Units("")).Default(string(enum.UnitsMetric)).Comment("system of units in which values are shown"),
	}
}

// Indexes of the entity.
func (UserSettings) Indexes() []ent.Index {
	return []ent.Index{index.Fields("tenant_id", "user_id").Unique()}
}
