package model

import (
	"foresight/ent"
	"foresight/internal/deploy"
)

// The connections of deployments.
type (
	AssetModelBindingConnection  = Connection[*ent.AssetModelVersion]
	AssetModelBindingEdge        = Edge[*ent.AssetModelVersion]
	DeploymentRequestConnection  = Connection[*deploy.Request]
	DeploymentRequestEdge        = Edge[*deploy.Request]
	DeploymentDecisionConnection = Connection[*deploy.Decision]
	DeploymentDecisionEdge       = Edge[*deploy.Decision]
)
