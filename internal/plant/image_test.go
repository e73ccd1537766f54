package plant_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"slices"
	"testing"

	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

func square(t testing.TB, side int) []byte {
	t.Helper()
	i := image.NewNRGBA(image.Rect(0, 0, side, side))
	for n := range side * side {
		i.SetNRGBA(n%side, n/side, color.NRGBA{R: 200, A: 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, i); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// side reads a picture and returns its width in pixels, 0 when there is none.
func (w *world) side(f *blob.File, err error) int {
	w.Helper()
	if fault.Is(err, fault.NotFound) {
		return 0
	}
	w.ok(err)
	b, err := io.ReadAll(f)
	w.ok(err)
	w.ok(f.Close())
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	w.ok(err)
	return c.Width
}

func TestPictureOfAMachine(t *testing.T) {
	w := newWorld(t)
	ctx, viewer := w.as(tenancy.Engineer), w.as(tenancy.Viewer)
	if got := w.side(w.Image(viewer, w.acme.AssetID)); got != 0 {
		t.Errorf("a machine without a picture has one of %d", got)
	}
	var former string
	for version, side := range []int{30, 40} {
		e, err := w.SetImage(ctx, w.acme.AssetID, ptr(version+1), square(t, side))
		w.ok(err)
		if e.Version != version+2 || e.ImagePath == nil || *e.ImagePath == former {
			t.Errorf("set %v", e)
		}
		if got := w.side(w.Image(viewer, w.acme.AssetID)); got != side {
			t.Errorf("picture of %d, want %d", got, side)
		}
		former = *e.ImagePath
	}
	if got := faults(second(w.SetImage(ctx, w.acme.AssetID, ptr(1), square(t, 50)))); !slices.Equal(got, []string{"CONFLICT error.stale input.expectedVersion"}) {
		t.Errorf("a stale version: %v", got)
	}
	if got := faults(second(w.SetImage(ctx, w.acme.AssetID, nil, []byte("GIF89a")))); !slices.Equal(got, []string{"BAD_USER_INPUT error.image.format input.content"}) {
		t.Errorf("no picture: %v", got)
	}
	if got := w.side(w.Image(viewer, w.acme.AssetID)); got != 40 {
		t.Errorf("after refusals the picture is of %d", got)
	}

	e, err := w.Asset(viewer, &w.acme.AssetID, nil)
	w.ok(err)
	link, err := w.ImageLink(viewer, e)
	w.ok(err)
	if got := w.side(w.ImageByLink(t.Context(), w.acme.AssetID, link)); got != 40 {
		t.Errorf("by its link the picture is of %d", got)
	}
	if got := w.side(w.ImageByLink(t.Context(), w.globex.AssetID, link)); got != 0 {
		t.Error("a link shows the picture of another machine")
	}

	south := w.limited(w.south)
	for name, err := range map[string]error{
		"another tenant sees":    second(w.Image(w.globex.As(t.Context(), tenancy.Admin), w.acme.AssetID)),
		"another site sees":      second(w.Image(south, w.acme.AssetID)),
		"another tenant sets":    second(w.SetImage(w.globex.As(t.Context(), tenancy.Admin), w.acme.AssetID, nil, square(t, 5))),
		"another site sets":      second(w.SetImage(south, w.acme.AssetID, nil, square(t, 5))),
		"another tenant deletes": second(w.DeleteImage(w.globex.As(t.Context(), tenancy.Admin), w.acme.AssetID, nil)),
		"an unknown one":         second(w.SetImage(ctx, id.New(id.Asset), nil, square(t, 5))),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"a viewer sets":    second(w.SetImage(viewer, w.acme.AssetID, nil, square(t, 5))),
		"a viewer deletes": second(w.DeleteImage(viewer, w.acme.AssetID, nil)),
		"alarms only":      second(w.Image(w.holding(tenancy.AlarmsRead), w.acme.AssetID)),
	} {
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}

	e, err = w.DeleteImage(ctx, w.acme.AssetID, ptr(3))
	w.ok(err)
	if e.ImagePath != nil || w.side(w.Image(viewer, w.acme.AssetID)) != 0 || w.side(w.ImageByLink(t.Context(), w.acme.AssetID, link)) != 0 {
		t.Error("a deleted picture is still shown")
	}
}

func second[T any](_ T, err error) error { return err }
