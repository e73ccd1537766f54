// Package audit keeps the record of who changed what: an append-only table that the
// role of requests may add to and read, but neither change nor empty.
//
// An entry is written in the transaction of the change it tells of; one is not
// stored without the other. Changes through the ORM are recorded by Hook, which
// package postgres puts on every client. Hand-written statements are recorded by
// Record or Queue, called in the same transaction, which take many entries at once.
//
// Who acted, from which address and in which request come from the context. Values
// before and after stand beside each column that differs; of secrets only that they
// differ. What the database deletes along with a thing, such as the sensors of a
// machine, has no entry of its own.
package audit
