package chaos

import (
	"context"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// kill -9 of PostgreSQL, which recovers by itself: no process of the product ends, and
// what was acknowledged meanwhile waited in the log.
func TestKilledPostgreSQL(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	for round := range either(1, 5) {
		l.flows(t, either(300, 5000))
		begin := time.Now()
		if err := syscall.Kill(in.postgres.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		within(t, patience, "PostgreSQL answers again", func() bool { // not a process of the one that was killed
			in.db.Reset()
			var again bool
			err := in.db.QueryRow(t.Context(), `SELECT pg_postmaster_start_time() > $1`, begin).Scan(&again)
			return err == nil && again
		})
		back := time.Since(begin)
		_, acknowledged := l.ledger.count()
		within(t, patience, "what is acknowledged is stored", func() bool { return len(in.stored(t, alpha)) >= acknowledged })
		figure("kill -9 of PostgreSQL, round %d: it answers after %.1f s, the product has caught up after %.1f s, longest silence of acknowledgements %.2f s",
			round+1, back.Seconds(), time.Since(begin).Seconds(), l.ledger.silence(begin, time.Now()).Seconds())
	}
	l.flows(t, 100)
	l.finish(t)
	l.judge(t, alpha, "kill -9 of PostgreSQL")
	settled(t)
}

// The door of devices is killed and is gone for a while: clients reconnect by
// themselves, and nothing acknowledged is lost.
func TestBrokerGone(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	// One client as it comes out of the box, which does nothing about it.
	stock := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + in.broker).SetClientID("stock").SetUsername(beta + ".gw-jubail").
		SetPassword(gatewaySecret).SetCleanSession(false).SetMaxReconnectInterval(2 * time.Second))
	if token := stock.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer stock.Disconnect(100)
	l.flows(t, either(300, 5000))
	begin := time.Now()
	if err := in.ingest.kill(); err != nil {
		t.Fatal(err)
	}
	away := stock.Publish(beta+"/jubail-plant/sensors/pump-d01-s1", 1, false, `{"flow": 11}`)
	lasting(t, either(2*time.Second, time.Minute))
	in.restartIngest(t)
	up := time.Now()
	l.flows(t, 100)
	figure("broker killed and gone for %.1f s: acknowledgements go on %.1f s after it is back, longest silence %.1f s",
		up.Sub(begin).Seconds(), time.Since(up).Seconds(), l.ledger.silence(begin, time.Now()).Seconds())
	// Its token tells of the first attempt alone: a write on the broken connection is an
	// error there, and the client sends the message again all the same.
	if !away.WaitTimeout(patience) {
		t.Error("the stock client says nothing of what it published meanwhile")
	}
	within(t, patience, "it is stored", func() bool {
		return slices.ContainsFunc(in.stored(t, beta), func(r row) bool { return r.sensor == "pump-d01-s1" && r.flow == 11 })
	})
	l.flows(t, 200)
	l.finish(t)
	l.judge(t, alpha, "broker gone")
}

// The telemetry store fails while the rest of PostgreSQL works: first it hangs, then it
// refuses. The log takes the readings meanwhile, the workers' memory stays bounded, and
// alarms are late and not lost.
func TestStoreDown(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	l.flows(t, either(300, 3000))
	before := in.residentMiB(t)
	outage := either(3*time.Second, time.Minute)
	begin := time.Now()
	tx, err := in.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE telemetry_raw IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	lasting(t, outage/2)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := in.db.Exec(t.Context(), `ALTER TABLE telemetry_raw RENAME TO telemetry_away`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // when the test fails meanwhile
		_, _ = in.db.Exec(context.WithoutCancel(t.Context()), `ALTER TABLE IF EXISTS telemetry_away RENAME TO telemetry_raw`)
	})
	_, at := l.ledger.count()
	in.says(t, in.api, "telemetry_store", "down", http.StatusOK)
	lasting(t, outage/2)
	l.flows(t, 1) // acknowledged while it is down: the log is there for that
	_, then := l.ledger.count()
	during := in.residentMiB(t)
	if _, err := in.db.Exec(t.Context(), `ALTER TABLE telemetry_away RENAME TO telemetry_raw`); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	within(t, patience, "what was acknowledged meanwhile is stored", func() bool { return len(in.stored(t, alpha)) >= then })
	figure("store down for %.1f s: %d readings acknowledged while it refused, caught up %.1f s after it was back; the workers' memory %.0f MiB before, %.0f MiB at its end",
		back.Sub(begin).Seconds(), then-at, time.Since(back).Seconds(), before, during)
	if during > before+200 {
		t.Errorf("the workers' memory grew from %.0f to %.0f MiB", before, during)
	}
	in.says(t, in.api, "telemetry_store", "up", http.StatusOK)
	l.finish(t)
	l.judge(t, alpha, "store down")
}
