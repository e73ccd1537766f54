package landing

import (
	"container/heap"
	"context"
	"fmt"
	"io"
	"strconv"

	"foresight/internal/tenancy"
)

// concatenate writes the rows of files, each in order, in one order. A row that stands
// in two of them, one of which holds the other in part, is written once. It returns how
// many it has read and written.
func (r *Reader) concatenate(ctx context.Context, files []stored, to io.Writer, as file) (read, wrote uint64, err error) {
	var open cursors
	defer func() {
		for _, c := range open {
			c.close()
		}
	}()
	stream := ""
	for _, f := range files {
		c, err := r.openFile(ctx, f.file)
		if err != nil {
			return 0, 0, err
		}
		if stream == "" {
			stream = c.stream
		}
		if c.stream != stream {
			c.close()
			return 0, 0, fmt.Errorf("landing: %s is of another log than its neighbour", f.name())
		}
		if !c.atEnd {
			heap.Push(&open, c)
		}
	}
	w := newWriter(to, map[string]string{"tenant": tenancy.Must(ctx).TenantID.String(), "log": stream,
		"partition": strconv.Itoa(as.partition), "partitions": strconv.Itoa(as.partitions),
		"batch_first": strconv.FormatUint(as.first, 10), "batch_through": strconv.FormatUint(as.through, 10)})
	rows := make([]row, 0, rowGroup)
	flush := func() error {
		if _, err := w.Write(rows); err != nil {
			return fmt.Errorf("landing: encode: %w", err)
		}
		wrote += uint64(len(rows))
		rows = rows[:0]
		return nil
	}
	var last row
	for len(open) > 0 {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		c := open[0]
		x := *c.row()
		read++
		if x.Timestamp != last.Timestamp || x.LogSeq != last.LogSeq || x.IngestID != last.IngestID || read == 1 {
			rows = append(rows, x)
			last = x
		}
		if err := c.advance(); err != nil {
			return 0, 0, err
		}
		if c.atEnd {
			heap.Pop(&open)
		} else {
			heap.Fix(&open, 0)
		}
		if len(rows) == rowGroup {
			if err := flush(); err != nil {
				return 0, 0, err
			}
		}
	}
	if err := flush(); err != nil {
		return 0, 0, err
	}
	if err := w.Close(); err != nil {
		return 0, 0, fmt.Errorf("landing: encode: %w", err)
	}
	return read, wrote, nil
}
