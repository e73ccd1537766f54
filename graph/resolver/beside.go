package resolver

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"foresight/internal/plant"
)

// beside returns what the client selected on the machines of the present list that
// the list can read along with them.
func beside(ctx context.Context) (with plant.Beside) {
	op := graphql.GetOperationContext(ctx)
	var look func(fields []graphql.CollectedField)
	look = func(fields []graphql.CollectedField) {
		for _, f := range fields {
			switch f.Name {
			case "nodes", "node", "edges":
				look(graphql.CollectFields(op, f.Selections, []string{"AssetEdge", "Asset", "Node"}))
			case "site":
				with.Site = true
			case "health":
				with.Health = true
			case "activeAlarmCount", "worstSeverity":
				with.Alarms = true
			case "lastSeenAt":
				with.Seen = true
			}
		}
	}
	look(graphql.CollectFieldsCtx(ctx, nil))
	return with
}
