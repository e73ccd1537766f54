package bulk

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"foresight/ent/enum"
	"foresight/internal/id"
)

// fileWriter writes rows of values in a format.
type fileWriter struct {
	names []string
	buf   *bufio.Writer
	csv   *csv.Writer // nil for NDJSON
	cells []string
}

func newFileWriter(w io.Writer, f enum.ExportFormat) *fileWriter {
	fw := &fileWriter{buf: bufio.NewWriterSize(w, 64<<10)}
	if f == enum.ExportCSV {
		fw.csv = csv.NewWriter(fw.buf)
	}
	return fw
}

func contentType(f enum.ExportFormat) string {
	if f == enum.ExportCSV {
		return "text/csv; charset=utf-8"
	}
	return "application/x-ndjson"
}

// head begins the file. CSV begins with a byte order mark, by which spreadsheets know UTF-8.
func (w *fileWriter) head(names []string) error {
	w.names, w.cells = names, make([]string, len(names))
	if w.csv == nil {
		return nil
	}
	if _, err := w.buf.WriteString(mark); err != nil {
		return err
	}
	return w.csv.Write(names)
}

// row writes values in the order of the names.
func (w *fileWriter) row(values []any) error {
	if w.csv == nil {
		return w.object(values)
	}
	for i, v := range values {
		w.cells[i] = cell(v)
	}
	return w.csv.Write(w.cells)
}

// object writes a line of JSON whose members are in the order of the names.
func (w *fileWriter) object(values []any) error {
	line := []byte{'{'}
	for i, v := range values {
		if i > 0 {
			line = append(line, ',')
		}
		if u, ok := v.([16]byte); ok {
			v = id.UUID(u)
		}
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("bulk: %s: %w", w.names[i], err)
		}
		line = append(append(strconv.AppendQuote(line, w.names[i]), ':'), b...)
	}
	_, err := w.buf.Write(append(line, '}', '\n'))
	return err
}

// cell is a value as CSV has it. Texts that a spreadsheet would calculate are guarded.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return guarded(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case int32:
		return strconv.FormatInt(int64(v), 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case [16]byte:
		return id.UUID(v).String()
	}
	return guarded(fmt.Sprint(v))
}

// flush writes what is buffered.
func (w *fileWriter) flush() error {
	if w.csv != nil {
		w.csv.Flush()
		if err := w.csv.Error(); err != nil {
			return err
		}
	}
	return w.buf.Flush()
}
