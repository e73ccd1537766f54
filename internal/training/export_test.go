package training

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"

	"foresight/inference/daily"
	"foresight/inference/training"
	"foresight/internal/blob"
	"foresight/internal/id"
	"foresight/internal/jobs"
)

// What tests outside of the package may see.
var (
	DatasetKey = datasetKey
	NextDue    = nextDue
	Alive      = alive
)

// Compress packs a data set as runs store it.
func Compress(raw []byte) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return z.EncodeAll(raw, nil)
}

// LogBatch logs so many parameters, and so many metrics of one name.
func LogBatch(ctx context.Context, m *MLflow, run string, params, metrics int) error {
	var p []keyValue
	for i := range params {
		p = append(p, keyValue{fmt.Sprint("p", i), fmt.Sprint(i)})
	}
	var v []metric
	for i := range metrics {
		v = append(v, metric{"m", float64(i), 1_700_000_000_000, int64(i)})
	}
	return m.log(ctx, run, p, v)
}

// ReadDataset reads a stored data set.
func ReadDataset(ctx context.Context, files *blob.Store, hash string) (*training.Dataset, error) {
	f, err := files.Get(ctx, datasetKey(hash))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return training.Read(z)
}

// LabelDays says what the days of one machine are examples of, within a horizon.
func LabelDays(horizon int, failed []time.Time, now time.Time, days ...time.Time) map[time.Time]string {
	var asset id.UUID
	k := &known{failures: map[id.UUID][]failure{}}
	for _, at := range failed {
		k.failures[asset] = append(k.failures[asset], failure{asset: asset, at: at})
	}
	var all []day
	for _, d := range days {
		x := day{asset: asset, at: daily.AsOf(d)}
		x.x[coverage] = 1
		all = append(all, x)
	}
	out := map[time.Time]string{}
	for _, e := range label(all, k, time.Duration(horizon)*24*time.Hour, []string{"survives", "fails"}, now) {
		for _, d := range days {
			if daily.AsOf(d).Equal(e.At) {
				out[d] = e.class
			}
		}
	}
	return out
}

// AddJob adds one more job of a run.
func AddJob(ctx context.Context, s *Service, run id.UUID) error {
	behalf, err := jobs.Of(ctx, needs...)
	if err != nil {
		return err
	}
	return s.tx(ctx, func(tx pgx.Tx) error { return s.Queue.Add(ctx, tx, args{Behalf: behalf, Run: run}, time.Time{}) })
}
