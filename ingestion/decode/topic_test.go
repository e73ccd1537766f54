package decode

import (
	"strings"
	"testing"
)

func TestParseTopic(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, c := range []struct {
		topic string
		want  Topic
		bad   bool
	}{
		{topic: "acme/north/sensors/p-101_vib", want: Topic{"acme", "north", "p-101_vib"}},
		{topic: "acme/north/sensors", want: Topic{"acme", "north", ""}},
		{topic: "sensors/p-101", want: Topic{"", "", "p-101"}},
		{topic: "sensors", want: Topic{}},
		{topic: "sensors/sensors/sensors/sensors", want: Topic{"sensors", "sensors", "sensors"}},
		{topic: "a/b/sensors/" + long, want: Topic{"a", "b", long}},
		{topic: "a/b/sensors/" + long + "x", bad: true},
		{topic: "", bad: true},
		{topic: "/", bad: true},
		{topic: "acme", bad: true},
		{topic: "acme/north", bad: true},
		{topic: "acme/north/sensors/", bad: true},
		{topic: "acme//sensors/x", bad: true},
		{topic: "/acme/north/sensors/x", bad: true},
		{topic: "acme/north/sensors/x/y", bad: true},
		{topic: "acme/north/actors/x", bad: true},
		{topic: "Acme/north/sensors/x", bad: true},
		{topic: "acme/nörd/sensors/x", bad: true},
		{topic: "acme/north/sensors/x y", bad: true},
		{topic: "acme/+/sensors/x", bad: true},
		{topic: "acme/north/sensors/#", bad: true},
		{topic: "acme/north/sensors/x\x00", bad: true},
		{topic: strings.Repeat("a/", 40000), bad: true},
	} {
		got, r := ParseTopic(c.topic)
		switch {
		case c.bad && (r == nil || r.Reason != BadTopic || got != Topic{}):
			t.Errorf("%.40q: %+v, %v, want bad_topic", c.topic, got, r)
		case !c.bad && (r != nil || got != c.want):
			t.Errorf("%.40q: %+v, %v, want %+v", c.topic, got, r, c.want)
		}
	}
}

func FuzzParseTopic(f *testing.F) {
	for _, s := range []string{"acme/north/sensors/x", "sensors/x", "sensors", "a/b/sensors", "$SYS/x", "//"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, r := ParseTopic(s)
		if r != nil {
			if len(r.Detail) > 8*quoteLimit {
				t.Fatalf("detail of %d bytes", len(r.Detail))
			}
			return
		}
		want := "sensors"
		if got.Tenant != "" {
			want = got.Tenant + "/" + got.Site + "/sensors"
		}
		if got.Sensor != "" {
			want += "/" + got.Sensor
		}
		if s != want {
			t.Fatalf("%q was read as %+v, which is %q", s, got, want)
		}
	})
}

func BenchmarkParseTopic(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, r := ParseTopic("acme/north/sensors/p-101-vib"); r != nil {
			b.Fatal(r)
		}
	}
}
