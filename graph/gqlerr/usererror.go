package gqlerr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"foresight/internal/fault"
)

// UserError is an entry of a payload's userErrors: what the caller can mend.
// gqlgen binds the schema's type to it.
type UserError struct {
	Field   *string // path of the input field, nil when no single field is at fault
	Message string
	Code    UserErrorCode
}

// UserErrorCode is the schema's enum of that name.
type UserErrorCode string

// The codes.
const (
	UserBadInput UserErrorCode = UserErrorCode(fault.BadInput)
	UserConflict UserErrorCode = UserErrorCode(fault.Conflict)
	UserNotFound UserErrorCode = UserErrorCode(fault.NotFound)
)

// IsValid reports whether the code is one of the enum.
func (c UserErrorCode) IsValid() bool {
	return c == UserBadInput || c == UserConflict || c == UserNotFound
}

// MarshalGQL writes the enum value.
func (c UserErrorCode) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(c))) }

// UnmarshalGQL reads an enum value.
func (c *UserErrorCode) UnmarshalGQL(v any) error {
	s, _ := v.(string)
	if *c = UserErrorCode(s); !c.IsValid() {
		return fmt.Errorf("%q is no UserErrorCode", s)
	}
	return nil
}

// UserErrors splits an error of a mutation: what the caller can mend becomes the
// payload's userErrors (never nil, so that the list is not null), anything else
// is returned for the top-level errors. The caller can mend bad input, conflicts,
// and what is missing although an input field names it. When a list holds
// something that cannot be mended, that alone is returned as the error.
func UserErrors(ctx context.Context, err error) ([]*UserError, error) {
	if err == nil {
		return []*UserError{}, nil
	}
	faults := faultsOf(err)
	if len(faults) == 0 {
		return []*UserError{}, err
	}
	l := LocalizerFrom(ctx)
	out := make([]*UserError, 0, len(faults))
	for _, f := range faults {
		if !mendable(f) {
			return []*UserError{}, f
		}
		u := &UserError{Message: l.Error(f), Code: UserErrorCode(f.Kind)}
		if f.Field != "" {
			u.Field = &f.Field
		}
		out = append(out, u)
	}
	return out, nil
}

func mendable(f *fault.Error) bool {
	switch f.Kind {
	case fault.BadInput, fault.Conflict:
		return true
	case fault.NotFound:
		return f.Field != ""
	}
	return false
}

func faultsOf(err error) []*fault.Error {
	var l fault.List
	if errors.As(err, &l) {
		return l
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return []*fault.Error{f}
	}
	return nil
}
