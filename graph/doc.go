// Package graph is the GraphQL door: schema, generated execution (generated),
// transports, limits, error mapping and resolvers, each in a package of its own.
package graph
