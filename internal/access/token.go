package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/secret"
)

// The lives of the tokens in letters.
const (
	inviteLife  = 7 * 24 * time.Hour
	welcomeLife = 7 * 24 * time.Hour // to set the first password
	resetLife   = time.Hour
)

// maxToken bounds the length of a token from outside, in bytes.
const maxToken = 128

// newToken returns a token of 256 random bits for a link, and what is stored of it.
func newToken() (token string, hash []byte) {
	token = secret.Text(32)
	return token, hashOf(token)
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// badToken is the same for tokens that never were, are used, withdrawn or too old.
func badToken(cause error) *fault.Error {
	return fault.Invalid("input.token", "error.access.token").Because(cause)
}

// link leads to a page of the web application. The token stands behind the #, which
// browsers send to no server and write into no Referer.
func (s *Service) link(page, token string) string {
	u := *s.c.PublicURL
	u = *u.JoinPath(page)
	u.Fragment = url.Values{"token": {token}}.Encode()
	return u.String()
}

// lookUp reads the one row that a look-up by a token gives.
func lookUp[T any](ctx context.Context, s *Service, sql string, hash []byte) (*T, error) {
	rows, err := s.c.App.Query(ctx, sql, hash)
	if err != nil {
		return nil, err
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, badToken(nil)
	}
	return v, err
}
