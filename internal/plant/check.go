package plant

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// codeForm is the form of codes in topics, imports and conversation.
var codeForm = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)

// The most characters of texts, as the columns have them.
const (
	maxName = 200
	maxCode = 100
	maxPath = 500
)

// problems are what is wrong with an input, in the order of looking.
type problems struct{ list fault.List }

func (p *problems) add(f *fault.Error) { p.list = append(p.list, f) }

func (p *problems) bad(field, key string) { p.add(fault.Invalid("input."+field, key)) }

func (p *problems) check(ok bool, field, key string) {
	if !ok {
		p.bad(field, key)
	}
}

func (p *problems) code(code string) { p.check(codeForm.MatchString(code), "code", "error.code") }

// name trims and checks a display name.
func (p *problems) name(name *string) {
	*name = strings.TrimSpace(*name)
	p.check(*name != "" && utf8.RuneCountInString(*name) <= maxName, "name", "error.name")
}

// text checks an optional text.
func (p *problems) text(field string, text *string, most int) {
	if text != nil && utf8.RuneCountInString(*text) > most {
		p.add(fault.Invalid("input."+field, "error.tooLong").With("Max", most))
	}
}

// between checks an optional number; NaN is never within.
func (p *problems) between(field string, v *float64, least, most float64) {
	if v != nil && !(*v >= least && *v <= most) {
		p.add(fault.Invalid("input."+field, "error.range").With("Min", least).With("Max", most))
	}
}

func (p *problems) finite(field string, v *float64) {
	p.check(v == nil || math.Abs(*v) <= math.MaxFloat64, field, "error.input.malformed")
}

func (p *problems) notNegative(field string, v *float64) {
	p.check(v == nil || *v >= 0 && *v <= math.MaxFloat64, field, "error.negative")
}

// reference is an input that names a row of the plant.
type reference struct {
	entity, field string
	to            *id.UUID
}

// refers returns the site on which what a reference names stands, and blames the input
// when it is not there for the actor. The row cannot be deleted or moved until the
// transaction ends. A null reference is no mistake; its site is nil.
func (p *problems) refers(ctx context.Context, w work, r reference) (at id.UUID, err error) {
	if r.to == nil {
		return at, nil
	}
	if w.find != nil {
		at, found, err := w.find(ctx, r.entity, *r.to)
		if err == nil && !found {
			p.add(fault.Missing(r.entity).At("input." + r.field))
		}
		return at, err
	}
	source := map[string]string{
		"Site": "SELECT id AS site FROM sites", "Gateway": "SELECT site_id AS site FROM gateways", "Asset": "SELECT site_id AS site FROM assets",
	}[r.entity]
	a := tenancy.Must(ctx)
	err = w.tx.QueryRow(ctx, `SELECT site FROM (`+source+` WHERE tenant_id = $1 AND id = $2 AND NOT is_deleted FOR SHARE) AS found
		WHERE cardinality($3::uuid[]) = 0 OR site = ANY ($3)`, a.TenantID, *r.to, list(a.SiteIDs)).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		p.add(fault.Missing(r.entity).At("input." + r.field))
		err = nil
	}
	return at, err
}

// day drops the time of day.
func day(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	d := t.UTC().Truncate(24 * time.Hour)
	return &d
}

// setOrClear writes an optional column.
func setOrClear[T any](v *T, set func(T), unset func()) {
	if v != nil {
		set(*v)
	} else {
		unset()
	}
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
