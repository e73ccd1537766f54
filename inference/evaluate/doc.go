// Package evaluate judges models: how well scores rank (areas under the curves), what a
// threshold makes of them, whether probabilities are what they say, how early and how
// often a machine is warned of. Beside it stand the models that a champion has to
// beat.
//
// Definitions are the usual ones, of scikit-learn where it has the measure under that
// name. A share without a denominator is NaN, so that nobody takes it for a figure.
// All functions are pure and safe for concurrent use.
package evaluate
