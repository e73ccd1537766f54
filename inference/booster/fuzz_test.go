package booster

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// asked returns the bytes that the function asked memory for.
func asked(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// most is the memory that reading so many bytes may ask for, all in all: a fixed amount,
// and so much for each byte of the file. Whoever believes a count that the file
// claims asks for gigabytes.
func most(size int) uint64 { return 8<<20 + 100*uint64(size) }

// evaluate checks that a model that was loaded answers, the same in all three ways.
func evaluate(t *testing.T, b *Booster, r *Reference) {
	t.Helper()
	const rows = 3
	x, batch := make([]float32, rows*b.Features()), make([]float32, rows*b.Outputs())
	single, leaves := make([]float32, b.Outputs()), make([]float64, b.Outputs())
	for _, v := range []float32{0, -1e9, 1e9, nan, leftmost, rightmost} {
		for i := range x {
			x[i] = v
		}
		if err := b.Batch(x, batch); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(b.Margins(x[:b.Features()], single), r.Margins(x[:b.Features()], leaves)); err != nil {
			t.Fatal(err)
		}
		for k, s := range single {
			if got := batch[(rows-1)*b.Outputs()+k]; got != s && (got == got || s == s) {
				t.Fatalf("at %v, output %d: %v, in a batch %v", v, k, s, got)
			}
			// Leaves of hostile files may be so large that sums in float32 and in
			// float64 part.
			if d := math.Abs(float64(s) - leaves[k]); d > 1e-3 && math.Abs(leaves[k]) < 1 && sane(b) {
				t.Fatalf("at %v, output %d: %v, leaves says %v", v, k, s, leaves[k])
			}
		}
	}
}

// sane reports whether no value of a leaf or threshold is large.
func sane(b *Booster) bool {
	for _, c := range b.forest.cells {
		if math.Abs(float64(c.value)) > 100 {
			return false
		}
	}
	return math.Abs(float64(b.base)) < 100
}

// tiny is a model of one round with the least of everything. Fuzzing wants small files:
// it spends its time on making large ones smaller.
func tiny(objective string, groups int) *file {
	f := &file{baseScore: 0.5, features: 3, groups: groups, objective: objective}
	for range groups {
		f.trees = append(f.trees, tree{[]node{
			{parent: -1, left: 1, right: 4, split: 2 | defaultLeft, value: 0.25, stat: stat{3, 10, 0.5}},
			{parent: 0, left: 2, right: 3, split: 0, value: -1.5, stat: stat{1, 6, 0.25}},
			{parent: 1, left: -1, right: -1, value: -0.75}, {parent: 1, left: -1, right: -1, value: 0.5}, {parent: 0, left: -1, right: -1, value: 2},
		}})
	}
	return f
}

// hostile returns files that end early, claim too much, or are noise behind a header.
func hostile(good []byte) (out [][]byte) {
	f, err := parse(good)
	if err != nil {
		panic(err)
	}
	model := len(prefix) + modelAt(f)
	for _, end := range []int{4, 100, model, model + modelSize, model + modelSize + treeSize + 7, len(good) - 9} {
		out = append(out, good[:end])
	}
	for _, at := range []int{8, 12, len(prefix) + headerSize, model, model + 24, model + modelSize + 4, model + modelSize + treeSize + 4} {
		for _, claim := range []uint32{0, 1 << 20, math.MaxInt32, math.MaxUint32} {
			raw := bytes.Clone(good)
			binary.LittleEndian.PutUint32(raw[at:], claim)
			out = append(out, raw)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, keep := range []int{4, model, model + modelSize, model + modelSize + treeSize} {
		raw := bytes.Clone(good)
		for i := keep; i < len(raw); i++ {
			raw[i] = byte(r.Uint32())
		}
		out = append(out, raw)
	}
	return out
}

// What is large and hostile, in the form of files that XGBoost wrote.
func TestHostileFiles(t *testing.T) {
	for _, name := range []string{"softprob", "logistic", "pruned"} {
		for i, raw := range hostile(load(t, name).Binary) {
			var err error
			if n := asked(func() { _, err = Load(raw) }); n > most(len(raw)) {
				t.Errorf("%s, file %d: %d bytes for a file of %d", name, i, n, len(raw))
			}
			if err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("%s, file %d: not a refusal: %v", name, i, err)
			}
		}
	}
}

// FuzzLoad: whatever the bytes, a load ends with an error or with a model that answers,
// and asks for no more memory than bytes of that number can be worth.
func FuzzLoad(f *testing.F) {
	small := tiny("multi:softprob", 2)
	f.Add(small.binary())
	f.Add(tiny(logistic, 1).binary())
	f.Add([]byte("binf"))
	for _, raw := range hostile(small.binary()) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var b *Booster
		var r *Reference
		var err, referenceErr error
		if n := asked(func() { b, err = Load(raw); r, referenceErr = LoadReference(raw) }); n > most(len(raw)) {
			t.Fatalf("%d bytes for a file of %d", n, len(raw))
		}
		if (err == nil) != (referenceErr == nil) {
			t.Fatalf("one loads what the other refuses: %v, %v", err, referenceErr)
		}
		if err != nil {
			if !errors.Is(err, ErrRefused) || !errors.Is(referenceErr, ErrRefused) {
				t.Fatalf("not a refusal: %v, %v", err, referenceErr)
			}
			return
		}
		evaluate(t, b, r)
		given, json, err := Convert(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := Same(given, json); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzConvert does the same for files in JSON, and for those that are nothing.
func FuzzConvert(f *testing.F) {
	f.Add(tiny("multi:softprob", 2).json())
	text := tiny(logistic, 1).json()
	f.Add(text)
	f.Add([]byte(`{"learner":{"gradient_booster":{"model":{"tree_info":[0],"trees":[{}]},"name":"gbtree"},"learner_model_param":{"num_feature":"99999999999"}}}`))
	f.Add([]byte(`{"learner":{"gradient_booster":{"model":{"trees":[{},{},{},"]",[[]]]}}}}`))
	for _, end := range []int{1, len(text) / 3, len(text) - 1} {
		f.Add(text[:end])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var written, json []byte
		var err error
		if n := asked(func() { written, json, err = Convert(raw) }); n > most(len(raw)) {
			t.Fatalf("%d bytes for a file of %d", n, len(raw))
		}
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		if err := Same(written, json); err != nil {
			t.Fatal(err)
		}
		b, err := Load(written)
		if err != nil {
			t.Fatal(err)
		}
		r, err := LoadReference(written)
		if err != nil {
			t.Fatal(err)
		}
		evaluate(t, b, r)
	})
}
