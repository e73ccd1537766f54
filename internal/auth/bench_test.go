package auth_test

import (
	"testing"

	"foresight/internal/auth"
)

// A token is checked in memory, a key by one look-up in the database, so that it can
// be revoked at once.
func BenchmarkCredentials(b *testing.B) {
	r := newRig(b)
	_, key := r.apiKey(b, r.credentials(b), auth.NewCredential{Name: "x", Scopes: []string{"plant:read"}})
	for _, c := range []struct{ name, credential string }{{"token", "Bearer " + r.login(b).AccessToken}, {"key", auth.KeyScheme + " " + key}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Authenticate(b.Context(), c.credential); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
