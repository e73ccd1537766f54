package sparkplug

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"foresight/ingestion/decode"
	"foresight/ingestion/decode/sparkplug/spb"
)

func TestTopics(t *testing.T) {
	for _, c := range []struct {
		topic string
		want  Topic
		ok    bool
	}{
		{"spBv1.0/acme/NBIRTH/gw-1", Topic{"acme", NodeBirth, "gw-1", ""}, true},
		{"spBv1.0/acme/DDATA/gw-1/pump 1", Topic{"acme", DeviceData, "gw-1", "pump 1"}, true},
		{"spBv1.0/STATE/scada", Topic{Kind: State}, true},
		{"spBv1.0/acme/NBIRTH/gw-1/pump", Topic{}, false},
		{"spBv1.0/acme/DDATA/gw-1", Topic{}, false},
		{"spBv1.0/acme/DDATA/gw-1/", Topic{}, false},
		{"spBv1.0//NDATA/gw-1", Topic{}, false},
		{"spBv1.0/acme/XDATA/gw-1", Topic{}, false},
		{"spBv1.0/acme/DDATA/gw-1/a/b", Topic{}, false},
		{"spAv1.0/acme/NDATA/gw-1", Topic{}, false},
		{"spBv1.0", Topic{}, false},
		{"spBv1.0/acme/NDATA/" + strings.Repeat("x", 600), Topic{}, false},
	} {
		got, rejection := ParseTopic(c.topic)
		if got != c.want || (rejection == nil) != c.ok {
			t.Errorf("%.60s: %+v, %v", c.topic, got, rejection)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = ParseTopic("spBv1.0/acme/DDATA/gw-1/pump-1-a") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCommandFilters(t *testing.T) {
	for filter, want := range map[string]bool{
		"spBv1.0/acme/NCMD/gw-1": true, "spBv1.0/+/NCMD/gw-1": true, "spBv1.0/acme/NCMD/gw-1/#": true, "spBv1.0/acme/DCMD/gw-1/#": true, "spBv1.0/acme/DCMD/gw-1/+": true,
		"spBv1.0/acme/NCMD/gw-2": false, "spBv1.0/acme/NCMD/+": false, "spBv1.0/acme/NCMD/#": false, "spBv1.0/#": false, "#": false,
		"spBv1.0/acme/NDATA/gw-1": false, "spBv1.0/acme/DCMD/gw-1": false, "$share/x/spBv1.0/acme/NCMD/gw-1": false, "spBv1.0/acme/+/gw-1": false,
	} {
		if got := IsCommandFilter(filter, "gw-1"); got != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

// metric makes one; a name of "" is none, an alias below 0 none.
func metric(name string, alias int, datatype uint32, value any) *spb.Metric {
	m := &spb.Metric{}
	if name != "" {
		m.Name = &name
	}
	if alias >= 0 {
		m.Alias = proto.Uint64(uint64(alias))
	}
	if datatype > 0 {
		m.Datatype = &datatype
	}
	switch v := value.(type) {
	case nil:
		m.IsNull = proto.Bool(true)
	case uint32:
		m.Value = &spb.Metric_IntValue{IntValue: v}
	case uint64:
		m.Value = &spb.Metric_LongValue{LongValue: v}
	case float32:
		m.Value = &spb.Metric_FloatValue{FloatValue: v}
	case float64:
		m.Value = &spb.Metric_DoubleValue{DoubleValue: v}
	case bool:
		m.Value = &spb.Metric_BooleanValue{BooleanValue: v}
	case string:
		m.Value = &spb.Metric_StringValue{StringValue: v}
	default:
		panic(fmt.Sprintf("%T", v))
	}
	return m
}

func payload(seq int, metrics ...*spb.Metric) *Payload {
	p := &Payload{Timestamp: proto.Uint64(1000), Metrics: metrics}
	if seq >= 0 {
		p.Seq = proto.Uint64(uint64(seq))
	}
	return p
}

const typeDouble = 10

var decodeTime = time.UnixMilli(2e12)

// step is a message to a session, and what it must make of it: `name=value` of its
// values, the reason of a rejection, "born", "died", "rebirth".
type step struct {
	kind   Kind
	p      *Payload
	repeat bool
	want   string
}

func say(o Outcome) string {
	var out []string
	for _, v := range o.Values {
		out = append(out, fmt.Sprintf("%s=%v", v.Name, v.Number))
	}
	if o.Rejection != nil {
		out = append(out, string(o.Rejection.Reason))
	}
	for name, is := range map[string]bool{"born": o.Born, "died": o.Died, "rebirth": o.Rebirth} {
		if is {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func nbirth(bdSeq uint64) *Payload {
	return payload(0, metric("bdSeq", -1, 8, bdSeq), metric("load", 1, typeDouble, 0.5))
}

func dbirth(seq int) *Payload {
	return payload(seq, metric("flow", 2, typeDouble, 1.0), metric("speed", 3, typeInt16, uint32(5)))
}

func TestSessionFollowsANode(t *testing.T) {
	for name, steps := range map[string][]step{
		"by alias": {
			{NodeBirth, nbirth(7), false, "bdSeq=7 born load=0.5"},
			{DeviceBirth, dbirth(1), false, "flow=1 speed=5"},
			{DeviceData, payload(2, metric("", 2, 0, 2.5), metric("", 3, 0, uint32(0xfffe))), false, "flow=2.5 speed=-2"},
			{NodeData, payload(3, metric("", 1, 0, 0.75)), false, "load=0.75"},
			{DeviceData, payload(4, metric("flow", -1, 0, 3.0)), false, "flow=3"},
			{DeviceData, payload(5, metric("", 2, 0, nil)), false, ""},
		},
		"the number begins again": {
			{NodeBirth, payload(255, metric("bdSeq", -1, 8, uint64(1)), metric("load", 1, typeDouble, 1.0)), false, "bdSeq=1 born load=1"},
			{NodeData, payload(0, metric("", 1, 0, 2.0)), false, "load=2"},
			{NodeData, payload(1, metric("", 1, 0, 3.0)), false, "load=3"},
		},
		"without a birth": {
			{DeviceData, payload(2, metric("", 2, 0, 2.5)), false, "no_birth rebirth"},
			{DeviceData, payload(3, metric("flow", -1, typeDouble, 2.5)), false, "flow=2.5 rebirth"},
			{DeviceBirth, dbirth(4), false, "flow=1 rebirth speed=5"},
			{DeviceData, payload(5, metric("", 2, 0, 2.5)), false, "no_birth rebirth"},
			{NodeBirth, nbirth(1), false, "bdSeq=1 born load=0.5"},
			{DeviceData, payload(1, metric("", 2, 0, 2.5)), false, "no_birth rebirth"}, // of the device
			{DeviceBirth, dbirth(2), false, "flow=1 speed=5"},
			{DeviceData, payload(3, metric("", 2, 0, 2.5)), false, "flow=2.5"},
		},
		"a gap": {
			{NodeBirth, nbirth(1), false, "bdSeq=1 born load=0.5"},
			{DeviceBirth, dbirth(1), false, "flow=1 speed=5"},
			{DeviceData, payload(3, metric("", 2, 0, 2.5)), false, "out_of_sequence rebirth"},
			{DeviceData, payload(4, metric("", 2, 0, 2.5)), false, "out_of_sequence rebirth"},
			{DeviceData, payload(5, metric("flow", 2, 0, 2.5)), false, "flow=2.5 rebirth"},
			{NodeBirth, nbirth(1), false, "bdSeq=1 born load=0.5"},
			{DeviceBirth, dbirth(1), false, "flow=1 speed=5"},
			{DeviceData, payload(2, metric("", 2, 0, 2.5)), false, "flow=2.5"},
		},
		"a broker repeats what it did not see acknowledged": {
			{NodeBirth, nbirth(1), false, "bdSeq=1 born load=0.5"},
			{DeviceBirth, dbirth(1), false, "flow=1 speed=5"},
			{DeviceData, payload(2, metric("", 2, 0, 2.0)), false, "flow=2"},
			{DeviceData, payload(3, metric("", 2, 0, 3.0)), false, "flow=3"},
			{DeviceData, payload(2, metric("", 2, 0, 2.0)), true, "flow=2"},
			{DeviceData, payload(3, metric("", 2, 0, 3.0)), true, "flow=3"},
			{DeviceData, payload(3, metric("", 2, 0, 3.0)), false, "flow=3"},
			{DeviceData, payload(4, metric("", 2, 0, 4.0)), false, "flow=4"},
		},
		"a death": {
			{NodeBirth, nbirth(7), false, "bdSeq=7 born load=0.5"},
			{NodeDeath, payload(-1, metric("bdSeq", -1, 8, uint64(6))), false, ""}, // of the connection before
			{NodeData, payload(1, metric("", 1, 0, 1.0)), false, "load=1"},
			{NodeDeath, payload(-1, metric("bdSeq", -1, 8, uint64(7))), false, "died"},
			{NodeData, payload(2, metric("", 1, 0, 1.0)), false, "no_birth rebirth"},
		},
		"the death of a device": {
			{NodeBirth, nbirth(7), false, "bdSeq=7 born load=0.5"},
			{DeviceBirth, dbirth(1), false, "flow=1 speed=5"},
			{DeviceDeath, payload(2), false, ""},
			{DeviceData, payload(3, metric("", 2, 0, 1.0)), false, "no_birth rebirth"},
			{NodeData, payload(4, metric("", 1, 0, 1.0)), false, "load=1"},
		},
		"aliases are of the last birth": {
			{NodeBirth, nbirth(7), false, "bdSeq=7 born load=0.5"},
			{DeviceBirth, dbirth(1), false, "flow=1 speed=5"},
			{DeviceBirth, payload(2, metric("flow", 3, typeDouble, 1.0)), false, "flow=1"},
			{DeviceData, payload(3, metric("", 3, 0, 9.0)), false, "flow=9"},
			{DeviceData, payload(4, metric("", 2, 0, 9.0)), false, "no_birth rebirth"},
		},
		"hostile": {
			{NodeBirth, payload(-1, metric("bdSeq", -1, 8, uint64(1))), false, "bad_sparkplug"},
			{NodeBirth, payload(0, metric("", 1, typeDouble, 1.0)), false, "bad_sparkplug"},
			{NodeBirth, payload(0, metric("a", 1, typeDouble, 1.0), metric("b", 1, typeDouble, 1.0)), false, "bad_sparkplug"},
			{NodeBirth, nbirth(1), false, "bdSeq=1 born load=0.5"},
			{NodeData, payload(-1, metric("", 1, 0, 1.0)), false, "bad_sparkplug"},
			{NodeData, payload(1, metric("", -1, 0, 1.0)), false, "bad_sparkplug rebirth"},
			{NodeData, payload(2, metric("", 1, 0, math.Inf(1))), false, "load=NaN"},
			{NodeData, payload(3, metric("", 1, 0, "x")), false, "load=NaN"},
			{NodeData, payload(4, metric("", 1, 0, true)), false, "load=1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var s Session
			for i, st := range steps {
				topic := Topic{Group: "acme", Kind: st.kind, Node: "gw-1"}
				if st.kind[0] == 'D' {
					topic.Device = "pump-1-a"
				}
				if got := say(s.Take(topic, st.p, st.repeat)); got != st.want {
					t.Fatalf("step %d, %s: %q, want %q", i, st.kind, got, st.want)
				}
			}
		})
	}
}

func TestSessionIsBounded(t *testing.T) {
	var s Session
	s.Take(Topic{Group: "g", Kind: NodeBirth, Node: "n"}, nbirth(1), false)
	rejected := 0
	for i := range maxDevices + 50 {
		seq := (i + 1) % 256
		if o := s.Take(Topic{Group: "g", Kind: DeviceBirth, Node: "n", Device: fmt.Sprint(i)}, payload(seq, metric("flow", 1, typeDouble, 1.0)), false); o.Rejection != nil {
			rejected++
		}
	}
	if rejected != 50 || s.Size() != maxDevices+2 {
		t.Errorf("%d devices rejected, %d metrics remembered", rejected, s.Size())
	}
	s.Take(Topic{Group: "g", Kind: NodeDeath, Node: "n"}, payload(-1), false)
	if s.Size() != 0 {
		t.Errorf("%d metrics after the death", s.Size())
	}
}

func TestReadingsOfAMessage(t *testing.T) {
	v := func(name string, at int64, number float64) Value { return Value{Name: name, Time: at, Number: number} }
	old := func(x Value) Value { x.Historical = true; return x }
	got := Readings([]Value{
		v("flow", 5000, 3), v("speed", 5400, 1), // one measurement, though read one after the other
		v("flow", 3000, 1), v("flow", 3200, 2), // a metric twice
		old(v("flow", 1000, 9)), old(v("speed", 1001, 8)),
		v("temp", 1500, 7), // near, and not historical
	})
	var texts []string
	for _, r := range got {
		texts = append(texts, fmt.Sprint(string(r.AppendJSON(nil)), " ", r.Historical))
	}
	want := []string{
		`{"timestamp":1001,"parameters":{"flow":9,"speed":8}} true`,
		`{"timestamp":1500,"parameters":{"temp":7}} false`,
		`{"timestamp":3000,"parameters":{"flow":1}} false`,
		`{"timestamp":3200,"parameters":{"flow":2}} false`,
		`{"timestamp":5400,"parameters":{"flow":3,"speed":1}} false`,
	}
	if !slices.Equal(texts, want) {
		t.Errorf("%s", strings.Join(texts, "\n"))
	}
	if s := string(Readings([]Value{{Name: `a"b`, Number: math.NaN()}})[0].AppendJSON(nil)); s != `{"parameters":{"a\"b":null}}` {
		t.Error(s)
	}
}

func TestMetricsNameParameters(t *testing.T) {
	known := func(name string) bool { return name == "flow" || name == "motor_DE_vib_band_1" || name == "a/b" }
	for metric, want := range map[string]string{"flow": "flow", "motor/DE/vib_band_1": "motor_DE_vib_band_1", "a/b": "a/b", "Node Control/Rebirth": "", "x": ""} {
		got, ok := Parameter(metric, known)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: %s, %v", metric, got, ok)
		}
	}
}

func TestPayloadsAreBounded(t *testing.T) {
	many := &Payload{}
	for range maxMetrics + 1 {
		many.Metrics = append(many.Metrics, &spb.Metric{})
	}
	bytes := func(p *Payload) []byte {
		b, err := proto.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		data []byte
		want decode.Reason
	}{
		"good":                {bytes(nbirth(1)), ""},
		"empty":               {nil, ""},
		"too many metrics":    {bytes(many), decode.BadSparkplug},
		"too large":           {make([]byte, 70<<10), decode.PayloadTooLarge},
		"no protobuf":         {[]byte(`{"flow":1}`), decode.BadSparkplug},
		"cut off":             {bytes(nbirth(1))[:7], decode.BadSparkplug},
		"a seq beyond 255":    {bytes(payload(256)), decode.BadSparkplug},
		"a name that is long": {bytes(payload(1, metric(strings.Repeat("x", 300), -1, 0, 1.0))), decode.BadSparkplug},
		"a name of no UTF-8":  {bytes(payload(1, metric("\xff", -1, 0, 1.0))), decode.BadSparkplug},
		"a time beyond times": {bytes(&Payload{Timestamp: proto.Uint64(math.MaxUint64)}), decode.BadTimestamp},
	} {
		_, rejection := Decode(c.data, 64<<10)
		if (rejection == nil) != (c.want == "") || rejection != nil && rejection.Reason != c.want {
			t.Errorf("%s: %v, want %q", name, rejection, c.want)
		}
	}
}

// Whatever bytes come, a session holds its bounds, and a value it gives is one that the
// product's own decoder can judge.
func FuzzSession(f *testing.F) {
	for _, p := range []*Payload{nbirth(1), dbirth(1), payload(2, metric("", 2, 0, 2.5)), payload(-1)} {
		b, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, b, byte(0))
	}
	kinds := []Kind{NodeBirth, NodeData, NodeDeath, DeviceBirth, DeviceData, DeviceDeath}
	decoder := decode.NewDecoder(decode.DefaultLimits())
	f.Fuzz(func(t *testing.T, first, second []byte, order byte) {
		var s Session
		s.Take(Topic{Group: "g", Kind: NodeBirth, Node: "n"}, nbirth(1), false)
		for i, data := range [][]byte{first, second, first} {
			p, rejection := Decode(data, 64<<10)
			if rejection != nil {
				continue
			}
			topic := Topic{Group: "g", Kind: kinds[(int(order)>>(2*i))%len(kinds)], Node: "n"}
			if topic.Kind[0] == 'D' {
				topic.Device = "d"
			}
			out := s.Take(topic, p, order&0x80 != 0)
			if out.Rejection != nil && len(out.Values) > 0 {
				t.Fatal("values beside a rejection")
			}
			n := 0
			for _, r := range Readings(out.Values) {
				n += len(r.Values)
				var into decode.Payload
				got := decoder.Decode(r.AppendJSON(nil), decode.NewCatalogue(), decodeTime, 1<<62, &into)
				if got != nil && got.Reason == decode.BadJSON {
					t.Fatalf("%s: %v", r.AppendJSON(nil), got)
				}
			}
			if n != len(out.Values) || s.Size() < 0 || s.Size() > maxDefinitions {
				t.Fatalf("%d of %d values, %d metrics", n, len(out.Values), s.Size())
			}
		}
	})
}
