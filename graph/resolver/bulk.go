package resolver

import (
	"context"

	"foresight/graph/gqlerr"
	"foresight/graph/model"
	"foresight/internal/bulk"
	"foresight/internal/fault"
)

// failureText is why a job failed, nil when it did not.
func failureText(ctx context.Context, f *fault.Error) *string {
	if f == nil {
		return nil
	}
	s := gqlerr.LocalizerFrom(ctx).Error(f)
	return &s
}

// downloadPath is where the HTTP door gives the file of an export, nil for none.
func downloadPath(e *bulk.Export) *string {
	if e.ExpiresAt() == nil {
		return nil
	}
	p := "/exports/" + e.ID.String()
	return &p
}

func exportFilter(in *model.ExportFilter) bulk.ExportFilter {
	if in == nil {
		return bulk.ExportFilter{}
	}
	return bulk.ExportFilter{Site: in.SiteID.Value(), Asset: in.AssetID.Value(), From: in.From.Value(), To: in.To.Value()}
}
