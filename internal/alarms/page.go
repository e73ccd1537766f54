package alarms

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"foresight/internal/id"
)

// Place is where an alarm stands in the list: the cursor of its edge.
type Place struct {
	TriggeredAt time.Time
	ID          id.UUID
}

// PlaceOf returns the place of an alarm.
func PlaceOf(e *Event) Place { return Place{e.TriggeredAt, e.ID} }

// Page asks for First alarms behind After, or for the Last ones before Before. One
// of First and Last is 1-100, the other 0; After and Before may be nil.
type Page struct {
	First, Last   int
	After, Before *Place
}

const maxPage = 100

// errNoCursor is returned for a cursor that this package did not make.
var errNoCursor = errors.New("alarms: not a cursor")

// String writes the place for clients, opaque to them.
func (p Place) String() string {
	return strconv.FormatInt(p.TriggeredAt.UnixMicro(), 36) + "." + p.ID.String()
}

// ParsePlace reads what String wrote.
func ParsePlace(s string) (Place, error) {
	at, u, ok := strings.Cut(s, ".")
	if !ok {
		return Place{}, errNoCursor
	}
	us, err := strconv.ParseInt(at, 36, 64)
	if err != nil {
		return Place{}, errNoCursor
	}
	parsed, err := id.Parse(u)
	if err != nil {
		return Place{}, errNoCursor
	}
	return Place{time.UnixMicro(us).UTC(), parsed}, nil
}
