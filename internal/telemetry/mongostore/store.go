package mongostore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Store implements telemetry.Store. It is a lifecycle.Part: only after Start may the
// other methods be called.
type Store struct {
	o      Options
	client *options.ClientOptions
	schema []collection

	conn        *mongo.Client
	db          *mongo.Database
	raw         *mongo.Collection
	predictions *mongo.Collection
	sensors     *mongo.Collection
	rollups     [len(telemetry.Resolutions)]*mongo.Collection

	known placements
	ready atomic.Bool   // the schema was seen to be there
	again time.Duration // between two tries of that
	stop  context.CancelFunc
	ended sync.WaitGroup
}

var _ telemetry.Store = (*Store)(nil)

// New returns a store that is not connected yet. The error says what is wrong with the
// options.
func New(o Options) (*Store, error) {
	client, err := clientOptions(o.URI)
	if err != nil {
		return nil, err
	}
	if o.Database == "" {
		o.Database = "foresight"
	}
	if o.Schema == "" {
		o.Schema = Managed
	}
	if o.Schema != Managed && o.Schema != External {
		return nil, fmt.Errorf("mongostore: schema %q, want %s or %s", o.Schema, Managed, External)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Log = o.Log.With("part", "telemetry store")
	o.Keep = o.Keep.withDefaults()
	return &Store{o: o, client: client, schema: schemaFor(o.Keep), known: newPlacements(time.Now), again: prepareEvery}, nil
}

// Name implements lifecycle.Part.
func (s *Store) Name() string { return "telemetry store" }

// Start connects, and makes the schema or compares it. A schema that is not as it must
// be is an error that says what is missing. A server that cannot be reached is none:
// the process serves what needs no telemetry, writes are Unavailable, and Start's work
// is tried again until it is done.
func (s *Store) Start(ctx context.Context) error {
	conn, err := mongo.Connect(s.client)
	if err != nil {
		return fmt.Errorf("mongostore: %w", err)
	}
	s.use(conn)
	err = s.prepare(ctx)
	if err != nil && !fault.Is(err, fault.Unavailable) {
		return errors.Join(err, conn.Disconnect(ctx))
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	if err != nil {
		s.o.Log.Warn("not ready, trying on", "error", err)
		s.ended.Go(func() { s.prepareUntilReady(run) })
	}
	return nil
}

// use binds the collections, with the concerns that hold for all that the store does.
func (s *Store) use(conn *mongo.Client) {
	journaled := writeconcern.Majority()
	journaled.Journal = new(bool)
	*journaled.Journal = true
	s.conn = conn
	s.db = conn.Database(s.o.Database, options.Database().SetWriteConcern(journaled).
		SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary()))
	s.raw = s.db.Collection(rawName)
	s.predictions = s.db.Collection(predictionsName)
	s.sensors = s.db.Collection(sensorsName)
	for _, r := range telemetry.Resolutions {
		s.rollups[r] = s.db.Collection(rollupName(r))
	}
}

// prepareEvery is the time between two tries.
const prepareEvery = 5 * time.Second

func (s *Store) prepareUntilReady(ctx context.Context) {
	tick := time.NewTicker(s.again)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := s.prepare(ctx)
		if err == nil {
			s.o.Log.Info("ready")
			return
		}
		if ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
			s.o.Log.Error("not usable, trying on", "error", err)
		}
	}
}

// Stop implements lifecycle.Part.
func (s *Store) Stop(ctx context.Context) error {
	s.stop()
	s.ended.Wait()
	if err := s.conn.Disconnect(ctx); err != nil {
		return fmt.Errorf("mongostore: %w", err)
	}
	return nil
}

// Ping implements telemetry.Store: the primary answers, and the schema was seen to be
// as it must.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.RunCommand(ctx, bson.D{{Key: "ping", Value: 1}}).Err(); err != nil {
		return failed(ctx, "ping", err)
	}
	return s.writable("ping")
}

// writable keeps writers from a collection whose validator and indexes may not be
// there: a first insert would make one without.
func (s *Store) writable(what string) error {
	if s.ready.Load() {
		return nil
	}
	return fmt.Errorf("mongostore: %s: %w", what, fault.New(fault.Unavailable, "error.telemetry.unavailable").Because(errNotReady))
}

var errNotReady = errors.New("the schema was not checked yet")

func checkTenant(tenant id.UUID) error {
	if tenant == id.Nil {
		return telemetry.ErrNoTenant
	}
	return nil
}

func checkLimit(limit, most int) error {
	if limit < 1 || limit > most {
		return telemetry.ErrLimit
	}
	return nil
}
