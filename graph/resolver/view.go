package resolver

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"golang.org/x/text/language"

	"foresight/graph/gqlerr"
	"foresight/graph/share"
	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

// ViewOf tells on whose behalf an operation runs for all who ask for the same: tenant,
// rights, sites and language, and no person. It is asked in the context of one who may
// run the operation; an operation without a credential is not shared.
func ViewOf(ctx context.Context, oc *graphql.OperationContext) (share.View, bool) {
	a := tenancy.From(ctx)
	if n := narrowed(oc); n != nil {
		a = n
	}
	if a == nil || a.TenantID == id.Nil {
		return share.View{}, false
	}
	// Nobody in particular: what is one's own is nobody's here.
	seer := &tenancy.Actor{Kind: a.Kind, TenantID: a.TenantID, TenantCode: a.TenantCode, Role: a.Role,
		Scopes: a.Scopes, SiteIDs: a.SiteIDs, OnSites: a.OnSites}
	words := gqlerr.LocalizerFrom(ctx)
	return share.View{Key: viewKey(seer, words), Dress: func(ctx context.Context) context.Context {
		ctx = obs.WithRequestID(ctx, uuid.NewString()) // under which the log tells of errors
		return tenancy.With(gqlerr.WithLocalizer(ctx, words), seer)
	}}, true
}

// viewKey names all that two actors must have in common to see the same.
func viewKey(a *tenancy.Actor, words gqlerr.Localizer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %q", a.TenantID, a.Kind, a.Role, a.Scopes.Strings())
	sites := func(list []id.UUID) {
		list = slices.Clone(list)
		slices.SortFunc(list, func(x, y id.UUID) int { return bytes.Compare(x[:], y[:]) })
		fmt.Fprint(&b, " ", list)
	}
	sites(a.SiteIDs)
	for _, p := range slices.Sorted(maps.Keys(a.OnSites)) {
		fmt.Fprintf(&b, " %q", p)
		sites(a.OnSites[p])
	}
	if w, ok := words.(interface{ Tag() language.Tag }); ok {
		fmt.Fprint(&b, " ", w.Tag())
	} else {
		fmt.Fprintf(&b, " %T", words)
	}
	return b.String()
}
