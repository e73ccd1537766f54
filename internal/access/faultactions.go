package access

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/faultaction"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Action is how a person wants to hear of faults.
type Action struct {
	ID      *id.UUID // of one that is there; nil for a new one
	Type    enum.ChannelKind
	Enabled bool
	// Address is a mail address, a telephone number (E.164), or an https URL for
	// webhooks and Slack; nil leaves what is stored. That of Slack is a secret itself:
	// it is sealed, and only its host is shown.
	Address *string
	// Secret signs what is sent to a webhook; nil leaves what is stored, "" removes it.
	Secret *string
}

const (
	maxActions   = 20
	maxSecret    = 256
	minSecret    = 16
	maxURL       = 2000
	addressKey   = "address" // in the stored configuration
	maskedSecret = "/…"
)

// telephone is E.164.
var telephone = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// FaultActions returns how the acting person wants to hear of faults, the oldest first.
func (s *Service) FaultActions(ctx context.Context) ([]*ent.FaultAction, error) {
	who, person := tenancy.Must(ctx).UserID()
	if !person {
		return nil, nil
	}
	return myActions(ctx, s.ent, who)
}

func myActions(ctx context.Context, c *ent.Client, who id.UUID) ([]*ent.FaultAction, error) {
	return c.FaultAction.Query().Where(faultaction.UserID(who)).Order(ent.Asc(faultaction.FieldCreatedAt, faultaction.FieldID)).All(ctx)
}

// AddressOf returns what may be shown of where an action leads.
func AddressOf(a *ent.FaultAction) string {
	text, _ := a.Config[addressKey].(string)
	return text
}

// SetFaultActions makes the acting person's actions the given ones: those with an id
// are changed, those without are added, and those that are not named go. Mistakes are
// a fault.List with fields like input.actions.2.address.
func (s *Service) SetFaultActions(ctx context.Context, actions []Action) ([]*ent.FaultAction, error) {
	who, person := tenancy.Must(ctx).UserID()
	if !person {
		return nil, fault.New(fault.BadInput, "error.access.personsOnly")
	}
	if s.c.Sealer == nil {
		return nil, fault.New(fault.Unavailable, "error.access.secretsUnavailable")
	}
	if len(actions) > maxActions {
		return nil, fault.Invalid("input.actions", "error.tooMany").With("Max", maxActions)
	}
	var out []*ent.FaultAction
	err := s.change(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		// Two windows that save at once save one after the other.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('actions of ' || $1::text, 0))`, who.String()); err != nil {
			return err
		}
		rows, err := myActions(ctx, c, who)
		if err != nil {
			return err
		}
		stored := make(map[id.UUID]*ent.FaultAction, len(rows))
		for _, r := range rows {
			stored[r.ID] = r
		}
		var m mistakes
		for i, a := range actions {
			if err := s.setAction(ctx, c, &m, fmt.Sprintf("actions.%d", i), who, stored, a); err != nil {
				return err
			}
		}
		if err := m.err(); err != nil {
			return err // and nothing of it is kept
		}
		for gone := range stored {
			if err := c.FaultAction.DeleteOneID(gone).Exec(ctx); err != nil {
				return err
			}
		}
		out, err = myActions(ctx, c, who)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// setAction stores one action, and takes it out of those that are stored.
func (s *Service) setAction(ctx context.Context, c *ent.Client, m *mistakes, field string, who id.UUID, stored map[id.UUID]*ent.FaultAction, a Action) error {
	var old *ent.FaultAction
	if a.ID != nil {
		if old = stored[*a.ID]; old == nil || old.Type != a.Type {
			m.add(fault.Missing("FaultAction").At("input." + field + ".id"))
			return nil
		}
		delete(stored, *a.ID)
	} else if a.Address == nil {
		m.bad(field+".address", "error.required")
		return nil
	}
	which := id.New(id.FaultAction)
	if old != nil {
		which = old.ID
	}
	shown, sealed, err := s.seal(m, field, which, a)
	if err != nil || len(m.l) > 0 {
		return err
	}
	if old == nil {
		create := c.FaultAction.Create().SetID(which).SetUserID(who).SetType(a.Type).SetEnabled(a.Enabled).SetConfig(map[string]any{addressKey: shown})
		if len(sealed) > 0 {
			create.SetSecretCiphertext(sealed)
		}
		return create.Exec(ctx)
	}
	update := c.FaultAction.UpdateOneID(which).SetEnabled(a.Enabled)
	if a.Address != nil {
		update.SetConfig(map[string]any{addressKey: shown})
	}
	switch {
	case len(sealed) > 0:
		update.SetSecretCiphertext(sealed)
	case a.Secret != nil && a.Type == enum.ChannelWebhook:
		update.ClearSecretCiphertext()
	}
	return update.Exec(ctx)
}

// seal checks where an action leads, and returns what is shown of it and what is
// sealed: the URL of Slack, the secret of a webhook, nil where neither is given.
func (s *Service) seal(m *mistakes, field string, which id.UUID, a Action) (shown string, sealed []byte, err error) {
	hidden := ""
	if a.Address != nil {
		if shown = checkAddress(a.Type, *a.Address); shown == "" {
			m.bad(field+".address", "error.access.actionAddress")
			return "", nil, nil
		}
		if a.Type == enum.ChannelSlack {
			u, _ := url.Parse(shown) // it was checked
			hidden, shown = shown, u.Host+maskedSecret
		}
	}
	if a.Secret != nil && *a.Secret != "" {
		switch n := len(*a.Secret); {
		case a.Type != enum.ChannelWebhook:
			m.bad(field+".secret", "error.access.actionAddress")
		case n < minSecret || n > maxSecret:
			m.add(fault.Invalid("input."+field+".secret", "error.access.passwordLength").With("Min", minSecret).With("Max", maxSecret))
		}
		hidden = *a.Secret
	}
	if hidden == "" || len(m.l) > 0 {
		return shown, nil, nil
	}
	sealed, err = s.c.Sealer.Seal([]byte(hidden), SecretPlace(which))
	return shown, sealed, err
}

// SecretPlace is the place for which the secret of an action is sealed.
func SecretPlace(action id.UUID) string { return "fault_actions/" + action.String() }

// checkAddress returns an address in its stored form, "" when it does not fit. Where
// a URL may lead in the network is for the sender to check, at the time of sending.
func checkAddress(kind enum.ChannelKind, s string) string {
	s = strings.TrimSpace(s)
	switch kind {
	case enum.ChannelEmail:
		return address(s)
	case enum.ChannelSMS:
		if telephone.MatchString(s) {
			return s
		}
	case enum.ChannelWebhook, enum.ChannelSlack:
		u, err := url.Parse(s)
		if err != nil || len(s) > maxURL || u.Scheme != "https" || u.User != nil || !strings.Contains(u.Hostname(), ".") || u.Fragment != "" {
			return ""
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && (!a.IsGlobalUnicast() || a.IsPrivate()) {
			return ""
		}
		return s
	}
	return ""
}
