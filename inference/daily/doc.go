// Package daily is the feature store that failure predictors learn from and are asked
// with: 40 numbers of a machine and a UTC day, over the 7, 30 and 90 days that end with
// it. Training on simulated and on real histories, the nightly scoring of a fleet and
// predictions on demand all call Extract, and nothing else computes a daily feature.
//
// Features are correct in time: Extract takes what happened together with when it
// became known, and leaves out whatever happened after the end of the day or was not
// known at AsOf of the day. Adding anything later to its input changes nothing.
//
// The package computes only; it knows no database and no clock.
package daily
