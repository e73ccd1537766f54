package resolver

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/graph/generated"
	"foresight/graph/gqlerr"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/idempotency"
	"foresight/internal/tenancy"
)

// keyField is the input field by which a caller names an attempt.
const keyField = "idempotencyKey"

// Idempotency gives every mutation whose input has an `idempotencyKey` the promise
// that repeating it does nothing twice: a repetition gets the payload of the first
// time, with its objects as they are now. What a payload shows once, such as a secret,
// is null then. An attempt that ends in an error or in userErrors has done nothing,
// and its key is free again.
type Idempotency struct {
	*Resolver
	Keys   *idempotency.Store
	schema *ast.Schema
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = (*Idempotency)(nil)

// ExtensionName implements graphql.HandlerExtension.
func (*Idempotency) ExtensionName() string { return "Idempotency" }

// Validate implements graphql.HandlerExtension.
func (i *Idempotency) Validate(s graphql.ExecutableSchema) error {
	i.schema = s.Schema()
	return nil
}

// MutateOperationContext implements graphql.OperationContextMutator: it stands before
// the resolvers of mutations, and costs the fields of other operations nothing.
func (i *Idempotency) MutateOperationContext(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	if oc.Operation.Operation == ast.Mutation {
		around := oc.ResolverMiddleware
		oc.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
			return around(ctx, func(ctx context.Context) (any, error) { return i.resolve(ctx, next) })
		}
	}
	return nil
}

func (i *Idempotency) resolve(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	if fc.Object != "Mutation" || tenancy.From(ctx) == nil {
		return next(ctx)
	}
	r, err := attempt(fc, graphql.GetOperationContext(ctx).Variables)
	if err == nil && r == nil {
		return next(ctx)
	}
	var claim *idempotency.Claim
	var before idempotency.Result
	if err == nil {
		claim, before, err = i.Keys.Begin(ctx, *r)
	}
	if err != nil {
		return i.refused(ctx, fc, err)
	}
	if claim == nil {
		return i.replay(ctx, fc, before)
	}
	return i.run(ctx, fc, claim, next)
}

// secretField is an input field that is left out of the digest of an attempt: the digest
// is stored, and a fast one of a password would let it be guessed.
const secretField = "password"

// attempt reads the key and digests the rest of the input; nil without a key.
func attempt(fc *graphql.FieldContext, variables map[string]any) (*idempotency.Request, error) {
	a := fc.Field.Arguments.ForName("input")
	if a == nil {
		return nil, nil
	}
	v, err := a.Value.Value(variables)
	if err != nil {
		return nil, err
	}
	given, _ := v.(map[string]any)
	key, _ := given[keyField].(string)
	if _, named := given[keyField].(string); !named {
		return nil, nil
	}
	if n := utf8.RuneCountInString(key); n < 1 || n > idempotency.MaxKey {
		return nil, fault.Invalid("input."+keyField, "error.idempotency.key").With("Max", idempotency.MaxKey)
	}
	rest := make(map[string]any, len(given))
	for name, v := range given {
		if name != keyField && name != secretField {
			rest[name] = v
		}
	}
	b, err := json.Marshal(rest) // in the order of the names
	if err != nil {
		return nil, err
	}
	return &idempotency.Request{Key: key, Operation: fc.Field.Name, Hash: sha256.Sum256(b)}, nil
}

// run resolves the mutation and keeps what came of it.
func (i *Idempotency) run(ctx context.Context, fc *graphql.FieldContext, claim *idempotency.Claim, next graphql.Resolver) (payload any, err error) {
	ended := false
	defer func() {
		if !ended { // it failed, or panicked
			err = errors.Join(err, claim.Drop(ctx))
		}
	}()
	if payload, err = next(ctx); err != nil {
		return payload, err
	}
	p := reflect.ValueOf(payload)
	if p.Kind() != reflect.Pointer || p.IsNil() || member(p.Elem(), "userErrors").Len() > 0 {
		return payload, nil
	}
	result := idempotency.Result{}
	for _, f := range i.objects(fc) {
		if v := member(p.Elem(), f); v.Kind() == reflect.Pointer && !v.IsNil() {
			result[f] = member(v.Elem(), "id").Interface()
		}
	}
	ended = true
	return payload, claim.Done(ctx, result)
}

// replay makes the payload of an attempt that has ended well.
func (i *Idempotency) replay(ctx context.Context, fc *graphql.FieldContext, r idempotency.Result) (any, error) {
	p := i.payload(fc)
	for _, f := range i.objects(fc) {
		text, ok := r[f].(string)
		if !ok {
			continue
		}
		of, err := id.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("idempotency: %w", err)
		}
		kind, _ := id.KindOf(of)
		if !tenancy.Must(ctx).Can(nodeKinds[kind].permission) {
			continue // who may make it may not read it, and has asked for nothing of it
		}
		n, err := i.node(ctx, of)
		if err != nil {
			return nil, err
		}
		target := member(p.Elem(), f)
		switch v := reflect.ValueOf(n); {
		case n != nil && v.Type().AssignableTo(target.Type()):
			target.Set(v)
		default: // deleted since, or out of the actor's sight
			return i.refused(ctx, fc, fault.Missing(kind.String()).At("input."+keyField))
		}
	}
	member(p.Elem(), "userErrors").Set(reflect.ValueOf([]*gqlerr.UserError{}))
	return p.Interface(), nil
}

// refused is the payload with the error, when the caller can mend it.
func (i *Idempotency) refused(ctx context.Context, fc *graphql.FieldContext, err error) (any, error) {
	mistakes, err := gqlerr.UserErrors(ctx, err)
	if err != nil {
		return nil, err
	}
	p := i.payload(fc)
	member(p.Elem(), "userErrors").Set(reflect.ValueOf(mistakes))
	return p.Interface(), nil
}

// objects are the fields of the mutation's payload that can be found again by their id.
func (i *Idempotency) objects(fc *graphql.FieldContext) (out []string) {
	for _, f := range i.schema.Types[fc.Field.Definition.Type.Name()].Fields {
		for _, implemented := range i.schema.GetImplements(i.schema.Types[f.Type.Name()]) {
			if implemented.Name == "Node" && f.Type.Elem == nil {
				out = append(out, f.Name)
			}
		}
	}
	return out
}

var mutations = reflect.TypeFor[generated.MutationResolver]()

// payload returns an empty payload of the mutation.
func (i *Idempotency) payload(fc *graphql.FieldContext) reflect.Value {
	for n := range mutations.NumMethod() {
		if m := mutations.Method(n); strings.EqualFold(m.Name, fc.Field.Name) {
			return reflect.New(m.Type.Out(0).Elem())
		}
	}
	panic("no mutation " + fc.Field.Name) // it was resolved by its name
}

// member is the field of a generated struct that stands for one of the schema, whose
// name differs in capitals only.
func member(s reflect.Value, name string) reflect.Value {
	return s.FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, name) })
}
