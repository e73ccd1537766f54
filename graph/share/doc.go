// Package share runs a subscription once for all who ask for the same.
//
// Operations are the same when document, operation name, variables and View agree:
// who sees the same sees the same bytes. A group is the one execution of such an
// operation: it takes items from its source, has each encoded once, and offers the
// bytes to all of its subscribers (Sink), never waiting for one.
//
// # How a subscriber joins
//
// A subscription begins with a snapshot, which is each subscriber's own, and goes on
// live without a hole or a double between the two:
//
//  1. the group listens to its source; it has since its first subscriber,
//  2. the subscriber is made a member, and live items are kept back for it,
//  3. the snapshot is read, after 2, so that it holds whatever was handed out before,
//  4. what was kept back is given, but for what the snapshot holds already.
//
// Subscribers that come while a snapshot is read wait for the next one, which is read
// and encoded once for all of them: when a thousand clients come back at once, they
// cost two or three snapshots.
//
// # How it ends
//
// A group ends with its last subscriber. A subscriber whose rights change comes back
// under another View and so in another group; the others notice nothing.
package share
