package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path"

	"foresight/ent"
	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant/picture"
	"foresight/internal/tenancy"
)

// Images keeps the pictures of machines. *plant.Service does.
type Images interface {
	Image(ctx context.Context, asset id.UUID) (*blob.File, error)
	ImageByLink(ctx context.Context, asset id.UUID, token string) (*blob.File, error)
	SetImage(ctx context.Context, asset id.UUID, expected *int, file []byte) (*ent.Asset, error)
}

// linkParam is the query parameter with the token that stands in for a credential: an
// element of a page cannot send one.
const linkParam = "link"

// image shows the picture of a machine: GET /assets/{id}/image.
func (a *API) image(w http.ResponseWriter, r *http.Request) {
	f, linked, err := a.openImage(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, picture.MaxBytes))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.ContentType)
	h.Set("ETag", `"`+path.Base(f.Name)+`"`) // another picture has another name
	h.Set("Cache-Control", "private, no-cache")
	if linked { // which goes to this one picture
		h.Set("Cache-Control", "private, max-age=3600, immutable")
	}
	http.ServeContent(w, r, "", f.ModTime, bytes.NewReader(content))
}

func (a *API) openImage(r *http.Request) (f *blob.File, linked bool, err error) {
	asset, err := id.Parse(r.PathValue("id"))
	if err != nil {
		return nil, false, fault.Missing("Asset").Because(err)
	}
	if token := r.URL.Query().Get(linkParam); token != "" {
		f, err = a.c.Images.ImageByLink(r.Context(), asset, token)
		return f, true, err
	}
	ctx, err := under(r.Context(), tenancy.PlantRead)
	if err != nil {
		return nil, false, err
	}
	f, err = a.c.Images.Image(ctx, asset)
	return f, false, err
}

// setImage takes a JPEG or PNG file as the body: POST /assets/{id}/image.
func (a *API) setImage(w http.ResponseWriter, r *http.Request) {
	asset, err := id.Parse(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, fault.Missing("Asset").Because(err))
		return
	}
	ctx, err := under(r.Context(), tenancy.PlantWrite)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	file, err := io.ReadAll(r.Body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		a.refuse(w, r, http.StatusRequestEntityTooLarge, fault.New(fault.BadInput, "error.image.tooLarge").With("Max", picture.MaxBytes>>20))
		return
	}
	if err != nil { // the sender has gone
		a.fail(w, r, fault.New(fault.BadInput, "error.image.format").Because(err))
		return
	}
	if _, err := a.c.Images.SetImage(ctx, asset, nil, file); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// under narrows the actor to where it holds the permission.
func under(ctx context.Context, p tenancy.Permission) (context.Context, error) {
	actor := tenancy.From(ctx)
	if actor == nil {
		return nil, tenancy.Require(ctx, p)
	}
	narrowed, err := actor.Under(p)
	if err != nil {
		return nil, err
	}
	return tenancy.With(ctx, narrowed), nil
}

// statuses of HTTP by the kind of a fault.
var statuses = map[fault.Kind]int{
	fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound,
	fault.BadInput: http.StatusBadRequest, fault.Conflict: http.StatusConflict, fault.RateLimited: http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable,
}

// fail answers with a service's error. What is no fault is logged and not told.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.New(fault.Internal, "error.internal").Because(err)
	errors.As(err, &f)
	status, ok := statuses[f.Kind]
	if !ok {
		status = http.StatusInternalServerError
		a.c.Log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	}
	a.refuse(w, r, status, f)
}
