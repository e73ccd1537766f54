package landing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/blob"
	"foresight/internal/lifecycle"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

// CompactorOptions are the parts of a Compactor.
type CompactorOptions struct {
	Files *blob.Store
	// After is how long after its end an hour is compacted: what is under way has landed
	// by then.
	After time.Duration
	// Dir is where files are put while they are worked on; "" is the system's for
	// temporary files.
	Dir string
	// Alone does it unless another process is at it, for thrift: two that compact the
	// same hour do each other no harm. Nil: always.
	Alone   func(ctx context.Context, f func(context.Context) error) error
	Metrics prometheus.Registerer
	Logger  *slog.Logger // slog.Default() when nil
}

const (
	compactEvery = time.Hour
	// A file that others replace is deleted when they have stood for so long: who has
	// listed it by then has read it, or finds them in its place.
	superseded = time.Hour
	// Fewer files of an hour and partition are left as they are.
	fewest = 3
	// The files that are put together have so many bytes at most, and are so many.
	mostBytes = 128 << 20
	mostFiles = maxOpen / 2
	// settled days are not looked at again by the same process.
	settledAfter = 2 * 24 * time.Hour
)

// Compactor puts the small files of an hour together, partition by partition. It is a
// lifecycle.Part; any number of processes may run one.
//
// The file that it writes holds all rows of a run of batches, which its name tells, and
// so says which files it replaces. These are deleted at a later look. Whoever dies in
// between leaves both, of which readers take the larger alone; what a Lander that takes
// over writes once more is replaced already. What it had begun when it was stopped is
// begun again.
type Compactor struct {
	lifecycle.Part
	opt     CompactorOptions
	reader  *Reader
	merged  prometheus.Counter
	deleted prometheus.Counter
	settled map[string]bool // tenant and day, of Pass alone
}

// NewCompactor returns one that is not started.
func NewCompactor(o CompactorOptions) *Compactor {
	if o.Alone == nil {
		o.Alone = func(ctx context.Context, f func(context.Context) error) error { return f(ctx) }
	}
	c := &Compactor{opt: o, reader: NewReader(o.Files, o.Dir), settled: map[string]bool{},
		merged:  obs.NewCounter(o.Metrics, "landing", "compacted_total", "Files of the landing zone that were put together with others.").WithLabelValues(),
		deleted: obs.NewCounter(o.Metrics, "landing", "superseded_total", "Files of the landing zone that were deleted as others hold what they held.").WithLabelValues(),
	}
	c.Part = lifecycle.Every("landing compactor", compactEvery, o.Logger, func(ctx context.Context) error {
		return o.Alone(ctx, func(ctx context.Context) error { return c.Pass(ctx, time.Now()) })
	})
	return c
}

// Pass compacts what is due at the time, and deletes what was replaced. What fails is
// left as it is; the rest is done.
func (c *Compactor) Pass(ctx context.Context, now time.Time) error {
	tenants, err := c.opt.Files.Tenants(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range tenants {
		ctx := tenancy.AsSystem(ctx, t)
		days, err := c.opt.Files.Levels(ctx, "")
		if err != nil {
			return fmt.Errorf("landing: %w", err)
		}
		for _, name := range days {
			day, err := time.Parse(dayForm, name)
			if err != nil || c.settled[t.String()+name] {
				continue
			}
			idle, err := c.day(ctx, name, now)
			errs = append(errs, err)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil && idle && now.Sub(day) > settledAfter {
				c.settled[t.String()+name] = true
			}
		}
	}
	return errors.Join(errs...)
}

// group are files that may be put together: of one hour of arrival, partition and log.
type group struct {
	hour                  time.Time
	partition, partitions int
	log                   string
}

func (f *file) group() group { return group{f.hour, f.partition, f.partitions, f.log} }

// stored is a file with what its store says of it.
type stored struct {
	file
	bytes    int64
	modified time.Time
}

// day compacts a day of a tenant; idle: there was nothing to do, and nothing is to come.
func (c *Compactor) day(ctx context.Context, name string, now time.Time) (idle bool, err error) {
	groups := map[group][]stored{}
	for listed, err := range c.opt.Files.List(ctx, name+"/") {
		if err != nil {
			return false, fmt.Errorf("landing: %w", err)
		}
		if f, ok := parseName(listed.Name); ok && !f.hour.Add(time.Hour+c.opt.After).After(now) {
			groups[f.group()] = append(groups[f.group()], stored{f, listed.Size, listed.Modified})
		}
	}
	idle = true
	var errs []error
	for _, files := range groups {
		left, replaced := replacedAmong(files)
		for _, r := range replaced {
			idle = false
			if now.Sub(r.by) < superseded {
				continue
			}
			if err := c.opt.Files.Delete(ctx, r.name()); err != nil {
				errs = append(errs, fmt.Errorf("landing: %w", err))
				continue
			}
			c.deleted.Inc()
		}
		for _, run := range runs(left) {
			idle = false
			if err := c.compact(ctx, run); err != nil {
				errs = append(errs, err)
				continue
			}
			c.merged.Add(float64(len(run)))
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	return idle, errors.Join(errs...)
}

// replaced is a file that another one holds whole, since a time.
type replaced struct {
	file
	by time.Time
}

// replacedAmong tells the files that others replace from those that stand, which are in
// the order of their batches.
func replacedAmong(files []stored) (left []stored, gone []replaced) {
	for _, f := range files {
		i := slices.IndexFunc(files, func(g stored) bool { return g.replaces(&f.file) })
		if i < 0 {
			left = append(left, f)
			continue
		}
		gone = append(gone, replaced{f.file, files[i].modified})
	}
	slices.SortFunc(left, func(a, b stored) int { return cmp.Compare(a.first, b.first) })
	return left, gone
}

// runs are files in a row that are worth putting together.
func runs(files []stored) (out [][]stored) {
	var run []stored
	var bytes int64
	flush := func() {
		if len(run) >= fewest {
			out = append(out, run)
		}
		run, bytes = nil, 0
	}
	for _, f := range files {
		if len(run) > 0 && (bytes+f.bytes > mostBytes || len(run) == mostFiles) {
			flush()
		}
		run = append(run, f)
		bytes += f.bytes
	}
	flush()
	return out
}

// compact writes the file that holds the rows of the others.
func (c *Compactor) compact(ctx context.Context, run []stored) error {
	to := run[0].file
	to.through, to.rows = run[len(run)-1].last(), 0
	var want uint64
	for _, f := range run {
		want += f.rows
		if f.oldest.Before(to.oldest) {
			to.oldest = f.oldest
		}
		if f.newest.After(to.newest) {
			to.newest = f.newest
		}
	}
	local, err := os.CreateTemp(c.opt.Dir, "landing-*.parquet")
	if err != nil {
		return fmt.Errorf("landing: %w", err)
	}
	defer local.Close()
	if err := os.Remove(local.Name()); err != nil { // it has no name while it is written
		return fmt.Errorf("landing: %w", err)
	}
	var read uint64
	if read, to.rows, err = c.reader.concatenate(ctx, run, local, to); err != nil {
		return err
	}
	if read != want {
		return fmt.Errorf("landing: %s and what follows have %d rows, not the %d of their names", run[0].name(), read, want)
	}
	if _, err := local.Seek(0, 0); err != nil {
		return fmt.Errorf("landing: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, putMergedWithin)
	defer cancel()
	if err := c.opt.Files.Put(ctx, to.name(), contentType, local, maxFile); err != nil {
		return fmt.Errorf("landing: %w", err)
	}
	return nil
}

// putMergedWithin bounds the writing of one file to the store.
const putMergedWithin = 10 * time.Minute
