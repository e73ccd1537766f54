package mongostore

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// telemetry_sensors lists every place (site, asset) at which a sensor was heard; Latest
// begins with it. A document is written when a sensor is first heard somewhere, and
// its seen_at once in tellEvery, which costs the hot path next to nothing: what it
// would cost to keep the newest reading of each sensor there is one update a reading.
// MongoDB drops a place when the sensor was silent there for longer than readings are
// kept.
const tellEvery = time.Hour

// maxPlacements bounds the memory of what was told: 72 bytes each.
const maxPlacements = 1 << 20

// placements remembers what this process has told. It is safe for concurrent use.
type placements struct {
	now  func() time.Time
	mu   sync.Mutex
	told map[telemetry.Key]int64 // Unix seconds
}

func newPlacements(now func() time.Time) placements {
	return placements{now: now, told: map[telemetry.Key]int64{}}
}

// untold returns the places of the readings that are due, each once.
func (p *placements) untold(docs []telemetry.Raw) (due []telemetry.Key) {
	now := p.now().Unix()
	p.mu.Lock()
	defer p.mu.Unlock()
	var seen map[telemetry.Key]struct{}
	for i := range docs {
		k := docs[i].Key
		if at, ok := p.told[k]; ok && now-at < int64(tellEvery/time.Second) {
			continue
		}
		if _, twice := seen[k]; twice {
			continue
		}
		if seen == nil {
			seen = map[telemetry.Key]struct{}{}
		}
		seen[k] = struct{}{}
		due = append(due, k)
	}
	return due
}

func (p *placements) done(keys []telemetry.Key) {
	now := p.now().Unix()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.told)+len(keys) > maxPlacements {
		clear(p.told)
	}
	for _, k := range keys {
		p.told[k] = now
	}
}

// forget has a tenant's places told again.
func (p *placements) forget(tenant id.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.told {
		if k.Tenant == tenant {
			delete(p.told, k)
		}
	}
}

// tell writes the places that are due, all in one command.
func (p *placements) tell(ctx context.Context, c *mongo.Collection, docs []telemetry.Raw) error {
	due := p.untold(docs)
	if len(due) == 0 {
		return nil
	}
	models := make([]mongo.WriteModel, len(due))
	for i := range due {
		k := &due[i]
		key := sensorKey(k)
		models[i] = mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(bson.D{{Key: fieldID, Value: bin(key[:])}}).SetUpdate(bson.D{
			{Key: "$setOnInsert", Value: bson.D{{Key: fieldTenant, Value: uuid(k.Tenant)}, {Key: fieldSensor, Value: uuid(k.Sensor)},
				{Key: fieldAsset, Value: uuid(k.Asset)}, {Key: fieldSite, Value: uuid(k.Site)}}},
			{Key: "$currentDate", Value: bson.D{{Key: fieldSeen, Value: true}}}})
	}
	_, err := c.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	if _, err = duplicates(err); err != nil { // a duplicate: another process told it in the same moment
		return err
	}
	p.done(due)
	return nil
}
