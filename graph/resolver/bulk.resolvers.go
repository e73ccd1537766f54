package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/gqlerr"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/bulk"
	"foresight/internal/fault"

	"github.com/google/uuid"
)

func (r *exportJobResolver) Failure(ctx context.Context, obj *bulk.Export) (*string, error) {
	return failureText(ctx, obj.Failure), nil
}

func (r *exportJobResolver) By(ctx context.Context, obj *bulk.Export) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.By)
}

func (r *exportJobResolver) DownloadPath(ctx context.Context, obj *bulk.Export) (*string, error) {
	return downloadPath(obj), nil
}

func (r *importJobResolver) Failure(ctx context.Context, obj *bulk.Import) (*string, error) {
	return failureText(ctx, obj.Failure), nil
}

func (r *importJobResolver) By(ctx context.Context, obj *bulk.Import) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.By)
}

func (r *importJobResolver) Created(ctx context.Context, obj *bulk.Import) (*model.ImportCounts, error) {
	return &model.ImportCounts{Sites: obj.Created[bulk.Site], Gateways: obj.Created[bulk.Gateway],
		Assets: obj.Created[bulk.Asset], Sensors: obj.Created[bulk.Sensor]}, nil
}

func (r *importJobResolver) Mistakes(ctx context.Context, obj *bulk.Import, limit int) ([]*bulk.Mistake, error) {
	if limit < 1 || limit > bulk.MaxMistakes {
		return nil, fault.Invalid("limit", "error.page.size").With("Max", bulk.MaxMistakes)
	}
	return pointers(obj.Mistakes[:min(limit, len(obj.Mistakes))]), nil
}

func (r *importMistakeResolver) Column(ctx context.Context, obj *bulk.Mistake) (*string, error) {
	return orNone(obj.Column), nil
}

func (r *importMistakeResolver) Message(ctx context.Context, obj *bulk.Mistake) (string, error) {
	return gqlerr.LocalizerFrom(ctx).Error(obj.Fault()), nil
}

func (r *importMistakeResolver) Code(ctx context.Context, obj *bulk.Mistake) (gqlerr.UserErrorCode, error) {
	return gqlerr.UserErrorCode(obj.Code), nil
}

func (r *mutationResolver) ImportAssets(ctx context.Context, input model.ImportAssetsInput) (*model.ImportAssetsPayload, error) {
	j, err := r.Bulk.StartImport(ctx, bulk.ImportRequest{Upload: input.UploadID, DryRun: input.DryRun, Partial: input.Partial, Existing: input.Existing})
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.ImportAssetsPayload{Job: j, UserErrors: mistakes}, err
}

func (r *mutationResolver) Export(ctx context.Context, input model.ExportInput) (*model.ExportPayload, error) {
	j, err := r.Bulk.StartExport(ctx, bulk.ExportRequest{Kind: input.Kind, Format: input.Format, Filter: exportFilter(input.Filter.Value())})
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.ExportPayload{Job: j, UserErrors: mistakes}, err
}

func (r *queryResolver) Jobs(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[bulk.Job], error) {
	return model.NewConnection(r.Bulk.Jobs(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *subscriptionResolver) ImportProgress(ctx context.Context, jobID uuid.UUID) (<-chan *bulk.Watched[*bulk.Import], error) {
	return watchJob(ctx, r.Bulk, jobID, r.Bulk.Import)
}

func (r *subscriptionResolver) ExportProgress(ctx context.Context, jobID uuid.UUID) (<-chan *bulk.Watched[*bulk.Export], error) {
	return watchJob(ctx, r.Bulk, jobID, r.Bulk.Export)
}

func (r *Resolver) ExportJob() generated.ExportJobResolver { return &exportJobResolver{r} }

func (r *Resolver) ImportJob() generated.ImportJobResolver { return &importJobResolver{r} }

func (r *Resolver) ImportMistake() generated.ImportMistakeResolver { return &importMistakeResolver{r} }

type (
	exportJobResolver     struct{ *Resolver }
	importJobResolver     struct{ *Resolver }
	importMistakeResolver struct{ *Resolver }
)
