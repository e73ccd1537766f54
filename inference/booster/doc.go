// Package booster serves gradient-boosted trees that XGBoost 1.7 trained, with
// leaves, in pure Go.
//
// leaves (v0.0.0-20210121075304) predates XGBoost 1.7, and trusts the file. So Load
// parses the file itself, within limits, refuses what leaves could not serve right,
// and writes the model anew for leaves, with four repairs:
//
//   - the prefix "binf" is left out;
//   - num_output_group, which 1.7 leaves 0, becomes max(1, num_class);
//   - base_score becomes a margin: for binary:logistic the file holds a
//     probability, and leaves adds it as it is;
//   - every split threshold is lowered by one step of float32: leaves tests
//     x <= t where XGBoost tests x < t, and for float32 x both are then the same.
//
// Nodes that XGBoost pruned stay in its files; they are left out, too.
package booster
