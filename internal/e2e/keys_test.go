package e2e

import (
	"crypto/ed25519"
	"encoding/base64"
	"testing"
)

// signingKey reads the private key of the id from a JWK set (RFC 8037).
func signingKey(t testing.TB, set []byte, keyID string) ed25519.PrivateKey {
	t.Helper()
	type jwk struct{ Kid, D string }
	for _, k := range decode[struct{ Keys []jwk }](t, set).Keys {
		if k.Kid != keyID {
			continue
		}
		seed, err := base64.RawURLEncoding.DecodeString(k.D)
		if err != nil || len(seed) != ed25519.SeedSize {
			t.Fatalf("key %s: %d bytes, %v", keyID, len(seed), err)
		}
		return ed25519.NewKeyFromSeed(seed)
	}
	t.Fatalf("no key %s", keyID)
	return nil
}
