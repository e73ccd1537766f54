// Package e2e tests the product as people, partners and devices meet it: the real
// binary runs in a process of its own with its own data, and everything goes
// through its doors - HTTP, WebSocket, event streams, MQTT and the command line.
// Nothing of the product is called in the process, except to read what is agreed:
// the catalogue, the simulator's machines and the table of permissions.
//
// Two instances of `foresight demo` are shared by the tests: one with the simulator,
// as a person meets it, and one without, in which nothing happens but what a test
// does. Tests that kill the process start their own.
//
// Set FORESIGHT_BIN to test a binary that is there already, FORESIGHT_E2E_LONG to
// measure latency for 20 s rather than 5 s. Figures are printed and never asserted.
package e2e
