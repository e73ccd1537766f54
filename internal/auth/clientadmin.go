package auth

import (
	"context"

	"foresight/ent"
	"foresight/ent/oauthclient"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// clientMark begins the ids of clients.
const clientMark = "fsc_"

// Clients lists the tenant's OAuth clients, the newest first, those that are out of
// use too.
func (c *Credentials) Clients(ctx context.Context, a page.Args) (page.Page[*ent.OAuthClient], error) {
	if err := may(ctx, tenancy.CredentialsRead); err != nil {
		return page.Page[*ent.OAuthClient]{}, err
	}
	w, apply, err := keyset.Begin(ctx, tenancy.CredentialsRead, a, keyset.Newest(oauthclient.FieldCreatedAt))
	if err != nil {
		return page.Page[*ent.OAuthClient]{}, err
	}
	q := c.ent.OAuthClient.Query()
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(o *ent.OAuthClient) page.Key { return keyset.Key(o.CreatedAt, o.ID) })
}

// ClientsByID returns those of the OAuth clients that the tenant has.
func (c *Credentials) ClientsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.OAuthClient, error) {
	if err := may(ctx, tenancy.CredentialsRead); err != nil {
		return nil, err
	}
	found, err := c.ent.OAuthClient.Query().Where(oauthclient.IDIn(ids...)).All(ctx)
	return keyset.ByID(found, err, func(o *ent.OAuthClient) id.UUID { return o.ID })
}

// CreateClient makes a client and returns it with its secret, which is stored nowhere.
func (c *Credentials) CreateClient(ctx context.Context, n NewCredential) (*ent.OAuthClient, string, error) {
	if err := may(ctx, tenancy.CredentialsWrite); err != nil {
		return nil, "", err
	}
	if err := n.verify(tenancy.Must(ctx), c.auth.c.Now()); err != nil {
		return nil, "", err
	}
	secret, hash := NewSecret()
	o, err := c.ent.OAuthClient.Create().SetName(n.Name).SetClientID(clientMark + randomName()).SetSecretHash(hash).SetScopes(n.Scopes).Save(ctx)
	if err != nil {
		return nil, "", stored(err, "OAuthClient")
	}
	return o, secret, nil
}

// RotateClientSecret gives a client another secret. The former one, and the access
// tokens that were given out for it, are no longer taken. Errors: CONFLICT when the
// client has changed since the expected version, or is out of use.
func (c *Credentials) RotateClientSecret(ctx context.Context, of id.UUID, expectedVersion int) (*ent.OAuthClient, string, error) {
	if err := may(ctx, tenancy.CredentialsWrite); err != nil {
		return nil, "", err
	}
	secret, hash := NewSecret()
	n, err := c.ent.OAuthClient.Update().Where(oauthclient.ID(of), oauthclient.Version(expectedVersion), oauthclient.IsActive(true)).
		SetSecretHash(hash).Save(ctx)
	if err != nil {
		return nil, "", stored(err, "OAuthClient")
	}
	o, err := c.ent.OAuthClient.Get(ctx, of)
	switch {
	case err != nil:
		return nil, "", stored(err, "OAuthClient")
	case !o.IsActive:
		return nil, "", fault.New(fault.Conflict, "error.auth.clientInactive").At("input.id")
	case n == 0:
		return nil, "", fault.Stale("OAuthClient")
	}
	c.end(of)
	return o, secret, nil
}

// DeactivateClient takes a client out of use for good; one that is out of use is
// returned as it is.
func (c *Credentials) DeactivateClient(ctx context.Context, of id.UUID) (*ent.OAuthClient, error) {
	if err := may(ctx, tenancy.CredentialsWrite); err != nil {
		return nil, err
	}
	if _, err := c.ent.OAuthClient.Update().Where(oauthclient.ID(of), oauthclient.IsActive(true)).SetIsActive(false).Save(ctx); err != nil {
		return nil, stored(err, "OAuthClient")
	}
	o, err := c.ent.OAuthClient.Get(ctx, of)
	if err != nil {
		return nil, stored(err, "OAuthClient")
	}
	c.end(of)
	return o, nil
}
