// Package mongofake speaks MongoDB's wire protocol (OP_MSG, and OP_QUERY for the first
// hello) in the process of a test, so that the real driver sends what it would send to
// a real server. It records every command and answers what a Handler says: a script, or
// Memory, which keeps documents.
//
// It shows what is sent and how answers and failures are taken. What MongoDB makes of
// the commands it does not show; for that tests run on a real server where there is one.
package mongofake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Command is what a client sent. Document sequences stand in Doc as arrays, as the
// protocol has it.
type Command struct {
	Name, Database string
	Doc            bson.D
}

// Handler answers commands; it is called by several goroutines. A reply without `ok`
// gets `ok: 1`. A nil reply cuts the connection, as a network does.
type Handler func(context.Context, Command) bson.D

// Server is a listening server, by its hello the primary of a replica set.
type Server struct {
	listener net.Listener
	handle   Handler
	limits   Limits
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	commands []Command
}

// Limits is what the server says of itself; zero values are those of MongoDB 7.
type Limits struct {
	MaxWireVersion    int // 21
	MaxWriteBatchSize int // 100,000
	Standalone        bool
	// Discard leaves document sequences out of commands, unread: for benchmarks of the client.
	Discard bool
}

// Start listens until the test ends.
func Start(t testing.TB, limits Limits, handle Handler) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if limits.MaxWireVersion == 0 {
		limits.MaxWireVersion = 21
	}
	if limits.MaxWriteBatchSize == 0 {
		limits.MaxWriteBatchSize = 100_000
	}
	s := &Server{listener: l, handle: handle, limits: limits, conns: map[net.Conn]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(t.Context()))
	s.running.Go(s.accept)
	t.Cleanup(s.Close)
	return s
}

// Close ends all connections and returns when nothing runs any more.
func (s *Server) Close() {
	s.cancel()
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// URI is the connection string.
func (s *Server) URI() string { return "mongodb://" + s.listener.Addr().String() }

// Commands returns what came since the last call, without the driver's own (hello,
// ending of sessions).
func (s *Server) Commands() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.commands
	s.commands = nil
	return out
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		if s.ctx.Err() != nil {
			_ = c.Close()
		}
		s.running.Go(func() { s.serve(c) })
	}
}

func (s *Server) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	for {
		m, err := readMessage(c, s.limits.Discard)
		if err != nil {
			if s.ctx.Err() == nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !reset(err) {
				panic(fmt.Sprintf("mongofake: %v", err))
			}
			return
		}
		reply := s.answer(m.command)
		if reply == nil {
			return
		}
		if err := m.reply(c, reply); err != nil {
			return
		}
	}
}

// reset reports whether the client went away in the middle.
func reset(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "reset by peer")
}

func (s *Server) answer(c Command) bson.D {
	switch c.Name {
	case "hello", "isMaster", "ismaster":
		if slices.ContainsFunc(c.Doc, func(e bson.E) bool { return e.Key == "lsid" }) {
			s.record(c) // not the driver's own
		}
		return s.hello()
	case "endSessions":
		return bson.D{{Key: "ok", Value: 1}}
	}
	s.record(c)
	reply := s.handle(s.ctx, c)
	if reply != nil && !slices.ContainsFunc(reply, func(e bson.E) bool { return e.Key == "ok" }) {
		reply = append(reply, bson.E{Key: "ok", Value: 1})
	}
	return reply
}

func (s *Server) record(c Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, c)
}

func (s *Server) hello() bson.D {
	me := s.listener.Addr().String()
	d := bson.D{
		{Key: "helloOk", Value: true},
		{Key: "isWritablePrimary", Value: true},
		{Key: "ismaster", Value: true},
		{Key: "maxBsonObjectSize", Value: 16 << 20},
		{Key: "maxMessageSizeBytes", Value: 48_000_000},
		{Key: "maxWriteBatchSize", Value: s.limits.MaxWriteBatchSize},
		{Key: "logicalSessionTimeoutMinutes", Value: 30},
		{Key: "minWireVersion", Value: 0},
		{Key: "maxWireVersion", Value: s.limits.MaxWireVersion},
	}
	if !s.limits.Standalone {
		d = append(d, bson.E{Key: "setName", Value: "rs0"}, bson.E{Key: "hosts", Value: bson.A{me}},
			bson.E{Key: "me", Value: me}, bson.E{Key: "primary", Value: me}, bson.E{Key: "secondary", Value: false})
	}
	return append(d, bson.E{Key: "ok", Value: 1})
}

// Failure is the reply of a command that failed.
func Failure(code int, name, text string, labels ...string) bson.D {
	d := bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: code}, {Key: "codeName", Value: name}, {Key: "errmsg", Value: text}}
	if len(labels) > 0 {
		d = append(d, bson.E{Key: "errorLabels", Value: labels})
	}
	return d
}

// WriteError is an element of writeErrors.
func WriteError(index, code int, text string) bson.D {
	return bson.D{{Key: "index", Value: index}, {Key: "code", Value: code}, {Key: "errmsg", Value: text}}
}

// Cursor is the reply of a query that fits into one batch.
func Cursor(database, collection string, docs ...any) bson.D {
	return bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: database + "." + collection},
		{Key: "firstBatch", Value: append(bson.A{}, docs...)}}}}
}

// Get returns a field of a document, nil when it has none such.
func Get(d bson.D, name string) any {
	for _, e := range d {
		if e.Key == name {
			return e.Value
		}
	}
	return nil
}
