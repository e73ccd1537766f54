// Package fault is the one vocabulary of errors. A service returns an *Error (or
// wraps one with %w); the doors map its Kind to a GraphQL code or an HTTP status
// and its Key to a localised message. What is not an *Error is INTERNAL, and its
// text never leaves the process.
package fault

import (
	"errors"
	"fmt"
)

// Kind says who can mend the error and how.
type Kind string

// The kinds; their text is the public code in extensions.code.
const (
	Unauthenticated Kind = "UNAUTHENTICATED"
	Forbidden       Kind = "FORBIDDEN"
	NotFound        Kind = "NOT_FOUND"
	BadInput        Kind = "BAD_USER_INPUT"
	Conflict        Kind = "CONFLICT"
	RateLimited     Kind = "RATE_LIMITED"
	ComplexityLimit Kind = "COMPLEXITY_LIMIT"
	Unavailable     Kind = "UNAVAILABLE"
	// TrainerUnavailable says that no process of the installation can train.
	TrainerUnavailable Kind = "TRAINER_UNAVAILABLE"
	Internal           Kind = "INTERNAL"
)

// Error is an error that its receiver may see. Key is a message id of locales
// (`error.<area>.<what>`), Args its template data, Field the path of the input
// field to blame (`input.threshold`), empty when no single field is at fault.
// Cause is for the log only.
type Error struct {
	Kind  Kind
	Key   string
	Field string
	Args  map[string]any
	Cause error
}

// Error returns a text for logs; people get the localised message of Key.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.Kind, e.Key)
	if e.Field != "" {
		s += " at " + e.Field
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// With returns a copy with one more template argument.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Args = make(map[string]any, len(e.Args)+1)
	for k, v := range e.Args {
		c.Args[k] = v
	}
	c.Args[name] = value
	return &c
}

// At returns a copy that blames an input field.
func (e *Error) At(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// Because returns a copy with the cause.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Cause = err
	return &c
}

// New returns an error of the kind with a message key.
func New(k Kind, key string) *Error { return &Error{Kind: k, Key: key} }

// Missing is what every look-up of a thing that is absent, deleted or another
// tenant's returns; entity is the graph's type name.
func Missing(entity string) *Error {
	return &Error{Kind: NotFound, Key: "error.notFound", Args: map[string]any{"Entity": entity}}
}

// Invalid blames one input field.
func Invalid(field, key string) *Error { return &Error{Kind: BadInput, Key: key, Field: field} }

// Stale is the conflict of optimistic locking: the caller's expectedVersion is not the stored one.
func Stale(entity string) *Error {
	return &Error{Kind: Conflict, Key: "error.stale", Field: "input.expectedVersion", Args: map[string]any{"Entity": entity}}
}

// Denied says that the actor lacks the permission.
func Denied(permission string) *Error {
	return &Error{Kind: Forbidden, Key: "error.forbidden", Args: map[string]any{"Permission": permission}}
}

// KindOf returns the kind of the first *Error in the chain, Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether the chain holds an *Error of the kind.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// List is several errors of one input, reported together.
type List []*Error

// Error joins the texts.
func (l List) Error() string {
	s := ""
	for i, e := range l {
		if i > 0 {
			s += "; "
		}
		s += e.Error()
	}
	return s
}

// Unwrap gives errors.As every element.
func (l List) Unwrap() []error {
	out := make([]error, len(l))
	for i, e := range l {
		out[i] = e
	}
	return out
}

// Err returns nil for an empty list, the list otherwise.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}
