package obs

import "context"

type remoteKey struct{}

// WithRemote returns a context that carries the address of the client behind it.
func WithRemote(ctx context.Context, addr string) context.Context {
	return context.WithValue(ctx, remoteKey{}, addr)
}

// Remote returns the address of the client, "" where there is none.
func Remote(ctx context.Context) string {
	s, _ := ctx.Value(remoteKey{}).(string)
	return s
}
