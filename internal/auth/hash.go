package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"

	"foresight/internal/secret"
)

// Params are the costs of argon2id (RFC 9106).
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8  // lanes
}

// DefaultParams is the second choice of the OWASP password storage cheat sheet:
// 19 MiB and two passes, about 30 ms of one core.
var DefaultParams = Params{Memory: 19 << 10, Time: 2, Threads: 1}

// The bounds of parameters that a stored hash may ask for, so that a foreign hash
// cannot exhaust the process.
const (
	maxMemory  = 256 << 10 // KiB
	maxTime    = 16
	maxThreads = 16
	saltLen    = 16 // bytes
	keyLen     = 32 // bytes

	// MaxPassword is the longest password in bytes.
	MaxPassword = 1024
)

// ErrHash says that a stored hash cannot be read; nobody signs in with it.
var ErrHash = errors.New("auth: malformed password hash")

// Hasher makes and checks hashes of passwords in PHC form,
// `$argon2id$v=19$m=19456,t=2,p=1$salt$key`. It is safe for concurrent use: no
// more memory than its budget is in use at once, and callers beyond wait.
type Hasher struct {
	params Params
	budget int64 // KiB
	sem    *semaphore.Weighted
}

// NewHasher returns a hasher for the parameters. Its budget lets as many hashes
// run at once as there are processors, since more would only wait for each other.
func NewHasher(p Params) *Hasher {
	budget := max(int64(p.Memory)*int64(runtime.GOMAXPROCS(0)), maxMemory)
	return &Hasher{params: p, budget: budget, sem: semaphore.NewWeighted(budget)}
}

// Hash returns the PHC text of the password with a fresh salt. The error is the context's.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxPassword {
		return "", errors.New("auth: password too long")
	}
	salt := secret.Random(saltLen)
	key, err := h.key(ctx, password, salt, h.params, keyLen)
	if err != nil {
		return "", err
	}
	e := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.params.Memory, h.params.Time, h.params.Threads, e.EncodeToString(salt), e.EncodeToString(key)), nil
}

// Verify reports whether the password belongs to the hash, which is of Hash or of
// HashSecret. The error is ErrHash or the context's. The time does not depend on
// how much of the password is right.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	if s, ok := strings.CutPrefix(hash, secretPrefix); ok {
		want, err := base64.RawStdEncoding.DecodeString(s)
		if err != nil {
			return false, ErrHash
		}
		got := sha256.Sum256([]byte(password))
		return subtle.ConstantTimeCompare(got[:], want) == 1, nil
	}
	p, salt, want, err := parse(hash)
	if err != nil {
		return false, err
	}
	if len(password) > MaxPassword {
		return false, nil
	}
	got, err := h.key(ctx, password, salt, p, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// Outdated reports whether the hash was made with other parameters than the
// hasher's, so that it is made anew at the next sign-in.
func (h *Hasher) Outdated(hash string) bool {
	p, _, _, err := parse(hash)
	return err == nil && p != h.params
}

func (h *Hasher) key(ctx context.Context, password string, salt []byte, p Params, n uint32) ([]byte, error) {
	weight := min(int64(p.Memory), h.budget)
	// A hash of the usual size takes a share of the budget that leaves one for each processor.
	if share := h.budget / int64(runtime.GOMAXPROCS(0)); weight < share {
		weight = share
	}
	if err := h.sem.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	defer h.sem.Release(weight)
	return argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, n), nil
}

func parse(hash string) (p Params, salt, key []byte, err error) {
	f := strings.Split(hash, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, ErrHash
	}
	if n, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); n != 3 || err != nil ||
		f[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.Memory, p.Time, p.Threads) {
		return p, nil, nil, ErrHash
	}
	e := base64.RawStdEncoding.Strict()
	if salt, err = e.DecodeString(f[4]); err == nil {
		key, err = e.DecodeString(f[5])
	}
	if err != nil || p.Time < 1 || p.Time > maxTime || p.Threads < 1 || p.Threads > maxThreads ||
		p.Memory < 8*uint32(p.Threads) || p.Memory > maxMemory ||
		len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 {
		return Params{}, nil, nil, ErrHash
	}
	return p, salt, key, nil
}

const secretPrefix = "$sha256$"

// NewSecret returns a random secret of a machine (256 bits, base64url) and its
// hash. A secret that cannot be guessed needs no slow hash: tokens for machines
// stay cheap.
func NewSecret() (text, hash string) {
	text = secret.Text(32)
	return text, HashSecret(text)
}

// HashSecret returns the hash of a random secret, `$sha256$…`; never use it for
// what a person has chosen.
func HashSecret(text string) string {
	sum := sha256.Sum256([]byte(text))
	return secretPrefix + base64.RawStdEncoding.EncodeToString(sum[:])
}
