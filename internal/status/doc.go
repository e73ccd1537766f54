// Package status tells how the installation stands: which processes there are, who owns
// the partitions of the log and how far behind each is, how full the log is.
//
// Everything comes from what is stored - the rows of the processes and leases, the
// checkpoints, the streams - so that any process can tell it of all. Nothing of it is a
// tenant's.
package status
