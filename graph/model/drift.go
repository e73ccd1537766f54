package model

import (
	"foresight/ent"
	"foresight/internal/drift"
)

type (
	DriftReportConnection        = Connection[*ent.DriftReport]
	DriftReportEdge              = Edge[*ent.DriftReport]
	RetrainingProposalConnection = Connection[*drift.Proposal]
	RetrainingProposalEdge       = Edge[*drift.Proposal]
)
