package transport

import (
	"context"
	"errors"
	"fmt"

	"github.com/coder/websocket"

	"foresight/internal/fault"
)

// The close codes of the package's table that RFC 6455 does not name.
const (
	CodeInvalidMessage   websocket.StatusCode = 4400
	CodeUnauthorized     websocket.StatusCode = 4401
	CodeForbidden        websocket.StatusCode = 4403
	CodeBadSubprotocol   websocket.StatusCode = 4406
	CodeInitTimeout      websocket.StatusCode = 4408
	CodeSubscriberExists websocket.StatusCode = 4409
	CodeTooSlow          websocket.StatusCode = 4410
	CodeTooManyInits     websocket.StatusCode = 4429
	CodeInternal         websocket.StatusCode = 4500
)

// CloseError ends a connection with a code. Reason is shown to the client, in
// at most 123 bytes.
type CloseError struct {
	Code   websocket.StatusCode
	Reason string
}

// Error returns code and reason.
func (e *CloseError) Error() string { return fmt.Sprintf("close %d: %s", e.Code, e.Reason) }

func closing(code websocket.StatusCode, reason string) *CloseError {
	if len(reason) > 123 {
		reason = reason[:123]
	}
	return &CloseError{code, reason}
}

// closeFor returns how a connection ends whose credential was not accepted.
func closeFor(err error) *CloseError {
	var ce *CloseError
	if errors.As(err, &ce) {
		return ce
	}
	switch fault.KindOf(err) {
	case fault.Unauthenticated, fault.Forbidden, fault.BadInput, fault.NotFound:
		return closing(CodeForbidden, "Forbidden")
	case fault.Unavailable, fault.RateLimited:
		return closing(websocket.StatusTryAgainLater, "Try again later")
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return closing(websocket.StatusTryAgainLater, "Try again later")
	}
	return closing(CodeInternal, "Internal server error")
}

type enderKey struct{}

func withEnder(ctx context.Context, end func(*CloseError)) context.Context {
	return context.WithValue(ctx, enderKey{}, end)
}

// DisconnectSlow ends the connection that the operation of the context came on,
// because its client takes items too slowly and would miss some that must never be
// missed: a WebSocket with 4410, an event stream without `complete`, so that both
// reconnect and ask for what they missed. It does nothing for other operations. It
// returns at once and may be called more than once. Shared subscriptions need it not:
// the transport sees for itself.
func DisconnectSlow(ctx context.Context) {
	if end, ok := ctx.Value(enderKey{}).(func(*CloseError)); ok {
		end(closing(CodeTooSlow, "Client too slow"))
	}
}
