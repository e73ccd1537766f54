// Package deploy decides which version of a model serves whom.
//
// A deployment is a time in which a version serves a tenant: in production, as a canary
// for a share of the machines, or as a shadow, which predicts beside what serves and is
// never acted upon. Of each model at most one deployment of each stage is open. A binding
// is the same for one machine, and comes before the tenant's own.
//
// Every change closes what it takes the place of and opens the new one in one
// transaction, with the stages of the versions and the entries in the audit log; change
// notices tell the registries of all processes, which swap what they hold in one step
// (inference.Registry). A change rests on what was open when it was asked for: of several
// at once one wins, and the others are told fault.Conflict. A version is loaded and
// checked before it is deployed, so that none is deployed that cannot answer.
//
//	staging ──▶ canary ──▶ production ──▶ archived
//	   ▲          │                          │
//	   └──────────┘ ended     rolled back ◀──┘ (back to production)
//
// Whoever may write models asks for a deployment, and whoever may deploy approves
// (requests.go). What a candidate does is compared with what production does (compare.go)
// and judged by the model's policy (decide.go), which may promote canaries step by step
// and take back what does harm (evaluate.go); each decision is kept with its reasons.
package deploy
