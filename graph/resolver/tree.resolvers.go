package resolver

import (
	"context"
	"foresight/ent/enum"
	"foresight/graph/generated"
	"foresight/internal/plant"
	"foresight/internal/rules"

	"github.com/google/uuid"
)

func (r *assetTreeNodeResolver) WorstSeverity(ctx context.Context, obj *plant.TreeNode) (*rules.Severity, error) {
	return orNone(obj.Severity), nil
}

func (r *assetTreeNodeResolver) WorstHealth(ctx context.Context, obj *plant.TreeNode) (*enum.HealthStatus, error) {
	return orNone(obj.Health), nil
}

func (r *assetTreeSiteResolver) WorstSeverity(ctx context.Context, obj *plant.TreeSite) (*rules.Severity, error) {
	return orNone(obj.Severity), nil
}

func (r *assetTreeSiteResolver) WorstHealth(ctx context.Context, obj *plant.TreeSite) (*enum.HealthStatus, error) {
	return orNone(obj.Health), nil
}

func (r *queryResolver) AssetTree(ctx context.Context, siteID *uuid.UUID, assetID *uuid.UUID, maxDepth int, limit int) (*plant.Tree, error) {
	return r.Plant.Tree(ctx, plant.TreeQuery{Site: siteID, Root: assetID, MaxDepth: maxDepth, Limit: limit})
}

func (r *Resolver) AssetTreeNode() generated.AssetTreeNodeResolver { return &assetTreeNodeResolver{r} }

func (r *Resolver) AssetTreeSite() generated.AssetTreeSiteResolver { return &assetTreeSiteResolver{r} }

type (
	assetTreeNodeResolver struct{ *Resolver }
	assetTreeSiteResolver struct{ *Resolver }
)
