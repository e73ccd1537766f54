package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/golang-jwt/jwt/v5"
)

// key is a signing key: EdDSA over Ed25519 (RFC 8037), or HS256 with a shared secret.
type key struct {
	id      string
	method  jwt.SigningMethod
	private any // ed25519.PrivateKey or []byte
	public  any // ed25519.PublicKey or []byte
}

// Keys are the keys of tokens by key id. The first one signs; the others are there
// to verify what was signed before a rotation. It is immutable.
type Keys struct{ list []key }

func (k *Keys) signing() key { return k.list[0] }

func (k *Keys) byID(id string) (key, bool) {
	for _, c := range k.list {
		if c.id == id {
			return c, true
		}
	}
	return key{}, false
}

// jwk is a key of a JWK set (RFC 7517).
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	D   string `json:"d,omitempty"`
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	Use string `json:"use"`
}

type jwkSet struct {
	Keys []jwk `json:"keys"`
}

// HS256Keys returns a set of one shared secret of at least 32 bytes.
func HS256Keys(secret []byte) (*Keys, error) {
	if len(secret) < 32 {
		return nil, errors.New("auth: an HS256 secret needs at least 32 bytes")
	}
	sum := sha256.Sum256(append([]byte("foresight key id\x00"), secret...))
	return &Keys{[]key{{base64.RawURLEncoding.EncodeToString(sum[:12]), jwt.SigningMethodHS256, secret, secret}}}, nil
}

// OpenKeys reads the JWK set of the file, and makes it with one fresh Ed25519 key
// when there is none. The file is readable by its owner only.
func OpenKeys(file string) (*Keys, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := writeKeys(file, jwkSet{[]jwk{newJWK()}}, true); err != nil {
			return nil, fmt.Errorf("auth: make signing keys: %w", err)
		}
		b, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("auth: read signing keys: %w", err)
	}
	k, err := parseKeys(b)
	if err != nil {
		return nil, fmt.Errorf("auth: signing keys in %s: %w", file, err)
	}
	return k, nil
}

// RotateKeys puts a fresh key in front of the file's set and keeps at most `keep`
// older ones for verification. Processes use it when they start anew.
func RotateKeys(file string, keep int) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if _, err := parseKeys(b); err != nil {
		return err
	}
	var s jwkSet
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	s.Keys = append([]jwk{newJWK()}, s.Keys[:min(len(s.Keys), keep)]...)
	return writeKeys(file, s, false)
}

// JWKS returns the document for /.well-known/jwks.json: public keys only, and none
// of shared secrets.
func (k *Keys) JWKS() []byte {
	s := jwkSet{Keys: []jwk{}}
	for _, c := range k.list {
		if pub, ok := c.public.(ed25519.PublicKey); ok {
			s.Keys = append(s.Keys, publicJWK(pub))
		}
	}
	b, _ := json.Marshal(s) // strings only
	return b
}

func newJWK() jwk {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic("auth: no randomness: " + err.Error())
	}
	j := publicJWK(pub)
	j.D = base64.RawURLEncoding.EncodeToString(priv.Seed())
	return j
}

func publicJWK(pub ed25519.PublicKey) jwk {
	x := base64.RawURLEncoding.EncodeToString(pub)
	// Key id: the thumbprint of RFC 7638 (members in this order).
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return jwk{Kty: "OKP", Crv: "Ed25519", X: x, Kid: base64.RawURLEncoding.EncodeToString(sum[:]), Alg: "EdDSA", Use: "sig"}
}

func parseKeys(b []byte) (*Keys, error) {
	var s jwkSet
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, errors.New("not a JWK set") // the text of err may hold the key
	}
	k := &Keys{}
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
		if _, twice := k.byID(kid); twice {
			return nil, fmt.Errorf("key %d: its id is there twice", i)
		}
		k.list = append(k.list, key{kid, jwt.SigningMethodEdDSA, priv, pub})
	}
	if len(k.list) == 0 {
		return nil, errors.New("no keys")
	}
	return k, nil
}

// writeKeys replaces the file in one step; with first, a file that another process
// has just made is kept.
func writeKeys(file string, s jwkSet, first bool) error {
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
	if first {
		if err := os.Link(tmp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	}
	return os.Rename(tmp.Name(), file)
}
