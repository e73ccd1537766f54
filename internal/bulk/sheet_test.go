package bulk

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzRead(f *testing.F) {
	f.Add(Template())
	f.Add([]byte("sep=;\nkind;code\nsite;a\n"))
	f.Add([]byte("\xff\xfek\x00i\x00n\x00d\x00\t\x00c\x00o\x00d\x00e\x00\n\x00s\x00i\x00t\x00e\x00\t\x00a\x00"))
	f.Add([]byte("kind,code,name,rated_power_kw,installed_on\nasset,a,\"x\ny\",1e9,2024-02-30\nsensor,'=1,=1,,\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		s, wrong := read(content, 100)
		if (s == nil) == (wrong == nil) {
			t.Fatalf("a sheet %v and an error %v", s != nil, wrong)
		}
		if s == nil {
			return
		}
		for _, l := range s.rows {
			if l.number < 2 || len(l.cells) != len(columns) {
				t.Fatalf("line %d with %d cells", l.number, len(l.cells))
			}
			for _, c := range l.cells {
				if !utf8.ValidString(c) || strings.ContainsRune(c, 0) || utf8.RuneCountInString(c) > maxCell {
					t.Fatalf("cell %q", c)
				}
			}
			r := parse(l, s.separator)
			for _, m := range r.wrong {
				if m.Row != l.number || m.Key == "" || m.Code == "" {
					t.Fatalf("%+v", m)
				}
			}
		}
	})
}

func TestGuardsComeOff(t *testing.T) {
	for _, s := range []string{"", "plain", "=1+1", "+49", "-x", "@a", "'", "'plain", "'=1", "''-x", "a=1"} {
		g := guarded(s)
		if g != "" && strings.IndexByte(formula, g[0]) >= 0 {
			t.Errorf("%q is guarded as %q", s, g)
		}
		if got := unguarded(g); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
}

// 10,000 rows from bytes to what they are about.
func BenchmarkRead(b *testing.B) {
	var file strings.Builder
	file.WriteString("kind,code,name,site,type,rated_power_kw,installed_on\n")
	for range 10_000 {
		file.WriteString("asset,feed-pump-1,Feed pump 1,north,pump,7.5,2024-03-01\n")
	}
	content := []byte(file.String())
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		s, wrong := read(content, 10_000)
		if wrong != nil {
			b.Fatal(wrong)
		}
		for _, l := range s.rows {
			parse(l, s.separator)
		}
	}
}
