package model

// Node is what has an id: every entity of the graph is one.
type Node any
