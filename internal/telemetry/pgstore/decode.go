package pgstore

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// errRow says that the server sent a column in a form that this package does not
// know: the schema and the code do not belong together.
var errRow = errors.New("row of an unknown form")

// columns takes the columns of a row one after the other, see rows for their form. After the
// first failure every method returns zeros, so that the caller checks once.
type columns struct {
	rest [][]byte
	bad  bool
}

// take returns the next column, nil for NULL, and fails unless it has the size
// (a negative size takes any).
func (c *columns) take(size int) []byte {
	if c.bad || len(c.rest) == 0 || size >= 0 && len(c.rest[0]) != size {
		c.bad = true
		return make([]byte, max(size, 0))
	}
	v := c.rest[0]
	c.rest = c.rest[1:]
	return v
}

func (c *columns) uuid() (u id.UUID) { copy(u[:], c.take(16)); return u }
func (c *columns) int64() int64      { return int64(binary.BigEndian.Uint64(c.take(8))) }
func (c *columns) float64() float64  { return math.Float64frombits(uint64(c.int64())) }
func (c *columns) bool() bool        { return c.take(1)[0] == 1 }
func (c *columns) text() string      { return string(c.take(-1)) }
func (c *columns) time() time.Time   { return time.UnixMicro(c.int64() + pgEpoch).UTC() }
func (c *columns) more() bool        { return len(c.rest) > 0 }
func (c *columns) key() (k telemetry.Key) {
	k.Site, k.Asset, k.Sensor = c.uuid(), c.uuid(), c.uuid()
	return k
}

func (c *columns) err() error {
	if c.bad {
		return errRow
	}
	return nil
}

// decodeReading takes a row of readingColumns, of which topic and payload may be left out.
func decodeReading(raw [][]byte, r *telemetry.Raw) error {
	c := &columns{rest: raw}
	tenant := c.uuid()
	r.IngestID = telemetry.IngestID(c.uuid())
	r.Key = c.key()
	r.Tenant = tenant
	r.Timestamp = c.time()
	r.LogSeq = uint64(c.int64())
	r.ReceivedAt = c.time()
	r.Late = c.bool()
	channels, values := c.take(-1), c.take(-1)
	if c.more() {
		r.Topic = c.text()
		r.Payload = slices.Clone(c.take(-1))
	}
	if err := c.err(); err != nil {
		return err
	}
	if err := decodeChannels(channels, &r.Channels); err != nil {
		return err
	}
	var err error
	r.Values, err = decodeValues(values)
	return err
}

// decodeChannels reads what appendChannels wrote.
func decodeChannels(b []byte, ch *[telemetry.Channels]float64) error {
	*ch = telemetry.NoChannels()
	if b == nil {
		return nil
	}
	if len(b) < 20 || binary.BigEndian.Uint32(b[8:]) != oidFloat8 || binary.BigEndian.Uint32(b[12:]) != telemetry.Channels {
		return errRow
	}
	b = b[20:]
	for i := range ch {
		if len(b) < 4 {
			return errRow
		}
		size := int32(binary.BigEndian.Uint32(b))
		b = b[4:]
		if size < 0 {
			continue
		}
		if size != 8 || len(b) < 8 {
			return errRow
		}
		ch[i] = math.Float64frombits(binary.BigEndian.Uint64(b))
		b = b[8:]
	}
	return nil
}

// decodeValues sorts by name: jsonb keeps keys in an order of its own.
func decodeValues(b []byte) ([]telemetry.Value, error) {
	if b == nil {
		return nil, nil
	}
	var m map[string]float64
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", errRow, err)
	}
	out := make([]telemetry.Value, 0, len(m))
	for name, v := range m {
		out = append(out, telemetry.Value{Name: name, Value: v})
	}
	slices.SortFunc(out, func(a, b telemetry.Value) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}
