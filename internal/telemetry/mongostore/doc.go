// Package mongostore keeps telemetry in MongoDB 6.0 or later: the store of an
// installation whose readings outgrow one PostgreSQL.
//
// # Collections
//
//	telemetry_raw            readings with their messages
//	predictions              what the models said
//	telemetry_rollup_m5/h1/d1  rollups, one collection for each resolution
//	telemetry_sensors        where each sensor was ever heard, for Latest
//
// Every document carries tenant_id, which is the first key of every compound index,
// and has an _id that begins with it: what makes the document unique, as bytes whose
// order is the order in time (see key.go). So one index serves for uniqueness, for the
// lists of a whole tenant and for what is inserted together lying together. Collections
// have JSON-Schema validators; MongoDB itself drops what is older than the retention
// of its collection (TTL), and Forget what a tenant keeps for a shorter time.
//
// # Concerns
//
// Writes are acknowledged by the majority of the replica set, in its journal
// (w: majority, j: true): the pipeline moves its checkpoint after a write, and what it
// has passed must survive the loss of any one server. Reads are of the primary, with
// read concern majority: they see each acknowledged write, and nothing that a change
// of the primary can take back. Both hold whatever the connection string says.
//
// # Writing once
//
// A batch is one unordered insert. A duplicate key says that the document is there;
// the sequences of the first writes are then asked for, all in one further command.
// So a batch of new readings of known sensors is one round trip, and one with
// repetitions is two.
package mongostore
