// Package obs is how the process tells of itself: structured logs that carry the
// tenant and the request, and the registry of metrics. It keeps no global state;
// main decides what becomes slog's default.
package obs
