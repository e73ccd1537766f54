package fleet

import (
	"bytes"
	"math"
	"testing"
	"time"

	"foresight/inference/daily"
	"foresight/inference/training"
)

var small = LifePlan{Seed: 3, Machines: 60, Days: 200, Every: 10, WarmUp: 40}

func TestLivesBecomeExamples(t *testing.T) {
	rows := Lives(small)
	again := Lives(small)
	if len(rows) != len(again) {
		t.Fatal("two runs, two data sets")
	}
	fails, splits := [2]int{}, map[training.Split]bool{}
	for i := range rows {
		r, s := &rows[i], &again[i]
		for f := range r.X {
			if math.Float32bits(r.X[f]) != math.Float32bits(s.X[f]) {
				t.Fatalf("row %d, %s: %v and %v", i, daily.Names()[f], r.X[f], s.X[f])
			}
		}
		splits[r.Split] = true
		for k, h := range Horizons {
			within := !r.Failure.IsZero() && !r.Failure.After(r.At.Add(time.Duration(h)*24*time.Hour))
			if r.Known[k] && r.Fails[k] != within {
				t.Errorf("row %d: fails within %d days %v, next failure %v after %v", i, h, r.Fails[k], r.Failure, r.At)
			}
			if r.Known[k] && r.Fails[k] {
				fails[k]++
			}
			if end := began.AddDate(0, 0, 365+small.Days); r.Known[k] && r.At.AddDate(0, 0, h).After(end) {
				t.Errorf("row %d: nobody knows what follows %v", i, r.At)
			}
		}
	}
	if fails[0] == 0 || fails[1] < 2*fails[0] || len(splits) != 4 {
		t.Errorf("%v failures, %d splits", fails, len(splits))
	}
	var b bytes.Buffer
	if _, err := WriteLives(&b, rows, 1); err != nil {
		t.Fatal(err)
	}
	d, err := training.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if d.FeatureSchemaHash != daily.SchemaHash() || d.Rows > len(rows) {
		t.Errorf("%d of %d rows", d.Rows, len(rows))
	}
	b.Reset()
	if err := SaveLives(&b, rows); err != nil {
		t.Fatal(err)
	}
	if back, err := LoadLives(&b); err != nil || len(back) != len(rows) || back[5].X[0] != rows[5].X[0] {
		t.Errorf("read back %d rows (%v)", len(back), err)
	}
}

// No feature is always missing, or the same for all.
func TestLivesFillTheFeatures(t *testing.T) {
	rows := Lives(small)
	for f, name := range daily.Names() {
		seen := map[float32]bool{}
		for i := range rows {
			if v := rows[i].X[f]; v == v {
				seen[v] = true
			}
		}
		if len(seen) < 2 {
			t.Errorf("%s has %d values", name, len(seen))
		}
	}
}

// The features of a day are the same, to the bit, when all that comes after is taken away,
// and when it is what became of another machine.
func TestTheFutureChangesNothing(t *testing.T) {
	for i := range 20 {
		want := Foretold(small, i, Own)
		for name, future := range map[string]Future{"no future": None, "another future": Another} {
			got := Foretold(small, i, future)
			if len(got) != len(want) {
				t.Fatalf("machine %d, %s: %d days, want %d", i, name, len(got), len(want))
			}
			for k := range want {
				if f := differs(&got[k].X, &want[k].X); f >= 0 {
					t.Fatalf("machine %d, %v, %s: %s is %v, was %v", i, want[k].At, name, daily.Names()[f], got[k].X[f], want[k].X[f])
				}
			}
		}
	}
}

// Features that look a few days ahead would be noticed.
func TestAPeekIsNoticed(t *testing.T) {
	noticed := 0
	for i := range 20 {
		life, in := measure(small, i)
		anothers, other := measure(small, i+small.Machines)
		shift(other, life.Start.Sub(anothers.Start))
		day := life.Start.AddDate(0, 0, 100)
		peek := day.AddDate(0, 0, 3)
		mine, its := daily.Extract(in, peek), daily.Extract(exchanged(in, other, daily.End(day)), peek)
		if differs(&mine, &its) >= 0 {
			noticed++
		}
	}
	if noticed != 20 {
		t.Errorf("a look three days ahead was noticed on %d of 20 machines", noticed)
	}
}

// differs returns the first feature that is not the same to the bit, or -1.
func differs(a, b *daily.Vector) int {
	for f := range a {
		if math.Float32bits(a[f]) != math.Float32bits(b[f]) {
			return f
		}
	}
	return -1
}
