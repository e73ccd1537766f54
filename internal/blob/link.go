package blob

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Links makes and follows links to files that need no other credential: who has the
// link may read that one file until it expires. It is safe for concurrent use.
type Links struct {
	store *Store
	key   []byte
}

// minKey is the least length of a key in bytes.
const minKey = 32

// NewLinks returns links signed (HMAC-SHA256) with the key, at least 32 bytes that
// all processes share.
func NewLinks(s *Store, key []byte) (*Links, error) {
	if len(key) < minKey {
		return nil, errors.New("blob: a key of links has at least 32 bytes")
	}
	return &Links{s, key}, nil
}

// claims are what a link says, signed.
type claims struct {
	Tenant   id.UUID `json:"t"`
	Name     string  `json:"n"`
	FileName string  `json:"f"`
	Expires  int64   `json:"e"` // Unix seconds
}

// Make returns a token for the file of the actor's tenant, for use in a URL. fileName
// is what a browser saves it as.
func (l *Links) Make(ctx context.Context, name, fileName string, until time.Time) (string, error) {
	if _, err := key(ctx, name); err != nil {
		return "", err
	}
	b, err := json.Marshal(claims{tenancy.Must(ctx).TenantID, name, fileName, until.Unix()})
	if err != nil {
		return "", err
	}
	return encoding.EncodeToString(b) + "." + encoding.EncodeToString(l.sign(b)), nil
}

// Open opens the file of a token, with the name to save it as. A token that is
// forged, expired or whose file is gone is a fault of the kind NotFound.
func (l *Links) Open(ctx context.Context, token string) (*File, string, error) {
	body, signature, _ := strings.Cut(token, ".")
	b, err := encoding.DecodeString(body)
	given, serr := encoding.DecodeString(signature)
	if err != nil || serr != nil || !hmac.Equal(given, l.sign(b)) {
		return nil, "", fault.Missing("File")
	}
	var c claims
	if err := json.Unmarshal(b, &c); err != nil || !time.Now().Before(time.Unix(c.Expires, 0)) {
		return nil, "", fault.Missing("File")
	}
	f, err := l.store.open(ctx, under(c.Tenant, c.Name), c.Name)
	return f, c.FileName, err
}

var encoding = base64.RawURLEncoding.Strict()

func (l *Links) sign(b []byte) []byte {
	h := hmac.New(sha256.New, l.key)
	h.Write(b)
	return h.Sum(nil)
}
