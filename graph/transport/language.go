package transport

import "context"

type languageKey struct{}

// Language returns what the client of a WebSocket asked for as `acceptLanguage` in
// connection_init, the upgrade's Accept-Language header when it did not: browsers
// cannot set headers there.
func Language(ctx context.Context) string {
	s, _ := ctx.Value(languageKey{}).(string)
	return s
}

func (c *conn) withLanguage(payload map[string]any) context.Context {
	language, _ := payload["acceptLanguage"].(string)
	if language == "" {
		language = c.header.Get("Accept-Language")
	}
	return context.WithValue(c.ctx, languageKey{}, language)
}
