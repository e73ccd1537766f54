package document

// LabelShare is how often a label was predicted.
type LabelShare struct {
	Share float64 `json:"share"` // of the predictions, 0-1
	// Variance is that of the share by the choice of machines.
	Variance float64 `json:"variance"`
}

// LabelSets is what was seen of a classifier's label sets, the smallest sets of faults
// that hold the true one at a nominal level. The zero value: it has none.
type LabelSets struct {
	Level    float64 `json:"level,omitempty"`     // nominal coverage, 0-1
	MeanSize float64 `json:"mean_size,omitempty"` // faults in a set
	// Findings are how many of people's findings were looked at, Coverage the share of
	// them that the sets held; nil without findings.
	Findings int      `json:"findings,omitempty"`
	Coverage *float64 `json:"coverage,omitempty"`
}
