package training

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/internal/fault"
)

// Columns of a CSV file besides the features. The label and one column for each feature
// must be there.
const (
	labelColumn   = "label"
	machineColumn = "machine" // rows of one machine are in one split; without it each row is one
	weightColumn  = "weight"
)

// The most that a file may hold.
const (
	maxWeight    = 1000
	maxLabel     = 100 // characters
	maxNewLabels = 50
)

// readUpload reads a file of examples: a data set (docs/training.md) or CSV. What is
// wrong with it is a fault.Error.
func (s *Service) readUpload(name string, content []byte, base *artifact.Bundle, heldOut float64, alone bool) (*training.Dataset, error) {
	var d *training.Dataset
	var err error
	if training.IsDataset(content) {
		d, err = training.Read(bytes.NewReader(content))
	} else {
		d, err = s.readCSV(content, base, heldOut, alone)
	}
	var told *fault.Error
	if errors.As(err, &told) {
		return nil, err
	}
	if errors.Is(err, training.ErrTooFew) {
		return nil, fault.Invalid("input.uploadId", "error.training.tooFew").Because(err)
	}
	if err == nil {
		err = s.checkUpload(d, base, alone)
	}
	if err != nil {
		return nil, fault.Invalid("input.uploadId", "error.training.file").With("Name", short(name, 80)).With("Reason", short(err.Error(), 200)).Because(err)
	}
	return d, nil
}

// checkUpload refuses a data set that does not fit the model.
func (s *Service) checkUpload(d *training.Dataset, base *artifact.Bundle, alone bool) error {
	names, hash := featuresOf(base.Manifest.Kind)
	switch {
	case d.FeatureSchemaHash != hash || !slices.Equal(d.Features, names):
		return fmt.Errorf("it has other features than the %d of the model", len(names))
	case d.Rows > s.Limits.MaxRows:
		return fmt.Errorf("%d rows, at most %d", d.Rows, s.Limits.MaxRows)
	}
	fresh := 0
	seen := map[string]bool{}
	for _, c := range d.Classes {
		if !plainLabel(c) || seen[c] {
			return fmt.Errorf("class %q is none, or is there twice", short(c, 40))
		}
		seen[c] = true
		if !slices.Contains(base.Manifest.Classes, c) {
			fresh++
		}
	}
	if fresh > maxNewLabels {
		return fmt.Errorf("%d new classes, at most %d", fresh, maxNewLabels)
	}
	for i := range d.Parts {
		p := &d.Parts[i]
		if alone && p.Rows() == 0 && training.Split(i) != training.Calibrate {
			return fmt.Errorf("no rows in the split %s", training.Split(i))
		}
		for _, w := range p.Weights {
			if !(w > 0 && w <= maxWeight) {
				return fmt.Errorf("a row weighs %v, which is not above 0 and at most %d", w, maxWeight)
			}
		}
		for _, v := range p.X {
			if math.IsInf(float64(v), 0) {
				return errors.New("a value is infinite")
			}
		}
	}
	return nil
}

// plainLabel reports whether a label can be the code of a fault.
func plainLabel(s string) bool {
	if s == "" || utf8.RuneCountInString(s) > maxLabel {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_') }) < 0
}

// columnsOf finds the columns of a CSV file.
type csvColumns struct {
	label, machine, weight int // -1: there is none
	features               []int
}

func columnsOf(header, names []string) (c csvColumns, err error) {
	at := map[string]int{}
	for i, h := range header {
		h = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
		if _, twice := at[h]; twice {
			return c, fmt.Errorf("column %q is there twice", short(h, 40))
		}
		at[h] = i
	}
	place := func(name string) int {
		i, ok := at[name]
		if !ok {
			return -1
		}
		delete(at, name)
		return i
	}
	if c.label = place(labelColumn); c.label < 0 {
		return c, fmt.Errorf("there is no column %q", labelColumn)
	}
	c.machine, c.weight = place(machineColumn), place(weightColumn)
	for _, n := range names {
		i := place(n)
		if i < 0 {
			return c, fmt.Errorf("there is no column %q", n)
		}
		c.features = append(c.features, i)
	}
	for other := range at {
		return c, fmt.Errorf("column %q is no feature", short(other, 40))
	}
	return c, nil
}

// readCSV reads a file with a header; an empty cell is a missing value.
func (s *Service) readCSV(content []byte, base *artifact.Bundle, heldOut float64, alone bool) (*training.Dataset, error) {
	names, hash := featuresOf(base.Manifest.Kind)
	r := csv.NewReader(bytes.NewReader(content))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return nil, err
	}
	c, err := columnsOf(header, names)
	if err != nil {
		return nil, err
	}
	classes := slices.Clone(base.Manifest.Classes)
	machines := numbers[string]{}
	var all []training.Example
	for line := 2; ; line++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(all) >= s.Limits.MaxRows {
			return nil, fmt.Errorf("more than %d rows", s.Limits.MaxRows)
		}
		e, label, err := c.example(row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if e.Label = slices.Index(classes, label); e.Label < 0 {
			e.Label = len(classes)
			classes = append(classes, label)
		}
		machine := "line " + strconv.Itoa(line)
		if c.machine >= 0 {
			machine = "machine " + row[c.machine]
		}
		e.Group = machines.of(machine)
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil, errors.New("no rows")
	}
	var out bytes.Buffer
	h := training.Header{Features: names, FeatureSchemaHash: hash, Classes: classes}
	if _, err := training.WriteExamples(&out, h, all, heldOut, alone); err != nil {
		return nil, err
	}
	return training.Read(&out)
}

func (c *csvColumns) example(row []string) (e training.Example, label string, err error) {
	if label = strings.TrimSpace(row[c.label]); !plainLabel(label) {
		return e, "", fmt.Errorf("label %q: small letters, digits and _", short(label, 40))
	}
	number := func(i int) (float32, error) {
		v, err := strconv.ParseFloat(strings.TrimSpace(row[i]), 32)
		if err != nil || math.IsInf(v, 0) {
			return 0, fmt.Errorf("%q is no number", short(row[i], 40))
		}
		return float32(v), nil
	}
	e.Weight = 1
	if c.weight >= 0 && row[c.weight] != "" {
		if e.Weight, err = number(c.weight); err != nil {
			return e, "", err
		}
		if !(e.Weight > 0 && e.Weight <= maxWeight) {
			return e, "", fmt.Errorf("weight %v", e.Weight)
		}
	}
	e.X = make([]float32, len(c.features))
	for k, i := range c.features {
		if strings.TrimSpace(row[i]) == "" {
			e.X[k] = float32(math.NaN())
			continue
		}
		if e.X[k], err = number(i); err != nil {
			return e, "", err
		}
	}
	return e, label, nil
}

// gatherUpload makes the uploaded file a training set, with the original.
func (t *task) gatherUpload(ctx context.Context) error {
	f, err := t.Files.Get(ctx, t.Request.Upload)
	if err != nil {
		return err
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	more, err := t.readUpload("upload", content, t.bundle, t.Request.HeldOut, !t.Request.Original)
	if err != nil {
		return err
	}
	t.log.say("uploaded: %d rows", more.Rows)
	all, err := t.extended(ctx, t.bundle.Booster, more)
	if err != nil {
		return err
	}
	return t.plain(t.bundle.Entry, all)
}
