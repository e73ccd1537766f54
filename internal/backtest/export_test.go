package backtest

import (
	"context"

	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
)

// Run works a backtest as its job does, for the actor.
func Run(ctx context.Context, s *Service, which id.UUID) error {
	return s.run(ctx, args{behalf(ctx), which})
}

// Sweep is the job that looks after a backtest.
func Sweep(ctx context.Context, s *Service, which id.UUID) error {
	return s.sweep(ctx, sweepArgs{behalf(ctx), which})
}

func behalf(ctx context.Context) jobs.Behalf {
	b, err := jobs.Of(ctx, tenancy.RulesRead)
	if err != nil {
		panic(err)
	}
	return b
}
