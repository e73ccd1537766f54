// Package webhook tells systems of tenants what happens: it keeps the addresses, and
// posts events to them, signed with a secret that is sealed at rest.
//
// Addresses are strangers' input. A delivery connects only to public hosts, judged by
// the address that is dialled and not by the name, unless networks are allowed by
// configuration; it follows no redirects and reads little of the answer.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"foresight/ent"
	"foresight/ent/privacy"
	entwebhook "foresight/ent/webhook"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/secret"
	"foresight/internal/tenancy"
)

// Secrets seal and open. *secret.Box is one.
type Secrets interface {
	Seal(plain []byte, place string) ([]byte, error)
	Open(sealed []byte, place string) ([]byte, error)
}

// Service edits the webhooks of the tenant of the context's actor, and delivers to
// them. What the actor may not see is fault.NotFound. It is safe for concurrent use.
type Service struct {
	client  *ent.Client
	secrets Secrets
	sender  *Sender
	log     *slog.Logger
}

// New returns a service on the ORM.
func New(c *ent.Client, secrets Secrets, sender *Sender, log *slog.Logger) *Service {
	return &Service{c, secrets, sender, log.With("part", "webhooks")}
}

// Change is what to set of a webhook; nil fields stay as they are. A creation needs
// name, address and events.
type Change struct {
	Name     *string
	URL      *string
	Events   []Event
	IsActive *bool
	Rotate   bool // replace the secret
}

// List lists the webhooks by name.
func (s *Service) List(ctx context.Context, a page.Args) (page.Page[*ent.Webhook], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.WebhooksRead, a, keyset.ByText(entwebhook.FieldName))
	if err != nil {
		return page.Page[*ent.Webhook]{}, err
	}
	q := s.client.Webhook.Query()
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Webhook) page.Key { return keyset.Key(e.Name, e.ID) })
}

// ByID returns those among the ids that there are.
func (s *Service) ByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Webhook, error) {
	if err := tenancy.Require(ctx, tenancy.WebhooksRead); err != nil {
		return nil, err
	}
	rows, err := s.client.Webhook.Query().Where(entwebhook.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.Webhook) id.UUID { return e.ID })
}

// Create adds a webhook, and returns the secret of its signatures: nobody is shown
// that again.
func (s *Service) Create(ctx context.Context, c Change) (*ent.Webhook, string, error) {
	if err := tenancy.Require(ctx, tenancy.WebhooksWrite); err != nil {
		return nil, "", err
	}
	if c.Name == nil || c.URL == nil || c.Events == nil {
		return nil, "", fault.New(fault.BadInput, "error.required")
	}
	if err := s.check(&c); err != nil {
		return nil, "", err
	}
	u := id.New(id.Webhook)
	text, sealed, err := s.newSecret(u)
	if err != nil {
		return nil, "", err
	}
	e, err := s.client.Webhook.Create().SetID(u).SetName(*c.Name).SetURL(*c.URL).SetEvents(names(c.Events)).
		SetNillableIsActive(c.IsActive).SetSecretCiphertext(sealed).Save(ctx)
	if err != nil {
		return nil, "", asFault("create", err)
	}
	return e, text, nil
}

// Update changes what is set. expected is the version that the change is based on;
// another one stored is fault.Stale. The secret is returned when it was replaced.
func (s *Service) Update(ctx context.Context, which id.UUID, expected int, c Change) (e *ent.Webhook, text string, err error) {
	if err := tenancy.Require(ctx, tenancy.WebhooksWrite); err != nil {
		return nil, "", err
	}
	switch old, err := s.get(ctx, which); {
	case err != nil:
		return nil, "", err
	case old.Version != expected:
		return nil, "", fault.Stale("Webhook")
	}
	if err := s.check(&c); err != nil {
		return nil, "", err
	}
	q := s.client.Webhook.UpdateOneID(which).Where(entwebhook.Version(expected)).SetNillableName(c.Name).SetNillableURL(c.URL).SetNillableIsActive(c.IsActive)
	if c.Events != nil {
		q.SetEvents(names(c.Events))
	}
	if c.Rotate {
		var sealed []byte
		if text, sealed, err = s.newSecret(which); err != nil {
			return nil, "", err
		}
		q.SetSecretCiphertext(sealed)
	}
	e, err = q.Save(ctx)
	if ent.IsNotFound(err) { // it was there a moment ago, under that version
		return nil, "", fault.Stale("Webhook")
	}
	if err != nil {
		return nil, "", asFault("update", err)
	}
	return e, text, nil
}

