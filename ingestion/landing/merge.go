package landing

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/parquet-go/parquet-go"

	"foresight/internal/fault"
	"foresight/internal/telemetry"
)

// merge gives the rows of files, each in order, in one order. A file is opened when
// its oldest row may be the next.
type merge struct {
	r       *Reader
	ctx     context.Context
	q       Query
	waiting []file // in the order of their oldest
	open    cursors
	at      int64                       // event time of the last row given
	seen    map[telemetry.IngestID]bool // of that time
}

// next returns the next reading, nil at the end.
func (m *merge) next() (*telemetry.Raw, error) {
	for {
		if err := m.ctx.Err(); err != nil {
			return nil, err
		}
		for len(m.waiting) > 0 && (len(m.open) == 0 || m.waiting[0].oldest.UnixMilli() <= m.open[0].row().Timestamp) {
			if len(m.open) >= maxOpen {
				return nil, ErrOverlap
			}
			f := m.waiting[0]
			m.waiting = m.waiting[1:]
			c, err := m.r.openFile(m.ctx, f)
			if fault.Is(err, fault.NotFound) {
				c, err = m.instead(f, err)
			}
			if err != nil {
				return nil, err
			}
			if !c.atEnd {
				heap.Push(&m.open, c)
			}
		}
		if len(m.open) == 0 {
			return nil, nil
		}
		c := m.open[0]
		x := *c.row()
		if err := c.advance(); err != nil {
			return nil, err
		}
		if c.atEnd {
			heap.Pop(&m.open)
		} else {
			heap.Fix(&m.open, 0)
		}
		if !m.q.wants(&x) {
			continue
		}
		if x.Timestamp != m.at {
			m.at = x.Timestamp
			clear(m.seen)
		}
		if m.seen[x.IngestID] {
			continue
		}
		m.seen[x.IngestID] = true
		var raw telemetry.Raw
		x.raw(m.q.Tenant, &raw)
		return &raw, nil
	}
}

// instead opens the file that has replaced another since that was listed, from the
// other's oldest row on: what is older stood in files that are open or read. The rest of
// what it holds is not opened again.
func (m *merge) instead(gone file, err error) (*cursor, error) {
	for listed, lerr := range m.r.files.List(m.ctx, gone.hour.UTC().Format(hourForm)+"/") {
		if lerr != nil {
			return nil, fmt.Errorf("landing: %w", lerr)
		}
		f, ok := parseName(listed.Name)
		if !ok || !f.replaces(&gone) {
			continue
		}
		c, err := m.r.openFile(m.ctx, f)
		if err != nil {
			return nil, err
		}
		m.waiting = slices.DeleteFunc(m.waiting, func(o file) bool { return f.replaces(&o) })
		for !c.atEnd && c.row().Timestamp < gone.oldest.UnixMilli() {
			if err := c.advance(); err != nil {
				c.close()
				return nil, err
			}
		}
		return c, nil
	}
	return nil, err
}

func (m *merge) close() {
	for _, c := range m.open {
		c.close()
	}
}

// cursors is a heap of open files, the one with the least row first.
type cursors []*cursor

func (h cursors) Len() int { return len(h) }
func (h cursors) Less(i, j int) bool {
	a, b := h[i].row(), h[j].row()
	return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.LogSeq, b.LogSeq)) < 0
}
func (h cursors) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *cursors) Push(x any)   { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	old := *h
	c := old[len(old)-1]
	*h = old[:len(old)-1]
	return c
}

// readRows is how many rows of a file are decoded at a time.
const readRows = 256

// cursor is a file that is being read.
type cursor struct {
	name  string
	local *os.File
	rows  *parquet.GenericReader[row]
	// stream is the identity of the log of which the rows are.
	stream string
	read   []row // decoded
	pos    int
	last   bool // there are no more behind read
	atEnd  bool // closed
}

// openFile copies a file and reads its first rows. The copy has no name any more when
// this returns: nothing of it is left, however the process ends.
func (r *Reader) openFile(ctx context.Context, f file) (_ *cursor, err error) {
	name := f.name()
	stored, err := r.files.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("landing: %w", err)
	}
	defer stored.Close()
	local, err := os.CreateTemp(r.dir, "landing-*.parquet")
	if err != nil {
		return nil, fmt.Errorf("landing: %w", err)
	}
	c := &cursor{name: name, local: local}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if err := os.Remove(local.Name()); err != nil {
		return nil, fmt.Errorf("landing: %w", err)
	}
	size, err := io.Copy(local, stored)
	if err != nil {
		return nil, fmt.Errorf("landing: %s: %w", name, err)
	}
	opened, err := parquet.OpenFile(local, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return nil, fmt.Errorf("landing: %s: %w", name, err)
	}
	if !parquet.EqualNodes(opened.Schema(), schema) {
		return nil, fmt.Errorf("landing: %s is no file of readings", name)
	}
	c.rows = parquet.NewGenericReader[row](opened)
	c.stream, _ = opened.Lookup("foresight.log")
	c.read = make([]row, 0, readRows)
	c.pos = -1
	return c, c.advance()
}

var schema = parquet.SchemaOf(row{})

func (c *cursor) row() *row { return &c.read[c.pos] }

// advance goes to the next row, and closes the file behind the last.
func (c *cursor) advance() (err error) {
	defer func() { // what reads a foreign file may fail in any way
		if v := recover(); v != nil {
			err = fmt.Errorf("landing: %s: %v", c.name, v)
		}
	}()
	if c.pos++; c.pos < len(c.read) {
		return nil
	}
	if !c.last {
		c.read = make([]row, readRows) // the former rows' texts and payloads may be in use
		n, err := c.rows.Read(c.read)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("landing: %s: %w", c.name, err)
		}
		c.read, c.pos, c.last = c.read[:n], 0, err != nil
		if n > 0 {
			return nil
		}
	}
	c.atEnd = true
	c.close()
	return nil
}

func (c *cursor) close() {
	if c.rows != nil {
		_ = c.rows.Close() // it is only read
	}
	_ = c.local.Close()
}
