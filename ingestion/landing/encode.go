package landing

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"foresight/internal/id"
)

// written is a file to be.
type written struct {
	tenant  id.UUID
	file    file
	content []byte
}

// rowGroup is how many rows are written together: readers hold so many of a file.
const rowGroup = 4096

// newWriter writes a file with what is told of it, in the order of the names.
func newWriter(to io.Writer, told map[string]string) *parquet.GenericWriter[row] {
	options := []parquet.WriterOption{parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}), parquet.MaxRowsPerRowGroup(rowGroup),
		parquet.CreatedBy("foresight", "1", "landing")}
	for _, name := range slices.Sorted(maps.Keys(told)) {
		options = append(options, parquet.KeyValueMetadata("foresight."+name, told[name]))
	}
	return parquet.NewGenericWriter[row](to, options...)
}

// encode makes the files of a batch, tenants in the order of their first message.
func (b *batch) encode(stream string, partition, partitions int) ([]written, error) {
	var out []written
	for _, part := range b.parts {
		slices.SortFunc(part.rows, func(x, y row) int {
			return cmp.Or(cmp.Compare(x.Timestamp, y.Timestamp), cmp.Compare(x.LogSeq, y.LogSeq))
		})
		var content bytes.Buffer
		w := newWriter(&content, map[string]string{"tenant": part.tenant.String(), "log": stream,
			"partition": strconv.Itoa(partition), "partitions": strconv.Itoa(partitions),
			"batch_first": strconv.FormatUint(b.first, 10), "batch_last": strconv.FormatUint(b.last, 10)})
		for rows := range slices.Chunk(part.rows, rowGroup) {
			if _, err := w.Write(rows); err != nil {
				return nil, fmt.Errorf("landing: encode: %w", err)
			}
		}
		if err := w.Close(); err != nil {
			return nil, fmt.Errorf("landing: encode: %w", err)
		}
		f := file{hour: part.hour, partition: partition, partitions: partitions, log: logName(stream), first: b.first,
			oldest: time.UnixMilli(part.rows[0].Timestamp), newest: time.UnixMilli(part.rows[len(part.rows)-1].Timestamp), rows: uint64(len(part.rows))}
		out = append(out, written{part.tenant, f, content.Bytes()})
	}
	return out, nil
}