// Delete removes a webhook for good.
func (s *Service) Delete(ctx context.Context, which id.UUID) error {
	if err := tenancy.Require(ctx, tenancy.WebhooksWrite); err != nil {
		return err
	}
	n, err := s.client.Webhook.Delete().Where(entwebhook.ID(which)).Exec(ctx)
	if err == nil && n == 0 {
		return fault.Missing("Webhook")
	}
	return asFault("delete", err)
}

// Test posts an event of the kind Test to a webhook, active or not.
func (s *Service) Test(ctx context.Context, which id.UUID) (Delivery, error) {
	if err := tenancy.Require(ctx, tenancy.WebhooksWrite); err != nil {
		return Delivery{}, err
	}
	e, err := s.get(ctx, which)
	if err != nil {
		return Delivery{}, err
	}
	return s.Deliver(ctx, e, id.New(id.NotificationLog), Test, time.Now(), map[string]any{"webhookId": e.ID})
}

// envelope is the body of a delivery.
type envelope struct {
	ID     id.UUID   `json:"id"`
	Event  Event     `json:"event"`
	At     time.Time `json:"at"`
	Tenant string    `json:"tenant"` // its code
	Data   any       `json:"data"`
}

// Deliver makes one attempt to tell a webhook of an event that happened at the time.
// The id is that of the delivery, the same in every attempt; data must be what JSON
// can hold. It is for whoever has looked the webhook up; the error says that nothing
// was sent, and is not the receiver's.
func (s *Service) Deliver(ctx context.Context, to *ent.Webhook, delivery id.UUID, e Event, at time.Time, data any) (Delivery, error) {
	key, err := s.secrets.Open(to.SecretCiphertext, place(to.ID))
	if err != nil {
		return Delivery{}, fmt.Errorf("webhook: secret of %s: %w", to.ID, err)
	}
	body, err := json.Marshal(envelope{delivery, e, at.UTC(), tenancy.Must(ctx).TenantCode, data})
	if err != nil {
		return Delivery{}, fmt.Errorf("webhook: %w", err)
	}
	d := s.sender.Post(ctx, to.URL, key, Message{delivery, e, body})
	if d.Failure != "" {
		s.log.InfoContext(ctx, "webhook not delivered", "tenant_id", to.TenantID, "webhook_id", to.ID, "delivery_id", delivery,
			"failure", d.Failure, "status", d.Status, "error", d.Cause)
	}
	return d, nil
}

func (s *Service) get(ctx context.Context, which id.UUID) (*ent.Webhook, error) {
	e, err := s.client.Webhook.Get(ctx, which)
	return e, asFault("read", err)
}

// newSecret makes a key, as its owner sees it and as it is stored. What signs is the
// text itself.
func (s *Service) newSecret(of id.UUID) (text string, sealed []byte, err error) {
	text = "whsec_" + secret.Text(32)
	sealed, err = s.secrets.Seal([]byte(text), place(of))
	return text, sealed, err
}

// place binds a sealed secret to its row.
func place(of id.UUID) string { return "webhooks/" + of.String() }

func names(es []Event) []string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = string(e)
	}
	return out
}

// asFault turns the ORM's refusals into what people may see.
func asFault(what string, err error) error {
	var known *fault.Error
	switch _, taken := postgres.Unique(err); {
	case err == nil || errors.As(err, &known):
		return err
	case ent.IsNotFound(err):
		return fault.Missing("Webhook")
	case taken:
		return fault.New(fault.Conflict, "error.webhook.nameTaken").At("input.name").Because(err)
	case errors.Is(err, privacy.Deny):
		return fault.Denied(string(tenancy.WebhooksWrite)).Because(err)
	}
	return fmt.Errorf("webhook: %s: %w", what, err)
}
