// Package document holds the shapes of JSON columns that record what happened.
package document

// Change is the value of a field before and after; null where there was none.
type Change struct {
	Before any `json:"before"`
	After  any `json:"after"`
}

// Contribution says how much one feature moved a prediction.
type Contribution struct {
	Feature string `json:"feature"`
	// Value is the feature's own, null when it was missing.
	Value *float64 `json:"value"`
	// Contribution is in log-odds: above 0 it raised the probability.
	Contribution float64 `json:"contribution"`
}

// Importance says how much a model as a whole leans on one feature.
type Importance struct {
	Feature string `json:"feature"`
	// Gain is the mean loss reduction of the splits on the feature, Weight their
	// number, Cover the mean weight of the rows that they part.
	Gain   float64 `json:"gain"`
	Weight float64 `json:"weight"`
	Cover  float64 `json:"cover"`
}

// Reject is a record that an import did not take.
type Reject struct {
	// Ref names the record at its source: an id, or a line number.
	Ref    string `json:"ref"`
	Reason string `json:"reason"`
}

// Citation is what an answer rests on.
type Citation struct {
	// ID is that of a passage, asset, alarm, prediction or work order.
	ID string `json:"id"`
	// Title is the document's, or how people call the thing.
	Title string `json:"title"`
	// Quote is the sentence that matters, empty for things that are no texts.
	Quote string `json:"quote,omitempty"`
}
