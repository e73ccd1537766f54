// Package gqlerr is the one place where errors leave the graph. Faults become a
// localised message with their public code, everything else becomes INTERNAL
// with a message that says nothing, and every error carries the request id, and the
// trace's if there is one, under which the log tells the rest.
//
// Parser and validation errors of GraphQL keep the text and locations that the
// specification's tools expect; their code is BAD_USER_INPUT, as it is for every
// other mistake of the caller, and `extensions.reason` keeps the usual
// GRAPHQL_PARSE_FAILED or GRAPHQL_VALIDATION_FAILED.
package gqlerr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/fault"
	"foresight/internal/obs"
	"foresight/internal/obs/tracing"
)

// The entries of extensions.
const (
	Code      = "code"
	RequestID = "requestId"
	TraceID   = "traceId" // where the request has a trace
	Field     = "field"   // path of the input field to blame
	Reason    = "reason"  // code that GraphQL tools use for errors of the document
)

// Presenter returns the mapper for handler.Server.SetErrorPresenter. It is safe
// for concurrent use. Internal errors are logged with what caused them.
func Presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		out := &gqlerror.Error{}
		var in *gqlerror.Error
		if errors.As(err, &in) {
			out.Path, out.Locations = in.Path, in.Locations
		}
		f, spec := classify(ctx, err, in)
		ext := map[string]any{Code: string(f.Kind)}
		switch {
		case spec != "":
			out.Message = in.Message
			ext[Reason] = spec
		default:
			out.Message = LocalizerFrom(ctx).Error(f)
			if f.Field != "" {
				ext[Field] = f.Field
			}
		}
		if in != nil && in.Err != nil { // numbers for programs beside a fault, such as the cost of an operation
			for k, v := range in.Extensions {
				if _, taken := ext[k]; !taken {
					ext[k] = v
				}
			}
		}
		id := obs.RequestID(ctx)
		if id != "" {
			ext[RequestID] = id
		}
		if trace := tracing.TraceID(ctx); trace != "" {
			ext[TraceID] = trace
		}
		out.Extensions = ext
		switch f.Kind {
		case fault.Internal:
			log.ErrorContext(ctx, "request failed", "error", err, "path", out.Path.String(), "request_id", id)
		case fault.Unavailable:
			log.WarnContext(ctx, "request not served", "error", err, "path", out.Path.String(), "request_id", id)
		}
		return out
	}
}

// classify returns the fault that stands for the error; reason is set for errors
// of the document, whose text is kept.
func classify(ctx context.Context, err error, in *gqlerror.Error) (f *fault.Error, reason string) {
	if errors.As(err, &f) && f.Kind != fault.Internal {
		return f, ""
	}
	switch { // also when somebody has called it internal
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "error.graphql.timeout").Because(err), ""
	case errors.Is(err, context.Canceled):
		return fault.New(fault.Unavailable, "error.graphql.cancelled").Because(err), ""
	}
	if f != nil {
		return f, ""
	}
	if in == nil {
		return internal(err), ""
	}
	switch code, _ := in.Extensions[Code].(string); code {
	case errcode.ParseFailed:
		// The parser has no type for this error.
		if strings.HasPrefix(in.Message, "exceeded token limit") {
			return fault.New(fault.ComplexityLimit, "error.graphql.tokens"), ""
		}
		return fault.New(fault.BadInput, "error.graphql.document"), code
	case errcode.ValidationFailed:
		return fault.New(fault.BadInput, "error.graphql.document"), code
	}
	if in.Err == nil && graphql.GetFieldContext(ctx) == nil {
		// Refused by an extension before anything was executed: persisted queries
		// speak to clients by the message PersistedQueryNotFound and its code.
		reason, _ := in.Extensions[Code].(string)
		if reason == "" {
			reason = errcode.ValidationFailed
		}
		return fault.New(fault.BadInput, "error.graphql.document"), reason
	}
	if arg, ok := argumentOf(ctx, in.Path); ok {
		e := fault.Invalid(arg, "error.input.malformed")
		return e.With("Field", arg).Because(err), ""
	}
	return internal(err), ""
}

func internal(err error) *fault.Error {
	return fault.New(fault.Internal, "error.internal").Because(err)
}

// argumentOf tells whether the path leads into an argument of the present field:
// then a scalar of the input could not be read, which the caller can mend. The
// generated code has no type for this error; its path goes on with the
// argument's name behind the field's own path.
func argumentOf(ctx context.Context, path ast.Path) (string, bool) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Field.Field == nil || fc.Field.Definition == nil {
		return "", false
	}
	own := fc.Path()
	if len(path) <= len(own) || path[:len(own)].String() != own.String() {
		return "", false
	}
	name, ok := path[len(own)].(ast.PathName)
	if !ok || fc.Field.Definition.Arguments.ForName(string(name)) == nil {
		return "", false
	}
	return path[len(own):].String(), true
}

// Recover returns the function for handler.Server.SetRecoverFunc: a panic of a
// resolver is an internal error of its field, and its stack goes to the log.
func Recover(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, v any) error {
		log.ErrorContext(ctx, "panic in a resolver", "panic", fmt.Sprint(v),
			"stack", string(debug.Stack()), "request_id", obs.RequestID(ctx))
		return internal(fmt.Errorf("panic: %v", v))
	}
}
