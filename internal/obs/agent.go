package obs

import "context"

type agentKey struct{}

// WithAgent returns a context that carries what the client behind it calls itself,
// its User-Agent.
func WithAgent(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, agentKey{}, name)
}

// Agent returns what the client calls itself, "" where that is unknown. The text is
// the client's own, of any length and content.
func Agent(ctx context.Context) string {
	s, _ := ctx.Value(agentKey{}).(string)
	return s
}
