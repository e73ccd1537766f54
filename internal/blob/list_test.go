package blob_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"foresight/internal/id"
)

func TestLists(t *testing.T) {
	acme, globex := id.New(id.Tenant), id.New(id.Tenant)
	for kind, s := range stores(t) {
		t.Run(kind, func(t *testing.T) {
			a, g := as(t, acme), as(t, globex)
			if tenants, err := s.Tenants(a); err != nil || len(tenants) != 0 {
				t.Errorf("%v, %v", tenants, err)
			}
			var want []string
			for day := range 3 {
				for n := range 400 { // together more than a page
					want = append(want, fmt.Sprintf("2026-01-%02d/%02d/%03d.parquet", day+1, n%2, n))
				}
			}
			for _, n := range want {
				if err := s.Put(a, n, "text/plain", strings.NewReader(n), 100); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Put(g, "2026-01-01/05/other", "text/plain", strings.NewReader("x"), 100); err != nil {
				t.Fatal(err)
			}
			slices.Sort(want)
			names := func(prefix string) (out []string) {
				for f, err := range s.List(a, prefix) {
					if err != nil {
						t.Fatal(err)
					}
					if f.Size != int64(len(f.Name)) {
						t.Errorf("%+v", f)
					}
					out = append(out, f.Name)
				}
				return out
			}
			if got := names(""); !slices.Equal(got, want) {
				t.Errorf("%d files, want %d", len(got), len(want))
			}
			if got := names("2026-01-02/01/"); !slices.Equal(got, slices.DeleteFunc(slices.Clone(want), func(n string) bool { return !strings.HasPrefix(n, "2026-01-02/01/") })) {
				t.Errorf("%d files of an hour", len(got))
			}
			if got := names("2026-02-02/"); got != nil {
				t.Errorf("%v", got)
			}
			if days, err := s.Levels(a, ""); err != nil || !slices.Equal(days, []string{"2026-01-01", "2026-01-02", "2026-01-03"}) {
				t.Errorf("%v, %v", days, err)
			}
			if hours, err := s.Levels(a, "2026-01-03/"); err != nil || !slices.Equal(hours, []string{"00", "01"}) {
				t.Errorf("%v, %v", hours, err)
			}
			tenants, err := s.Tenants(a)
			if err != nil || len(tenants) != 2 || !slices.Contains(tenants, acme) || !slices.Contains(tenants, globex) {
				t.Errorf("%v, %v", tenants, err)
			}
			for _, prefix := range []string{"../", "/", "a//", "A/"} {
				for _, err := range s.List(a, prefix) {
					if err == nil {
						t.Errorf("listed %q", prefix)
					}
				}
			}
			stopped := 0
			for range s.List(a, "") {
				if stopped++; stopped == 3 {
					break
				}
			}
		})
	}
}
