package access

import "foresight/internal/limit"

// How often callers without a credential may register, ask for a letter or try a
// token, by their address; and how often a person may try the present password.
var (
	strange = limit.Rate{Capacity: 20, PerSecond: 1.0 / 30}
	guesses = limit.Rate{Capacity: 5, PerSecond: 1.0 / 30}
)

// stranger counts a call of somebody without a credential.
func (s *Service) stranger(remote string) error {
	if f := s.strange.Take(limit.Client(remote)); f != nil {
		return f
	}
	return nil
}
