package pgstore

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"foresight/internal/id"
)

// rowKind is a kind of rows that are written as one parameter, an array in PostgreSQL's
// binary form: one round trip, whatever the size of the batch, and no temporary table.
//
// Each tenant's rows are a transaction of their own, which begins when the server has
// them all and ends without waiting for this process: one that is paused, or gone, never
// stands in the way of another writer of the same rows.
type rowKind struct {
	name string // of the statements on a connection
	row  string // the composite type
	sql  string // $1 is the tenant, $2 the array
}

const (
	setTenantDurable  = setTenant
	setTenantDeferred = `SELECT set_config('app.tenant_id', $1, true), set_config('synchronous_commit', 'off', true)`
)

// run is a tenant's rows: those from one place of an order up to another.
type run struct {
	tenant   id.UUID
	from, to int
}

// runsOf divides n rows, which are ordered by tenant.
func runsOf(n int, tenant func(i int) id.UUID) []run {
	var out []run
	for i := range n {
		if t := tenant(i); len(out) == 0 || out[len(out)-1].tenant != t {
			out = append(out, run{tenant: t, from: i})
		}
		out[len(out)-1].to = i + 1
	}
	return out
}

// writeRows writes the rows that put appends, and tells wrote how many rows each
// statement returned or changed. After an error some tenants' rows may be written.
func (s *Store) writeRows(ctx context.Context, k *rowKind, runs []run, put func(b []byte, i int) []byte, wrote func(r run, n int64)) (err error) {
	conn, err := s.write.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	st, err := s.prepareRows(ctx, conn.Conn(), k)
	if err != nil {
		return err
	}
	buf := borrow()
	defer giveBack(buf)
	b := (*buf)[:0]
	ends := make([]int, len(runs))
	for i, r := range runs {
		b = appendArrayHeader(b, st.row, r.to-r.from, false)
		for n := r.from; n < r.to; n++ {
			b = put(b, n)
		}
		ends[i] = len(b)
	}
	*buf = b

	p := conn.Conn().PgConn().StartPipeline(ctx)
	defer func() { err = errors.Join(err, p.Close()) }()
	from := 0
	for i, r := range runs {
		p.SendQueryPrepared(st.setTenant, [][]byte{[]byte(r.tenant.String())}, nil, nil)
		p.SendQueryPrepared(st.write, [][]byte{r.tenant[:], b[from:ends[i]]}, binaryForm, nil)
		p.SendPipelineSync()
		from = ends[i]
	}
	if err := p.Flush(); err != nil {
		return err
	}
	for _, r := range runs {
		n, err := readRun(p)
		if err != nil {
			return err
		}
		if wrote != nil {
			wrote(r, n)
		}
	}
	return nil
}

var binaryForm = []int16{pgx.BinaryFormatCode}

// readRun reads the answers to what was sent for one tenant.
func readRun(p *pgconn.Pipeline) (rows int64, err error) {
	for {
		got, err := p.GetResults()
		if err != nil {
			return 0, err
		}
		switch got := got.(type) {
		case *pgconn.ResultReader:
			tag, err := got.Close()
			if err != nil {
				return 0, err
			}
			rows = tag.RowsAffected()
		case *pgconn.PipelineSync:
			return rows, nil
		}
	}
}

// rowStatements are what a connection has prepared for a kind.
type rowStatements struct {
	setTenant, write string
	row              uint32 // the composite type
}

// prepareRows prepares once per connection.
func (s *Store) prepareRows(ctx context.Context, conn *pgx.Conn, k *rowKind) (*rowStatements, error) {
	name := "foresight_" + k.name
	made := conn.PgConn().CustomData()
	if st, ok := made[name].(*rowStatements); ok {
		return st, nil
	}
	st := &rowStatements{setTenant: name + "_tenant", write: name + "_write"}
	if err := conn.QueryRow(ctx, `SELECT $1::regtype::oid`, "public."+k.row).Scan(&st.row); err != nil {
		return nil, err
	}
	set := setTenantDurable
	if s.deferSync {
		set = setTenantDeferred
	}
	for statement, sql := range map[string]string{st.setTenant: set, st.write: k.sql} {
		if _, err := conn.PgConn().Prepare(ctx, statement, sql, nil); err != nil {
			_ = conn.Close(ctx) // one that has prepared a half would refuse to prepare it again
			return nil, err
		}
	}
	made[name] = st
	return st, nil
}

// buffers hold the rows of a batch, at most maxPooled bytes between batches.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

const maxPooled = 4 << 20

func borrow() *[]byte { return buffers.Get().(*[]byte) }

func giveBack(b *[]byte) {
	if cap(*b) <= maxPooled {
		buffers.Put(b)
	}
}
