package explanation

import (
	"errors"
	"math"
	"slices"
	"testing"

	"foresight/inference/champion"
	"foresight/inference/features"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

func TestAPredictionIsExplainedAsItWasMade(t *testing.T) {
	w := newWorld(t)
	raws := w.readings(w.acme, 30)
	p := w.prediction(raws[:20])
	// Those behind it are of no account: ten that came in time, one that came late.
	late := raws[2]
	late.IngestID, late.LogSeq, late.Late, late.Timestamp = telemetry.IngestID{9}, 40, true, late.Timestamp.Add(1e8)
	_, err := w.store.WriteReadings(t.Context(), []telemetry.Raw{late})
	w.ok(err)

	ctx := w.acme.As(t.Context(), tenancy.Viewer)
	got, err := w.service.Prediction(ctx, p.ID, "", 5)
	w.ok(err)
	e, err := w.shelf.Explainer(ctx, champion.FaultClassifier().Hash())
	w.ok(err)
	class := slices.Index(e.Manifest.Classes, p.Label)
	want, err := e.Model().Explain(p.x[:], class, 5)
	w.ok(err)
	if got.Code != p.Label || got.VersionLabel != p.VersionLabel || got.Margin != want.Margin || got.Bias != want.Bias || got.Others != want.Others || len(got.Features) != 5 {
		t.Errorf("%+v, want %+v", got, want)
	}
	sum := got.Bias + got.Others
	for i, f := range got.Features {
		sum += f.Contribution
		c := want.Top[i]
		if f.Feature != features.Name(c.Feature) || f.Contribution != c.Margin || (f.Value == nil) != (c.Value != c.Value) || f.Value != nil && *f.Value != float64(c.Value) {
			t.Errorf("%d: %+v, want %+v", i, f, c)
		}
	}
	if math.Abs(sum-got.Margin) > 1e-9 {
		t.Errorf("sum %v, margin %v", sum, got.Margin)
	}
	other := e.Manifest.Classes[(class+1)%len(e.Manifest.Classes)]
	if got, err := w.service.Prediction(ctx, p.ID, other, 50); err != nil || got.Code != other || got.Margin >= want.Margin || len(got.Features) > 50 {
		t.Errorf("%s: %+v, %v", other, got, err)
	}
	if same, err := w.service.Features(ctx, p.VersionID, p.VersionLabel, &p.x, p.Label, 5); err != nil || same.Margin != got.Margin {
		t.Errorf("features by hand: %+v, %v", same, err)
	}
}

func TestWhoMayHaveAPredictionExplained(t *testing.T) {
	w := newWorld(t)
	p := w.prediction(w.readings(w.acme, 14))
	elsewhere := *tenancy.From(w.acme.As(t.Context(), tenancy.Viewer))
	elsewhere.SiteIDs = []id.UUID{id.New(id.Site)}
	nobody := elsewhere
	nobody.Scopes, nobody.SiteIDs = tenancy.NewSet(tenancy.AlarmsRead), nil
	viewer := w.acme.As(t.Context(), tenancy.Viewer)
	for name, err := range map[string]error{
		"another tenant":  second(w.service.Prediction(w.globex.As(t.Context(), tenancy.Admin), p.ID, "", 5)),
		"another site":    second(w.service.Prediction(tenancy.With(t.Context(), &elsewhere), p.ID, "", 5)),
		"no such":         second(w.service.Prediction(viewer, id.New(id.Prediction), "", 5)),
		"another version": second(w.service.Features(w.globex.As(t.Context(), tenancy.Admin), id.New(id.MLModelVersion), "", &p.x, p.Label, 5)),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.service.Prediction(tenancy.With(t.Context(), &nobody), p.ID, "", 5); !fault.Is(err, fault.Forbidden) {
		t.Errorf("without the permission: %v", err)
	}
	for _, top := range []int{0, -1, MaxTop + 1} {
		if _, err := w.service.Prediction(viewer, p.ID, "", top); !fault.Is(err, fault.BadInput) {
			t.Errorf("top %d: %v", top, err)
		}
	}
	if _, err := w.service.Prediction(viewer, p.ID, "rust", 5); !fault.Is(err, fault.BadInput) {
		t.Errorf("a fault that there is not: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestWhatIsGoneIsTold(t *testing.T) {
	w := newWorld(t)
	raws := w.readings(w.acme, 14)
	viewer := w.acme.As(t.Context(), tenancy.Viewer)
	change := func(f func(p *telemetry.FaultPrediction)) id.UUID {
		p := w.prediction(raws)
		f(&p.FaultPrediction)
		p.ID = id.New(id.Prediction)
		p.ID = id.Derive(id.Prediction, p.Timestamp, p.ID[:])
		w.ok(w.store.WritePredictions(t.Context(), []telemetry.FaultPrediction{p.FaultPrediction}))
		return p.ID
	}
	for _, c := range []struct {
		name string
		of   id.UUID
		want *fault.Error
	}{
		{"a version that is no more", change(func(p *telemetry.FaultPrediction) { p.VersionID = id.New(id.MLModelVersion) }), ErrVersionGone},
		{"a reading that is no more", change(func(p *telemetry.FaultPrediction) { p.IngestID[5]++ }), ErrReadingsGone},
		{"another answer", change(func(p *telemetry.FaultPrediction) { p.Label = "made_up" }), ErrNotReproduced},
	} {
		var f *fault.Error
		if _, err := w.service.Prediction(viewer, c.of, "", 5); !errors.As(err, &f) || f.Key != c.want.Key {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}

	p := w.prediction(raws)
	w.sql(`DELETE FROM telemetry_raw WHERE log_seq < 5`)
	var f *fault.Error
	if _, err := w.service.Prediction(viewer, p.ID, "", 5); !errors.As(err, &f) || f.Key != ErrReadingsGone.Key {
		t.Errorf("a part of the window: %v", err)
	}
}
