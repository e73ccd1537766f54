// Package loadtest measures the product from outside: it publishes readings over MQTT
// on a schedule, watches the graph's subscriptions, and reads back what was stored.
//
// # Open loop
//
// Message i is due at a time that is fixed before the run, start + i/rate. Latency
// counts from that time, not from when the generator came round to sending: a product
// that stalls for a second shows it in every message that was due meanwhile
// (no coordinated omission). With rate 0 the loop is closed instead: every connection
// sends as fast as its window of unacknowledged messages lets it, which measures
// capacity, and no latency is reported.
//
// # Identity
//
// The event time of a message is its due time in whole milliseconds, and a sensor's
// messages are at least minSpacing apart: (sensor, event time) names the message. What
// comes in a frame or out of the store is found in the schedule by calculation, and
// loss, duplicates and order are judged message by message: a reading that the product
// has flagged late was processed behind a newer one of its sensor, and the generator
// sends a sensor's readings in order over one connection.
package loadtest
