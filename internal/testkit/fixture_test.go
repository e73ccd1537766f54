package testkit

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/internal/tenancy"
)

func TestTwoTenantsSeeTheirOwn(t *testing.T) {
	db := NewDB(t)
	a, b := TwoTenants(t, db)
	c, err := pgx.Connect(t.Context(), db.AppDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, p := range []Plant{a, b} {
		var n int
		if _, err := c.Exec(t.Context(), "SELECT set_config('app.tenant_id', $1, false)", p.TenantID.String()); err != nil {
			t.Fatal(err)
		}
		if err := c.QueryRow(t.Context(), `SELECT count(*) FROM sensors WHERE id = ANY($1)`,
			append(a.SensorIDs[:], b.SensorIDs[:]...)).Scan(&n); err != nil || n != 2 {
			t.Errorf("%s sees %d of the 4 sensors, want its 2 (%v)", p.TenantCode, n, err)
		}
	}
	actor := tenancy.Must(a.As(t.Context(), tenancy.Engineer))
	if actor.TenantID != a.TenantID || !actor.Can(tenancy.PlantWrite) || actor.Can(tenancy.UsersWrite) {
		t.Errorf("actor %+v", actor)
	}
}
