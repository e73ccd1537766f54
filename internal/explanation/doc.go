// Package explanation answers why a model said what it said: for any prediction that
// is stored, and for alarms that one raised.
//
// A prediction is explained by computing it again: its window is recalled from the
// readings (inference/recall) and explained with the trees of the version that made it
// (inference/explain). What cannot be had any more is told as such: ErrVersionGone,
// ErrReadingsGone, ErrNotReproduced.
//
// Alarms outlive predictions and readings, so theirs are stored. A row without an
// answer is made in the transaction that raises the alarm, by the database; a Follower
// fills it in afterwards. So the pipeline waits for no explanation, and none is forgotten:
// any number of processes may have a Follower, and what one was at when it died is
// taken up by the next.
package explanation
