package plant

import (
	"context"
	"errors"

	"foresight/internal/fault"
	"foresight/internal/id"
)

// Finder tells on which site a thing stands that a spec refers to, and false when it is
// not there for the actor.
type Finder func(ctx context.Context, entity string, of id.UUID) (site id.UUID, found bool, err error)

// CheckSite brings a new site into the form in which it is kept, and returns what is
// wrong with it: the rules of CreateSite, for those who add many at once.
func CheckSite(s *SiteSpec) (fault.List, error) { return mistakes(s.check()) }

// CheckGateway is CheckSite for a gateway.
func CheckGateway(ctx context.Context, s *GatewaySpec, find Finder) (fault.List, error) {
	return mistakes(s.check(ctx, work{find: find}))
}

// CheckAsset is CheckSite for a machine.
func CheckAsset(ctx context.Context, s *AssetSpec, find Finder) (fault.List, error) {
	return mistakes(s.check(ctx, work{find: find}, nil))
}

// CheckSensor is CheckSite for a sensor.
func CheckSensor(ctx context.Context, s *SensorSpec, find Finder) (fault.List, error) {
	return mistakes(s.check(ctx, work{find: find}, nil))
}

// mistakes parts what is wrong with an input from what went wrong.
func mistakes(err error) (fault.List, error) {
	if l := (fault.List)(nil); errors.As(err, &l) {
		return l, nil
	}
	return nil, err
}
