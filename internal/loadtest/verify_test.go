package loadtest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"foresight/internal/id"
)

// stored is an archive of what a product has kept.
type stored map[id.UUID][]kept

type kept struct {
	at   time.Time
	late bool
}

func (s stored) Each(_ context.Context, sensor id.UUID, from, to time.Time, f func(time.Time, bool)) error {
	for _, k := range s[sensor] {
		if !k.at.Before(from) && k.at.Before(to) {
			f(k.at, k.late)
		}
	}
	return nil
}

// published is a run of 10 messages of each of 3 sensors, all acknowledged but the last
// one, and an archive that has what was acknowledged.
func published(t *testing.T) (*run, stored) {
	t.Helper()
	r := &run{fleet: &Fleet{}}
	for range 3 {
		r.fleet.Sensors = append(r.fleet.Sensors, Sensor{ID: id.New(id.Sensor)})
	}
	var err error
	if r.plan, err = newSchedule(time.Now(), 100, 3, 30); err != nil {
		t.Fatal(err)
	}
	r.acked = make([]atomic.Bool, 30)
	s := stored{}
	for i := range 29 {
		r.acked[i].Store(true)
		sensor := r.fleet.Sensors[i%3].ID
		s[sensor] = append(s[sensor], kept{at: r.plan.at(i)})
	}
	return r, s
}

func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *run, s stored, first id.UUID)
		want  Verdict
	}{
		"all is there": {func(*run, stored, id.UUID) {}, Verdict{Sensors: 3, Expected: 29, Found: 29}},
		"one is lost":  {func(_ *run, s stored, f id.UUID) { s[f] = s[f][1:] }, Verdict{Sensors: 3, Expected: 29, Found: 28, Lost: 1}},
		"one is there three times": {func(_ *run, s stored, f id.UUID) { s[f] = append(s[f], s[f][4], s[f][4]) },
			Verdict{Sensors: 3, Expected: 29, Found: 29, Duplicated: 1}},
		"one was overtaken": {func(_ *run, s stored, f id.UUID) { s[f][2].late = true }, Verdict{Sensors: 3, Expected: 29, Found: 29, Disordered: 1}},
		"one that nobody sent": {func(r *run, s stored, f id.UUID) {
			s[f] = append(s[f], kept{at: r.plan.at(0).Add(time.Millisecond)})
		}, Verdict{Sensors: 3, Expected: 29, Found: 29, Unexpected: 1}},
		"the one not acknowledged is there all the same": {func(r *run, s stored, _ id.UUID) {
			last := r.fleet.Sensors[2].ID
			s[last] = append(s[last], kept{at: r.plan.at(29)})
		}, Verdict{Sensors: 3, Expected: 29, Found: 29}},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := published(t)
			c.spoil(r, s, r.fleet.Sensors[0].ID)
			got, err := r.verify(t.Context(), s, 100)
			if err != nil {
				t.Fatal(err)
			}
			if *got != c.want {
				t.Errorf("got %+v, want %+v", *got, c.want)
			}
			if clean := c.want.Lost+c.want.Duplicated+c.want.Unexpected+c.want.Disordered == 0; got.OK() != clean {
				t.Errorf("OK is %v", got.OK())
			}
		})
	}
}

func TestRaisedMessagesAreKnown(t *testing.T) {
	r := &run{opt: Options{RaiseEvery: 5}}
	var err error
	if r.plan, err = newSchedule(time.Now(), 100, 7, 300); err != nil {
		t.Fatal(err)
	}
	total := 0
	for sensor := range 7 {
		k := 0
		for i := sensor; i < r.plan.total; i += 7 {
			if !r.raises(sensor, i/7) {
				continue
			}
			if got := r.raisedBy(sensor, k); got != i {
				t.Fatalf("alarm %d of sensor %d is raised by %d, want %d", k, sensor, got, i)
			}
			k++
			total++
		}
		if got := r.raisedBy(sensor, k); got != -1 {
			t.Errorf("alarm %d of sensor %d is raised by %d", k, sensor, got)
		}
	}
	if total == 0 || total != r.raised() {
		t.Errorf("%d raised, %d counted", total, r.raised())
	}
}
