package transport

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/fault"
)

// DefaultMaxBody is the largest request body in bytes where no other is set.
const DefaultMaxBody = 1 << 20

// HTTP answers POST and GET after the GraphQL-over-HTTP draft. Add it after SSE:
// it takes every request that is no upgrade, and says what is wrong with those
// that are not GraphQL.
//
// Requests of other sites: a POST must be application/json, which browsers only
// send across origins after asking, and a GET executes queries only.
type HTTP struct {
	MaxBody int64 // bytes of a request body, DefaultMaxBody when 0
}

var _ graphql.Transport = HTTP{}

// Supports reports whether the request is no upgrade.
func (HTTP) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") == "" }

// Do executes the operation of the request.
func (h HTTP) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	mediaType := negotiate(r, typeJSON, typeGraphQL)
	fail := func(p *problem) {
		t := mediaType
		if t == "" {
			t = typeJSON
		}
		writeResponse(w, t, p.status, refusal(r.Context(), exec, p.fault))
	}
	if mediaType == "" {
		fail(&problem{http.StatusNotAcceptable, fault.New(fault.BadInput, "error.graphql.accept")})
		return
	}
	params, p := read(r, h.MaxBody)
	if p != nil {
		if p.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", "GET, POST")
		}
		fail(p)
		return
	}
	ctx := r.Context()
	oc, errs := exec.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, oc)
	if errs != nil {
		resp := exec.DispatchError(ctx, errs)
		writeResponse(w, mediaType, statusOf(mediaType, resp.Errors), resp)
		return
	}
	switch {
	case r.Method == http.MethodGet && oc.Operation.Operation != ast.Query:
		w.Header().Set("Allow", "POST")
		fail(&problem{http.StatusMethodNotAllowed, fault.New(fault.BadInput, "error.graphql.getMutation")})
		return
	case oc.Operation.Operation == ast.Subscription:
		fail(badRequest("error.graphql.subscription"))
		return
	}
	next, ctx := exec.DispatchOperation(ctx, oc)
	resp := next(ctx)
	if resp == nil { // only when the request was cancelled
		resp = refusal(ctx, exec, fault.New(fault.Unavailable, "error.graphql.cancelled").Because(context.Cause(ctx)))
	}
	status := http.StatusOK
	if resp.Data == nil {
		status = statusOf(mediaType, resp.Errors)
	}
	writeResponse(w, mediaType, status, resp)
}

func read(r *http.Request, limit int64) (*graphql.RawParams, *problem) {
	if limit == 0 {
		limit = DefaultMaxBody
	}
	switch r.Method {
	case http.MethodPost:
		return fromPost(r, limit)
	case http.MethodGet:
		return fromGet(r)
	}
	return nil, &problem{http.StatusMethodNotAllowed, fault.New(fault.BadInput, "error.graphql.method")}
}

// refusal is the response to a request that was not executed.
func refusal(ctx context.Context, exec graphql.GraphExecutor, f *fault.Error) *graphql.Response {
	return exec.DispatchError(ctx, gqlerror.List{{Err: f, Message: f.Error()}})
}

// Refuse answers a GraphQL request with one error, without a server: for
// middleware that stands before the graph (authentication, rate limits, draining).
// present is the error presenter.
func Refuse(w http.ResponseWriter, r *http.Request, status int, f *fault.Error, present graphql.ErrorPresenterFunc) {
	t := negotiate(r, typeJSON, typeGraphQL)
	if t == "" {
		t = typeJSON
	}
	writeResponse(w, t, status, &graphql.Response{Errors: gqlerror.List{present(r.Context(), f)}})
}
