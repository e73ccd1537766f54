package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// key is a signing key: EdDSA over Ed25519 (RFC 8037), or HS256 with a shared secret.
type key struct {
	id      string
	method  jwt.SigningMethod
	private any       // ed25519.PrivateKey or []byte
	public  any       // ed25519.PublicKey or []byte
	expires time.Time // verifies no longer from then on; zero: no end
}

// Keys are the keys of tokens by key id. The first one signs; the others verify what
// was signed before a rotation. Keys of a file follow it: see Follow. They are safe
// for concurrent use.
type Keys struct {
	file string // "" for a shared secret
	now  func() time.Time
	list atomic.Pointer[[]key]

	mu     sync.Mutex  // guards what follows, of reading the file
	seen   os.FileInfo // as it was read last
	looked time.Time   // when it was looked at last
}

func newKeys(file string, list []key) *Keys {
	k := &Keys{file: file, now: time.Now}
	k.list.Store(&list)
	return k
}

func (k *Keys) signing() key { return (*k.list.Load())[0] }

// lookInterval bounds how often tokens of unknown keys make the file be looked at.
const lookInterval = time.Second

// byID returns a key that verifies. A token may come from a process that has taken
// up a new key before this one: the file is looked at then.
func (k *Keys) byID(id string) (key, bool) {
	if c, ok := k.find(id); ok || k.file == "" {
		return c, ok
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now().Sub(k.looked) >= lookInterval && k.reload() != nil {
		return key{}, false
	}
	return k.find(id)
}

func (k *Keys) find(id string) (key, bool) {
	list := *k.list.Load()
	i := slices.IndexFunc(list, func(c key) bool { return c.id == id })
	if i < 0 || !list[i].expires.IsZero() && !k.now().Before(list[i].expires) {
		return key{}, false
	}
	return list[i], true
}

// HS256Keys returns a set of one shared secret of at least 32 bytes.
func HS256Keys(secret []byte) (*Keys, error) {
	if len(secret) < 32 {
		return nil, errors.New("auth: an HS256 secret needs at least 32 bytes")
	}
	sum := sha256.Sum256(append([]byte("foresight key id\x00"), secret...))
	return newKeys("", []key{{id: base64.RawURLEncoding.EncodeToString(sum[:12]), method: jwt.SigningMethodHS256, private: secret, public: secret}}), nil
}

// OpenKeys reads the JWK set of the file, and makes it with one fresh Ed25519 key
// when there is none. The file is readable by its owner only.
func OpenKeys(file string) (*Keys, error) {
	if err := makeKeys(file, time.Now()); err != nil {
		return nil, fmt.Errorf("auth: make signing keys: %w", err)
	}
	k := newKeys(file, nil)
	if err := k.Reload(); err != nil {
		return nil, err
	}
	return k, nil
}

// Reload takes up the file when it has changed. With an error the keys stay as they
// were.
func (k *Keys) Reload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reload()
}

func (k *Keys) reload() error {
	k.looked = k.now()
	st, err := os.Stat(k.file)
	if err != nil {
		return fmt.Errorf("auth: read signing keys: %w", err)
	}
	// A rotation puts another file in its place, so the identity tells.
	if k.seen != nil && os.SameFile(st, k.seen) && st.ModTime().Equal(k.seen.ModTime()) && st.Size() == k.seen.Size() {
		return nil
	}
	b, err := os.ReadFile(k.file)
	if err != nil {
		return fmt.Errorf("auth: read signing keys: %w", err)
	}
	list, err := parseKeys(b)
	if err != nil {
		return fmt.Errorf("auth: signing keys in %s: %w", k.file, err)
	}
	k.list.Store(&list)
	k.seen = st
	return nil
}

// Follow looks at the file every so often until the context ends, and takes up the
// keys of a rotation. Of failures it logs the first in a row.
func (k *Keys) Follow(ctx context.Context, every time.Duration, log *slog.Logger) {
	if k.file == "" {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		before := k.signing().id
		err := k.Reload()
		if err != nil && !failed {
			log.ErrorContext(ctx, "signing keys not read; those of before are used", "error", err)
		}
		failed = err != nil
		if now := k.signing().id; now != before {
			log.InfoContext(ctx, "signing with another key", "key_id", now)
		}
	}
}

// JWKS returns the document for /.well-known/jwks.json: the public keys that verify,
// and none of shared secrets.
func (k *Keys) JWKS() []byte {
	s := jwkSet{Keys: []jwk{}}
	for _, c := range *k.list.Load() {
		if _, verifies := k.find(c.id); !verifies {
			continue
		}
		if pub, ok := c.public.(ed25519.PublicKey); ok {
			s.Keys = append(s.Keys, publicJWK(pub))
		}
	}
	b, _ := json.Marshal(s) // strings only
	return b
}
