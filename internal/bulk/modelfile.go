package bulk

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// UploadModel keeps a model file until it becomes a version or expires. Models are the
// whole tenant's: who is limited to sites sends none.
func (s *Service) UploadModel(ctx context.Context, name string, content io.Reader) (Upload, error) {
	if err := wholeTenant(ctx); err != nil {
		return Upload{}, err
	}
	return s.take(ctx, purpose{"model", tenancy.ModelsWrite, s.Limits.MaxModel, "model"}, name, content)
}

// ModelFile returns the content of an upload that is to become a version.
func (s *Service) ModelFile(ctx context.Context, upload id.UUID) (content []byte, err error) {
	if err := wholeTenant(ctx); err != nil {
		return nil, err
	}
	err = s.App.QueryRow(ctx, `SELECT content FROM uploads WHERE tenant_id = $1 AND id = $2 AND purpose = 'model'`,
		tenancy.Must(ctx).TenantID, upload).Scan(&content)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.Missing("Upload")
	}
	if err != nil {
		return nil, fmt.Errorf("bulk: %w", err)
	}
	return content, nil
}

// DropModelFile deletes an upload that has become a version.
func (s *Service) DropModelFile(ctx context.Context, upload id.UUID) error {
	if err := wholeTenant(ctx); err != nil {
		return err
	}
	if _, err := s.App.Exec(ctx, `DELETE FROM uploads WHERE tenant_id = $1 AND id = $2 AND purpose = 'model'`, tenancy.Must(ctx).TenantID, upload); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	return nil
}

func wholeTenant(ctx context.Context) error {
	if err := tenancy.Require(ctx, tenancy.ModelsWrite); err != nil {
		return err
	}
	if len(tenancy.Must(ctx).SiteIDs) > 0 {
		return fault.Denied(string(tenancy.ModelsWrite))
	}
	return nil
}
