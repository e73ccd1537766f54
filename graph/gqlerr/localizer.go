package gqlerr

import (
	"context"

	"foresight/internal/fault"
)

// Localizer turns an error into a text for people in one language. locales
// implements it; a door puts the one that fits Accept-Language into the context.
type Localizer interface {
	Error(*fault.Error) string
}

type localizerKey struct{}

// WithLocalizer returns a context whose errors are told in the localiser's language.
func WithLocalizer(ctx context.Context, l Localizer) context.Context {
	return context.WithValue(ctx, localizerKey{}, l)
}

// LocalizerFrom returns the localiser of the context, and where there is none one
// that tells the kind of error in English.
func LocalizerFrom(ctx context.Context) Localizer {
	if l, ok := ctx.Value(localizerKey{}).(Localizer); ok {
		return l
	}
	return plain{}
}

// plain knows kinds only. It serves errors that happen before a language is known.
type plain struct{}

var texts = map[fault.Kind]string{
	fault.Unauthenticated: "Sign in first.",
	fault.Forbidden:       "You may not do this.",
	fault.NotFound:        "There is no such thing.",
	fault.BadInput:        "The input is not acceptable.",
	fault.Conflict:        "The object changed meanwhile, or something of that name exists.",
	fault.RateLimited:     "Too many requests: try again later.",
	fault.ComplexityLimit: "The operation asks for too much at once.",
	fault.Unavailable:     "The service cannot answer now: try again later.",

	fault.TrainerUnavailable: "No process of this installation can train models.",
}

func (plain) Error(e *fault.Error) string {
	if s, ok := texts[e.Kind]; ok {
		return s
	}
	return "Something went wrong on our side."
}
