// Package chaos kills, pauses, cuts and fills up the real thing, under load, and counts
// what became of every message: the product's binary in processes of its own, one for
// each role, a durable PostgreSQL, and three NATS servers in processes as one cluster
// with TLS and a log of three copies.
//
// Gateways publish by MQTT with many messages on their way, and send again, in order,
// what was not acknowledged when a connection broke. After each fault is checked, message by
// message against the database:
//
//   - acknowledged and stored: none is missing, none is there twice;
//   - order: the first writes of a sensor stand in the log in the order in which they
//     were sent;
//   - alarms: each sensor's events and transitions are those that its stored readings
//     give, and a subscriber on a process of the API got every transition once.
//
// Counts are asserted. Times to recover, memory and latency are printed as lines that
// begin with FIGURE; those that the specification bounds are asserted in the long form
// alone, which has the machine to itself.
//
// FORESIGHT_CHAOS_LOGS is a directory in which the processes' logs are kept.
//
// The tests share one installation and run one after the other, each on what the one
// before has left. FORESIGHT_CHAOS_LONG makes loads and outages long (`make chaos`);
// FORESIGHT_BIN names a binary to test that is there already.
//
// What lies elsewhere: the whole process with everything embedded is killed under load
// in internal/e2e (TestKilledUnderLoad), slow clients are in internal/e2e
// (TestSlowSubscriber…) and in graph/transport.
package chaos
