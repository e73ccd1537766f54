// Package training is the border between the server and the trainer, which is a
// program of its own: the dataset file, the request and the judgement of a model.
// The server and the generator of the shipped champion write the first two and run
// the trainer as a child process; the trainer answers with an artifact's folder.
package training

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
)

// Split says what a row is for. Rows of one group (a machine) are all in one split:
// windows of a machine resemble each other, and a split by row would leak.
type Split uint8

// The splits: fitting, early stopping, the final judgement, and the calibration of
// probabilities and label sets. Without rows for the last, the rows for early stopping
// serve it.
const (
	Train Split = iota
	Validation
	Test
	Calibrate
	splits
)

// String returns the name.
func (s Split) String() string { return [...]string{"train", "validation", "test", "calibration"}[s] }

// Header describes a dataset.
type Header struct {
	Rows              int      `json:"rows"`
	Features          []string `json:"features"`
	FeatureSchemaHash string   `json:"feature_schema_hash"`
	Classes           []string `json:"classes"`
}

// Row is one example.
type Row struct {
	X      []float32 // one per feature; NaN: missing
	Label  int       // index into Header.Classes
	Weight float32   // > 0
	Split  Split
	Group  uint32 // the machine
}

const magic = "foresight dataset 1\n"

// Writer writes a dataset file: the magic line, the header (a length of 4 bytes,
// then JSON), then the rows in binary, little-endian.
type Writer struct {
	w    *bufio.Writer
	h    Header
	n    int
	buf  []byte
	hash hash.Hash
}

// NewWriter writes the header; exactly h.Rows rows must follow.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	d := &Writer{h: h, hash: sha256.New()}
	d.w = bufio.NewWriterSize(io.MultiWriter(w, d.hash), 1<<16)
	raw, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	d.w.WriteString(magic)
	d.w.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(raw))))
	_, err = d.w.Write(raw)
	return d, err
}

// Write appends a row.
func (d *Writer) Write(r *Row) error {
	if len(r.X) != len(d.h.Features) || r.Label < 0 || r.Label >= len(d.h.Classes) || r.Split >= splits || !(r.Weight > 0) {
		return fmt.Errorf("training: row %d does not fit the header", d.n)
	}
	b := d.buf[:0]
	b = binary.LittleEndian.AppendUint32(b, uint32(r.Label))
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(r.Weight))
	b = binary.LittleEndian.AppendUint32(b, r.Group)
	b = append(b, byte(r.Split))
	for _, v := range r.X {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	d.buf = b
	d.n++
	_, err := d.w.Write(b)
	return err
}

// Close flushes and returns the SHA-256 of the file, hex. It does not close the
// underlying writer.
func (d *Writer) Close() (string, error) {
	if d.n != d.h.Rows {
		return "", fmt.Errorf("training: %d rows written, the header says %d", d.n, d.h.Rows)
	}
	if err := d.w.Flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(d.hash.Sum(nil)), nil
}

// Part is the rows of one split, row-major.
type Part struct {
	X       []float32
	Labels  []int
	Weights []float32
	Group   []uint32 // the machine of each row
	Groups  int      // number of distinct groups
}

// Rows returns the number of rows.
func (p *Part) Rows() int { return len(p.Labels) }

// Dataset is a whole file in memory.
type Dataset struct {
	Header
	Hash  string
	Parts [splits]Part
}

// Calibration returns the rows that probabilities are calibrated on.
func (d *Dataset) Calibration() (*Part, Split) {
	s := Calibrate
	if d.Parts[s].Rows() == 0 {
		s = Validation
	}
	return &d.Parts[s], s
}

// the most that a dataset may hold, so that a bad header asks for no memory.
const (
	maxHeader = 1 << 20
	maxRows   = 20_000_000
)

// Load reads a dataset file.
func Load(path string) (*Dataset, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("training: %s: %w", path, err)
	}
	return d, nil
}

// IsDataset reports whether the bytes begin as a dataset file does.
func IsDataset(b []byte) bool { return len(b) >= len(magic) && string(b[:len(magic)]) == magic }

// LoadHeader reads the header of a dataset file.
func LoadHeader(path string) (*Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, err := readHeader(f)
	if err != nil {
		return nil, fmt.Errorf("training: %s: %w", path, err)
	}
	return h, nil
}

func readHeader(r io.Reader) (*Header, error) {
	lead := make([]byte, len(magic)+4)
	if _, err := io.ReadFull(r, lead); err != nil || string(lead[:len(magic)]) != magic {
		return nil, errors.New("no dataset file")
	}
	n := binary.LittleEndian.Uint32(lead[len(magic):])
	if n > maxHeader {
		return nil, fmt.Errorf("header of %d bytes", n)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, err
	}
	h := &Header{}
	if err := json.Unmarshal(raw, h); err != nil {
		return nil, err
	}
	if h.Rows < 1 || h.Rows > maxRows || len(h.Features) == 0 || len(h.Classes) < 2 {
		return nil, fmt.Errorf("%d rows, %d features, %d classes", h.Rows, len(h.Features), len(h.Classes))
	}
	return h, nil
}

// Read reads a dataset from its bytes, hashing them on the way.
func Read(src io.Reader) (*Dataset, error) {
	sum := sha256.New()
	r := bufio.NewReaderSize(io.TeeReader(src, sum), 1<<20)
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	d := &Dataset{Header: *h}
	var groups [splits]map[uint32]struct{}
	home := map[uint32]Split{}
	for s := range groups {
		groups[s] = map[uint32]struct{}{}
	}
	row := make([]byte, 13+4*len(d.Features))
	for i := range d.Rows {
		if _, err := io.ReadFull(r, row); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		label, group, s := int(binary.LittleEndian.Uint32(row)), binary.LittleEndian.Uint32(row[8:]), Split(row[12])
		if label >= len(d.Classes) || s >= splits {
			return nil, fmt.Errorf("row %d: label %d, split %d", i, label, s)
		}
		if was, known := home[group]; known && was != s {
			return nil, fmt.Errorf("row %d: machine %d is in %s and in %s", i, group, was, s)
		}
		home[group] = s
		groups[s][group] = struct{}{}
		p := &d.Parts[s]
		p.Labels = append(p.Labels, label)
		p.Group = append(p.Group, group)
		p.Weights = append(p.Weights, math.Float32frombits(binary.LittleEndian.Uint32(row[4:])))
		for b := row[13:]; len(b) > 0; b = b[4:] {
			p.X = append(p.X, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return nil, errors.New("bytes after the last row")
	}
	for s := range groups {
		d.Parts[s].Groups = len(groups[s])
	}
	d.Hash = hex.EncodeToString(sum.Sum(nil))
	return d, nil
}
