// Package booster serves gradient-boosted trees that XGBoost trained, in pure Go.
//
// A file is parsed here, within limits, and what could not be served right is refused.
// Two programs then evaluate the same trees. Booster lays them out for speed and serves;
// its sums are XGBoost's to the last bit. Reference is the library leaves, written by
// other people for other versions: where both agree with XGBoost's own outputs, the trees
// were read right.
//
// leaves (v0.0.0-20210121075304) predates XGBoost 1.7, and trusts the file. So it gets
// the model written anew, with four repairs:
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
