package registry

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"foresight/internal/id"
)

// manySensors returns a snapshot of 100 tenants with 1000 sensors each.
func manySensors() (*Snapshot, []*Sensor) {
	var tenants []*Tenant
	var all []*Sensor
	for i := range 100 {
		t := &Tenant{
			ID: id.New(id.Tenant), Code: fmt.Sprintf("tenant-%d", i), Active: true, Retention: time.Hour,
			byID: map[id.UUID]*Sensor{}, byCode: map[string]*Sensor{}, byTopic: map[string]*Sensor{},
		}
		for j := range 1000 {
			s := &Sensor{Code: fmt.Sprintf("pump-%d-vibration", j), SiteCode: "north", AssetType: "pump", Active: true}
			s.Tenant, s.Site, s.Asset, s.Key.Sensor = t.ID, id.New(id.Site), id.New(id.Asset), id.New(id.Sensor)
			t.byID[s.Key.Sensor], t.byCode[s.Code] = s, s
			all = append(all, s)
		}
		tenants = append(tenants, t)
	}
	return newSnapshot(tenants), all
}

func BenchmarkLookup(b *testing.B) {
	s, all := manySensors()
	b.Run("by-codes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			t, ok := s.TenantByCode("tenant-42")
			if !ok {
				b.Fatal("no tenant")
			}
			if _, ok := t.Sensor("pump-117-vibration"); !ok {
				b.Fatal("no sensor")
			}
		}
	})
	b.Run("by-id", func(b *testing.B) {
		b.ReportAllocs()
		k := all[777].Key
		for b.Loop() {
			if _, ok := s.Sensor(k.Tenant, k.Sensor); !ok {
				b.Fatal("no sensor")
			}
		}
	})
}

func BenchmarkMemory(b *testing.B) {
	for range b.N {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s, all := manySensors()
		n := len(all)
		all = nil
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/sensor")
		runtime.KeepAlive(s)
	}
}
