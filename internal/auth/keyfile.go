package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"foresight/internal/secret"
)

// jwk is a key of a JWK set (RFC 7517).
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	D   string `json:"d,omitempty"`
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	Use string `json:"use"`

	// Members of the file alone, in seconds of Unix time: when the key was made, and
	// from when on it verifies no longer (0: no end).
	Made    int64 `json:"iat,omitempty"`
	Expires int64 `json:"exp,omitempty"`
}

type jwkSet struct {
	Keys []jwk `json:"keys"`
}

// makeKeys makes the file with one key unless it is there. Its directory must be there:
// one that is missing is a volume that is not mounted rather than a fresh start.
func makeKeys(file string, now time.Time) error {
	if _, err := os.Stat(filepath.Dir(file)); err != nil {
		return err
	}
	_, err := secret.Kept(file, func() ([]byte, error) { return json.MarshalIndent(jwkSet{[]jwk{newJWK(now)}}, "", "  ") })
	return err
}

func readKeys(file string) (jwkSet, error) {
	var s jwkSet
	b, err := os.ReadFile(file)
	if err == nil {
		_, err = parseKeys(b)
	}
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return s, fmt.Errorf("auth: signing keys in %s: %w", file, err)
	}
	return s, nil
}

// RotateKeys puts a fresh key in front of the file's set and returns its id. The key
// that signed until now verifies for the overlap, which must be longer than any token
// lives and than processes take to notice (Follow); those that have expired are
// dropped.
func RotateKeys(file string, overlap time.Duration, now time.Time) (string, error) {
	s, err := readKeys(file)
	if err != nil {
		return "", err
	}
	kept := []jwk{newJWK(now)}
	for _, j := range s.Keys {
		if j.Expires == 0 {
			j.Expires = now.Add(overlap).Unix()
		}
		if j.Expires > now.Unix() {
			kept = append(kept, j)
		}
	}
	return kept[0].Kid, writeKeys(file, jwkSet{kept})
}

// KeyInfo says what a key of a file is for.
type KeyInfo struct {
	ID      string
	Made    time.Time // zero when unknown
	Expires time.Time // verifies until then; zero: no end
	Signs   bool
}

// ListKeys returns the keys of the file, the one that signs first.
func ListKeys(file string) ([]KeyInfo, error) {
	s, err := readKeys(file)
	if err != nil {
		return nil, err
	}
	out := make([]KeyInfo, len(s.Keys))
	for i, j := range s.Keys {
		out[i] = KeyInfo{ID: j.Kid, Signs: i == 0}
		if j.Made != 0 {
			out[i].Made = time.Unix(j.Made, 0)
		}
		if j.Expires != 0 {
			out[i].Expires = time.Unix(j.Expires, 0)
		}
	}
	return out, nil
}

func newJWK(now time.Time) jwk {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic("auth: no randomness: " + err.Error())
	}
	j := publicJWK(pub)
	j.D, j.Made = base64.RawURLEncoding.EncodeToString(priv.Seed()), now.Unix()
	return j
}

func publicJWK(pub ed25519.PublicKey) jwk {
	x := base64.RawURLEncoding.EncodeToString(pub)
	// Key id: the thumbprint of RFC 7638 (members in this order).
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return jwk{Kty: "OKP", Crv: "Ed25519", X: x, Kid: base64.RawURLEncoding.EncodeToString(sum[:]), Alg: "EdDSA", Use: "sig"}
}

// parseKeys reads the keys of a file, the one that signs first.
func parseKeys(b []byte) ([]key, error) {
	var s jwkSet
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, errors.New("not a JWK set") // the text of err may hold the key
	}
	var list []key
	for i, j := range s.Keys {
		seed, err := base64.RawURLEncoding.DecodeString(j.D)
		if err != nil || len(seed) != ed25519.SeedSize || j.Kty != "OKP" || j.Crv != "Ed25519" {
			return nil, fmt.Errorf("key %d is no private Ed25519 key", i)
		}
		priv := ed25519.NewKeyFromSeed(seed)
		pub := priv.Public().(ed25519.PublicKey)
		if j.X != "" && j.X != base64.RawURLEncoding.EncodeToString(pub) {
			return nil, fmt.Errorf("key %d: x does not belong to d", i)
		}
		kid := j.Kid
		if kid == "" {
			kid = publicJWK(pub).Kid
		}
		if slices.ContainsFunc(list, func(c key) bool { return c.id == kid }) {
			return nil, fmt.Errorf("key %d: its id is there twice", i)
		}
		c := key{id: kid, method: jwt.SigningMethodEdDSA, private: priv, public: pub}
		if j.Expires != 0 {
			c.expires = time.Unix(j.Expires, 0)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, errors.New("no keys")
	}
	return list, nil
}

// writeKeys replaces the file in one step.
func writeKeys(file string, s jwkSet) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.Write(b); err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
