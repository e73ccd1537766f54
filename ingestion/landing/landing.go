// Package landing keeps every admitted message in object storage, as Parquet files
// below {tenant}/{date}/{hour}/ of the arrival, and reads them back in the order of
// event time.
//
// # Exactly once
//
// A Lander reads a partition of the log from its own checkpoint. Before it writes the
// files of a batch, it saves with which entry the batch ends; after the last file it
// moves the checkpoint. Who takes over in between, after whatever death, writes the
// same batch again: names and rows follow from the entries, so that each file is
// replaced by its equal. Only the holder of the partition's lease can save, so that an
// owner that was paused begins no batch with other bounds.
//
// # Back-pressure
//
// A Lander holds at most one batch of a partition, bounded in bytes and age. While the
// storage is down it waits, with growing pauses; the log is kept from its checkpoint on,
// and when that is full, no more messages are admitted: what is acknowledged is in the
// log or in the landing zone. The processing of readings goes on meanwhile.
package landing

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/blob"
	"foresight/internal/bus"
	"foresight/internal/tenancy"
)

// Options of a Lander.
type Options struct {
	Log   *bus.Log
	Files *blob.Store
	// FileBytes closes the files of a batch: so many bytes of log entries. It is also
	// about what a partition holds in memory, twice while it is written. 8 MiB.
	FileBytes int
	// FileAge closes them when the first message has waited so long; 5 min.
	FileAge time.Duration
	// Writing bounds the partitions that encode and write at once; 2.
	Writing int
	Metrics prometheus.Registerer
	Logger  *slog.Logger // slog.Default() when nil
}

// Lander writes the landing zone. It is safe for concurrent use, one partition by one
// goroutine.
type Lander struct {
	opt     Options
	log     *slog.Logger
	metrics *metrics
	writing chan struct{}
	trouble trouble
}

// New returns a Lander.
func New(o Options) *Lander {
	if o.FileBytes <= 0 {
		o.FileBytes = 8 << 20
	}
	if o.FileAge <= 0 {
		o.FileAge = 5 * time.Minute
	}
	if o.Writing <= 0 {
		o.Writing = 2
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Lander{opt: o, log: o.Logger.With("part", "landing"), metrics: newMetrics(o.Metrics), writing: make(chan struct{}, o.Writing)}
}

// Held is a partition of the log that this process holds.
type Held interface {
	Partition() int
	// Stream is the identity of the log.
	Stream() string
	// Checkpoint returns up to which sequence all is landed, and above it the end of a
	// batch that was begun and may not be whole.
	Checkpoint(ctx context.Context) (done, intended uint64, err error)
	// Save moves the checkpoint, or fails when another process holds the partition.
	Save(ctx context.Context, done, intended uint64) error
}

const (
	readAtOnce = 500             // entries
	idleWait   = 5 * time.Second // of one call for entries
	putWithin  = 2 * time.Minute // for one file
	maxFile    = 1 << 30         // bytes; far above what a batch makes
	closeTime  = 2 * time.Second
	// A batch takes minutes to fill: entries are taken by the handful rather than each as
	// it comes.
	readPace = 250 * time.Millisecond
)

// Follow lands a partition until ctx ends. After an error it is called again.
func (l *Lander) Follow(ctx context.Context, p Held) error {
	done, intended, err := p.Checkpoint(ctx)
	if err != nil {
		return err
	}
	r, err := l.opt.Log.Read(p.Partition(), done+1)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			l.log.Debug("reader not closed, the server forgets it", "error", err)
		}
		l.metrics.forget(p.Partition())
	}()
	in := &input{Reader: r}
	for {
		b, err := l.gather(ctx, in, p.Partition(), intended)
		if err != nil {
			return err
		}
		if intended == 0 {
			if err := p.Save(ctx, done, b.last); err != nil {
				return err
			}
		}
		if err := l.land(ctx, p, b); err != nil {
			if ctx.Err() == nil {
				l.metrics.errors.WithLabelValues("write").Inc()
				l.trouble.note(err)
			}
			return err
		}
		l.trouble.note(nil)
		done, intended = b.last, 0
		if err := p.Save(ctx, done, 0); err != nil {
			return err
		}
		l.metrics.landed(b)
		l.metrics.lag(p.Partition(), in.waiting())
	}
}

// input is the partition as it is read, with what the last batch left.
type input struct {
	*bus.Reader
	rest []bus.Entry
}

func (in *input) next(ctx context.Context, wait time.Duration) (got []bus.Entry, err error) {
	if got, in.rest = in.rest, nil; len(got) > 0 {
		return got, nil
	}
	return in.Next(ctx, readAtOnce, wait)
}

func (in *input) waiting() uint64 { return uint64(len(in.rest)) + in.Pending() }

// gather reads a batch: up to the end that was intended, or until it is full or old.
func (l *Lander) gather(ctx context.Context, in *input, partition int, intended uint64) (*batch, error) {
	b := newBatch()
	for {
		wait := idleWait
		if b.first != 0 && intended == 0 {
			wait = min(wait, time.Until(b.begun.Add(l.opt.FileAge)))
			if wait <= 0 || b.bytes >= l.opt.FileBytes {
				return b, nil
			}
		}
		entries, err := in.next(ctx, wait)
		if err != nil {
			l.metrics.errors.WithLabelValues("read").Inc()
			return nil, err
		}
		for i := range entries {
			if intended != 0 && entries[i].Seq > intended {
				return nil, fmt.Errorf("landing: the log has lost entry %d", intended)
			}
			b.add(&entries[i], time.Now())
			if b.last == intended || intended == 0 && b.bytes >= l.opt.FileBytes {
				in.rest = entries[i+1:]
				return b, nil
			}
		}
		l.metrics.lag(partition, b.entries+in.waiting())
		if intended == 0 && len(entries) > 0 && in.waiting() == 0 {
			if err := pause(ctx, readPace); err != nil {
				return nil, err
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// land writes the files of a batch.
func (l *Lander) land(ctx context.Context, p Held, b *batch) error {
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	files, err := b.encode(p.Stream(), p.Partition(), l.opt.Log.Partitions())
	if err != nil {
		return err
	}
	for i := range files {
		if err := l.put(ctx, &files[i]); err != nil {
			return fmt.Errorf("landing: %w", err)
		}
		l.metrics.files.Inc()
		l.metrics.bytes.Add(float64(len(files[i].content)))
	}
	return nil
}

// contentType is registered for Parquet.
const contentType = "application/vnd.apache.parquet"

func (l *Lander) put(ctx context.Context, f *written) error {
	ctx, cancel := context.WithTimeout(tenancy.AsSystem(ctx, f.tenant), putWithin)
	defer cancel()
	return l.opt.Files.Put(ctx, f.file.name(), contentType, bytes.NewReader(f.content), maxFile)
}
