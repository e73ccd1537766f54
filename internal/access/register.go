package access

import (
	"context"

	"foresight/internal/fault"
)

// Register makes a tenant for whoever asks, who becomes its admin. remote is the
// caller's address. Errors: a fault.List or Conflict with fields of the input,
// Forbidden where the installation is closed, RateLimited.
func (s *Service) Register(ctx context.Context, n NewTenant, remote string) (*Founded, error) {
	if !s.c.OpenRegistration {
		return nil, fault.New(fault.Forbidden, "error.access.registrationClosed")
	}
	if err := s.stranger(remote); err != nil {
		return nil, err
	}
	if n.Admin.Password == "" {
		return nil, fault.Invalid("input.password", "error.required")
	}
	n.Plan = ""
	return s.Found(ctx, n, nil)
}
