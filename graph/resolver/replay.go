package resolver

import (
	"maps"
	"slices"

	"foresight/graph/model"
	"foresight/internal/bulk"
)

// replayRejections lists why messages of a replay were not admitted, in the order of
// the reasons.
func replayRejections(x *bulk.Replay) []*model.ReplayRejection {
	out := make([]*model.ReplayRejection, 0, len(x.Rejected))
	for _, reason := range slices.Sorted(maps.Keys(x.Rejected)) {
		out = append(out, &model.ReplayRejection{Reason: reason, Count: x.Rejected[reason]})
	}
	return out
}
