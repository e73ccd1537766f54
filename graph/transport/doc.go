// Package transport carries GraphQL operations over HTTP, server-sent events and
// WebSocket, as gqlgen transports.
//
//   - HTTP: the GraphQL-over-HTTP draft, POST and GET, application/json and
//     application/graphql-response+json.
//   - SSE: graphql-sse, distinct connections mode.
//   - WebSocket: graphql-transport-ws.
//
// # How WebSocket connections end
//
// Every end has a close code. The client reconnects after those marked *, with a
// fresh token after 4403.
//
//	1001 * the server is going away
//	1009   a message is larger than the limit
//	1012 * the server restarts; the reason names the milliseconds to wait
//	1013 * the credential could not be checked now
//	4400   a message that the protocol does not know
//	4401   subscribe before connection_ack
//	4403 * the token is not accepted, has expired or was revoked, or the rights changed
//	4406   subprotocol other than graphql-transport-ws
//	4408 * no connection_init in time
//	4409   a subscription of that id is running
//	4410 * the client takes items too slowly and would miss some that must not be missed
//	4429   more than one connection_init
//	4500   an error of the server
//
// # Ordering and back-pressure
//
// The items of one operation arrive in order. All messages of a connection pass one
// bounded outbox and one writer, which works while there is something to write and
// writes at once what waits. A write that is not done within WriteTimeout ends the
// connection.
//
// Subscriptions that are the same run once (package share): their items are encoded
// once and put into the outboxes of all. They wait for nobody. When Backlog of them
// wait for a client, older ones make room, first those about the same as the newest,
// and an item with `resync` tells of it; where none may be left out (alarms) the
// connection ends with 4410. Other operations wait while Queue messages do, so that a
// slow client slows its own sources and nobody else.
//
// An idle connection has one goroutine (and one that waits for its session to be
// revoked) and small buffers.
package transport
