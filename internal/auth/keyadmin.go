package auth

import (
	"context"

	"foresight/ent"
	"foresight/ent/apikey"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// APIKeys lists the tenant's keys, the newest first, revoked ones too.
func (c *Credentials) APIKeys(ctx context.Context, a page.Args) (page.Page[*ent.APIKey], error) {
	if err := may(ctx, tenancy.CredentialsRead); err != nil {
		return page.Page[*ent.APIKey]{}, err
	}
	w, apply, err := keyset.Begin(ctx, tenancy.CredentialsRead, a, keyset.Newest(apikey.FieldCreatedAt))
	if err != nil {
		return page.Page[*ent.APIKey]{}, err
	}
	q := c.ent.APIKey.Query()
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(k *ent.APIKey) page.Key { return keyset.Key(k.CreatedAt, k.ID) })
}

// APIKeysByID returns those of the keys that the tenant has.
func (c *Credentials) APIKeysByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.APIKey, error) {
	if err := may(ctx, tenancy.CredentialsRead); err != nil {
		return nil, err
	}
	found, err := c.ent.APIKey.Query().Where(apikey.IDIn(ids...)).All(ctx)
	return keyset.ByID(found, err, func(k *ent.APIKey) id.UUID { return k.ID })
}

// CreateAPIKey makes a key and returns it with its text, which is stored nowhere.
func (c *Credentials) CreateAPIKey(ctx context.Context, n NewCredential) (*ent.APIKey, string, error) {
	if err := may(ctx, tenancy.CredentialsWrite); err != nil {
		return nil, "", err
	}
	if err := n.verify(tenancy.Must(ctx), c.auth.c.Now()); err != nil {
		return nil, "", err
	}
	key, prefix, hash := newAPIKey()
	k, err := c.ent.APIKey.Create().SetName(n.Name).SetPrefix(prefix).SetKeyHash(hash).SetScopes(n.Scopes).
		SetNillableExpiresAt(n.ExpiresAt).Save(ctx)
	if err != nil {
		return nil, "", stored(err, "ApiKey")
	}
	return k, key, nil
}

// RevokeAPIKey ends a key for good; one that is revoked is returned as it is.
func (c *Credentials) RevokeAPIKey(ctx context.Context, of id.UUID) (*ent.APIKey, error) {
	if err := may(ctx, tenancy.CredentialsWrite); err != nil {
		return nil, err
	}
	if _, err := c.ent.APIKey.Update().Where(apikey.ID(of), apikey.IsActive(true)).SetIsActive(false).Save(ctx); err != nil {
		return nil, stored(err, "ApiKey")
	}
	k, err := c.ent.APIKey.Get(ctx, of)
	if err != nil {
		return nil, stored(err, "ApiKey")
	}
	c.end(of)
	return k, nil
}
