package drift

import (
	"cmp"
	"slices"
	"time"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/internal/id"
)

// The reasons of a verdict that is not stable.
const (
	Features          = "features"            // of at least one feature, see Report.Drifted
	Labels            = "labels"              // the labels that are predicted
	OutOfDistribution = "out_of_distribution" // more windows unlike all training than in training
)

// Report is what is told of a version.
type Report struct {
	ID, Version, Model id.UUID
	Label              string // of the version
	From, To           time.Time
	Rows, Machines     int
	// PSI by feature, less its noise; empty when the version has no reference.
	PSI map[string]float64
	// Drifted are the features beyond Moderate, the farthest first.
	Drifted []string
	// LabelShift is the PSI of the predicted labels, less its noise; 0 without a reference.
	LabelShift float64
	Labels     map[string]document.LabelShare
	// Reference: its labels are those that later reports compare with.
	Reference bool
	// Coverage is the share of values that were there, by feature, 0-1.
	Coverage map[string]float64
	// TelemetryCoverage is the share of sensors (of failure predictions: machines) of which
	// anything was heard, 0-1.
	TelemetryCoverage float64
	OutOfDistribution float64 // share, 0-1
	LabelSets         document.LabelSets
	Verdict           enum.DriftVerdict
	Reasons           []string
	serves            bool
}

// judge makes the report of a version. names are the features in the model's order,
// reference the labels of an earlier report or nil.
func (s *Service) judge(v *version, d *drawn, names []string, reference map[string]document.LabelShare, full bool) *Report {
	o := &v.seen
	r := &Report{Version: v.ID, Model: v.Model, Label: v.Label, From: d.from, To: d.to, Rows: o.rows(), Machines: len(o.machines),
		PSI: map[string]float64{}, Labels: map[string]document.LabelShare{}, Coverage: map[string]float64{}, Verdict: enum.DriftUnknown, Drifted: []string{}, Reasons: []string{}, serves: v.Serves}
	if d.asked > 0 {
		r.TelemetryCoverage = float64(d.heard) / float64(d.asked)
	}
	if r.Rows == 0 {
		return r
	}
	for f, name := range names {
		r.Coverage[name] = 1 - float64(o.missing[f])/float64(r.Rows)
	}
	r.labelSets(v)
	leastRows := s.Limits.Rows
	if v.Type == enum.ModelFailurePrediction {
		leastRows /= 4
	}
	classes := v.manifest.Classes
	labels := newCounts(r.Machines, len(classes))
	outside := newCounts(r.Machines, 2)
	for i, m := range o.machine {
		labels.add(m, o.label[i])
		if o.outside[i] {
			outside.add(m, 1)
		} else {
			outside.add(m, 0)
		}
	}
	shares, unlike := labels.spread(), outside.spread()
	for k, name := range classes {
		if shares.share[k] > 0 {
			r.Labels[name] = document.LabelShare{Share: shares.share[k], Variance: shares.variance[k]}
		}
	}
	r.OutOfDistribution = unlike.share[1]
	if r.Rows < leastRows || r.Machines < s.Limits.Machines {
		return r
	}
	r.Verdict = enum.DriftStable
	r.features(v, names, shares.share)
	if reference != nil {
		r.labels(labels, classes, reference)
	} else {
		r.Reference = full
	}
	if g := v.manifest.Outliers; g != nil {
		if shift := unlike.PSI([]float64{1 - g.FalseShare, g.FalseShare}, nil); r.OutOfDistribution > g.FalseShare {
			r.worsen(shift, OutOfDistribution)
		}
	}
	return r
}

// worsen moves the verdict by a shift.
func (r *Report) worsen(s Shift, reason string) {
	switch {
	case s.Beyond(Severe):
		r.Verdict = enum.DriftSevere
	case s.Beyond(Moderate):
		if r.Verdict == enum.DriftStable {
			r.Verdict = enum.DriftModerate
		}
	default:
		return
	}
	if !slices.Contains(r.Reasons, reason) {
		r.Reasons = append(r.Reasons, reason)
	}
}

// features compares each feature with the training rows of the labels that were
// predicted.
func (r *Report) features(v *version, names []string, labels []float64) {
	reference := v.manifest.Reference
	if reference == nil {
		return
	}
	expected := reference.Mixture(labels)
	if expected == nil {
		return
	}
	o := &v.seen
	c, place := newCounts(r.Machines, 1), make([]int, 0, 32)
	for f, name := range names {
		to, merged := merge(expected[f], place)
		c.reset(r.Machines, len(merged))
		for i, m := range o.machine {
			c.add(m, to[o.bins[i*len(names)+f]])
		}
		s := c.spread()
		shift := s.PSI(merged, nil)
		r.PSI[name] = shift.PSI
		if shift.Beyond(Moderate) {
			r.Drifted = append(r.Drifted, name)
		}
		r.worsen(shift, Features)
	}
	slices.SortFunc(r.Drifted, func(a, b string) int { return cmp.Or(cmp.Compare(r.PSI[b], r.PSI[a]), cmp.Compare(a, b)) })
}

// leastLabel is the least share of a label that is compared by itself; the others are
// compared together. One machine with a rare fault is no drift.
const leastLabel = 0.05

// labels compares what is predicted with what an earlier report saw.
func (r *Report) labels(now *counts, classes []string, reference map[string]document.LabelShare) {
	to, expected, variance := make([]int, len(classes)), []float64{0}, []float64{0} // the first is the others
	for k, name := range classes {
		l := reference[name]
		if l.Share >= leastLabel {
			to[k] = len(expected)
			expected, variance = append(expected, l.Share), append(variance, l.Variance)
		} else {
			expected[0] += l.Share
			variance[0] += l.Variance
		}
	}
	c := newCounts(now.machines, len(expected))
	for m := range now.machines {
		for k := range classes {
			c.n[m*c.bins+to[k]] += now.n[m*now.bins+k]
		}
	}
	s := c.spread()
	shift := s.PSI(expected, variance)
	r.LabelShift = shift.PSI
	r.worsen(shift, Labels)
}

// labelSets sums up the sizes of the label sets.
func (r *Report) labelSets(v *version) {
	if n := len(v.seen.sets); n > 0 {
		total := 0
		for _, size := range v.seen.sets {
			total += size
		}
		r.LabelSets.Level = coverageLevel
		r.LabelSets.MeanSize = float64(total) / float64(n)
	}
}
