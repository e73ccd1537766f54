// Package explain says why a model of gradient-boosted trees answered as it did: how
// much each feature moved the raw margin of an output away from what the model
// answers on average.
//
// The contributions are exact Shapley values under the path-dependent distribution of
// TreeSHAP (Lundberg et al., From local explanations to global understanding with
// explainable AI for trees, 2020), as XGBoost computes them: a feature that is left
// out sends a row down both branches, weighed by the training rows that went there
// (sum_hessian). They are additive: the bias and the contributions of all features
// sum to the margin. Margins are before softmax or sigmoid and before calibration.
//
// A Model is read from the files that XGBoost 1.x writes, by package booster, which
// refuses what claims too much or is no forest. What is computed is float64; rows are
// float32, NaN missing.
package explain
