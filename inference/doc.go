// Package inference turns windows of readings into fault predictions, and the features
// of a day into probabilities of a failure.
//
// A Model is a checked artifact that computes; Activate is the gate that every
// artifact must pass, and Upload makes an artifact of a model from elsewhere. The
// Registry knows which version of which kind serves which asset, as production version,
// canary or shadow, and keeps the loaded models; the Service puts the two together,
// guarded, and is what the pipeline, the nightly scoring and the graph call. One code
// path serves stream, on-demand, batch and replay.
//
// All types are safe for concurrent use.
package inference
