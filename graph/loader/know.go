package loader

import "foresight/internal/plant"

// Know gives the batches what a list has read beside its machines, so that the
// fields of the machines need not ask for it.
func (l *Loaders) Know(neighbours []plant.Neighbour, with plant.Beside) {
	for _, n := range neighbours {
		l.Asset.l.Prime(n.Asset.ID, n.Asset)
		l.AssetEver.l.Prime(n.Asset.ID, n.Asset)
		if with.Site && n.Site != nil {
			l.SiteEver.l.Prime(n.Site.ID, n.Site)
		}
		if with.Health {
			l.Health.l.Prime(n.Asset.ID, n.Health)
		}
		if with.Alarms {
			l.AssetLoad.l.Prime(n.Asset.ID, n.Alarms)
		}
		if with.Seen {
			l.AssetSeen.l.Prime(n.Asset.ID, n.Seen)
		}
	}
}
