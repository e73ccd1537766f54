package transport

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"foresight/graph/share"
)

// box is an outbox without a writer: what is put there stays.
func box() *outbox { return &outbox{wake: func() {}} }

func about(subject any, text string) *share.Item {
	return &share.Item{About: subject, Payload: []byte(text)}
}

// waits tells what waits in the box.
func waits(o *outbox) string {
	var all []string
	for _, f := range o.take(nil, 1000) {
		if f.item != nil {
			all = append(all, string(f.item.Payload))
		} else {
			all = append(all, string(f.b))
		}
	}
	return strings.Join(all, " ")
}

func TestAFullOutboxLeavesOutWhatIsOlder(t *testing.T) {
	gap := about(nil, "GAP")
	for _, c := range []struct{ name, offered, want string }{
		{"as many as fit", "a1 b1 a2 b2", "a1 b1 a2 b2"},
		// The gap and the newest take a place each.
		{"the older of the same sensor first", "b1 a1 c1 d1 a2", "GAP c1 d1 a2"},
		{"the oldest when none is of the same", "a1 b1 c1 d1 e1", "GAP c1 d1 e1"},
		{"one gap is told for many", "a1 b1 c1 d1 e1 f1 g1", "GAP e1 f1 g1"},
		{"of one sensor the newest remain", "a1 a2 a3 a4 a5 a6 a7", "GAP a5 a6 a7"},
		{"a sensor that seldom speaks is not lost for one that often does", "s1 a1 a2 a3 a4 a5 a6", "s1 GAP a5 a6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, op, other := box(), &operation{}, &operation{}
			o.offer(other, about("z", "other"), nil, 4)
			for name := range strings.FieldsSeq(c.offered) {
				if !o.offer(op, about(name[:1], name), gap, 4) {
					t.Fatalf("%s is refused", name)
				}
			}
			if got := waits(o); got != "other "+c.want {
				t.Errorf("%s waits, want %s", got, c.want)
			}
		})
	}
}

func TestWhereNoneMayBeLeftOutAFullOutboxRefuses(t *testing.T) {
	o, op := box(), &operation{}
	for i := range 4 {
		if !o.offer(op, about(nil, fmt.Sprint(i)), nil, 4) {
			t.Fatal("refused too early")
		}
	}
	if o.offer(op, about(nil, "4"), nil, 4) {
		t.Error("taken in beyond what may wait")
	}
	if !o.offer(&operation{}, about(nil, "of another"), nil, 4) {
		t.Error("another operation is refused")
	}
	if got := waits(o); got != "0 1 2 3 of another" {
		t.Error(got)
	}
}

func TestPutWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := box()
		o.put(ctx, frame{b: []byte("1")}, 1)
		taken := make(chan bool, 1)
		go func() { taken <- o.put(ctx, frame{b: []byte("2")}, 1) }()
		synctest.Wait()
		if len(taken) > 0 {
			t.Fatal("it did not wait")
		}
		if got := waits(o); got != "1" {
			t.Error(got)
		}
		if !<-taken {
			t.Error("it was refused when there was room")
		}
		go func() { taken <- o.put(ctx, frame{b: []byte("3")}, 1) }()
		synctest.Wait()
		cancel()
		if <-taken {
			t.Error("it was taken in after the end")
		}
		go func() { taken <- o.put(context.WithoutCancel(ctx), frame{b: []byte("4")}, 1) }()
		synctest.Wait()
		o.gaveUp()
		if <-taken {
			t.Error("it was taken in by a box that is shut")
		}
	})
}

// The end of a connection waits for the writer, which writes what waits or forgets it.
func TestCloseWaitsForTheWriter(t *testing.T) {
	for _, forget := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := box()
			o.put(t.Context(), frame{b: []byte("1")}, 9)
			closed := make(chan struct{})
			go func() { o.close(forget); close(closed) }()
			synctest.Wait()
			select {
			case <-closed:
				t.Fatal("it did not wait")
			default:
			}
			if got := waits(o); (got == "") != forget {
				t.Errorf("forget %t: %q is written", forget, got)
			}
			waits(o)
			<-closed
			if o.put(t.Context(), frame{b: []byte("2")}, 9) {
				t.Error("something is taken in")
			}
			o.close(true) // and once more
		})
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	op := &operation{prefix: nextPrefix("6c1c8f5e-0b0e-4f6c-9d6e-1f2f3a4b5c6d")}
	item := &share.Item{Payload: []byte(`{"data":{"telemetry":{"reading":{"values":[` + strings.Repeat(`{"parameter":"flow","value":1.25},`, 30) + `null]}}}}`)}
	var buf []byte
	b.ReportAllocs()
	for range b.N {
		buf = appendMessage(buf[:0], frame{op: op, item: item})
	}
	b.SetBytes(int64(len(buf)))
}
