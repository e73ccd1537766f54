// Package inference turns windows of readings into fault predictions.
//
// A Model is a checked artifact that computes; Activate is the gate that every
// artifact must pass. The Registry knows which version serves which asset and keeps
// the loaded models; the Service puts the two together, guarded, and is what the
// pipeline and the graph call. One code path serves stream, on-demand, batch and
// replay.
//
// All types are safe for concurrent use.
package inference
