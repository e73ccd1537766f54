package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/obs"
)

// Files takes files to import and gives exported ones. *bulk.Service does.
type Files interface {
	Upload(ctx context.Context, name string, content io.Reader) (bulk.Upload, error)
	UploadModel(ctx context.Context, name string, content io.Reader) (bulk.Upload, error)
	Open(ctx context.Context, export id.UUID) (*bulk.Download, error)
}

// upload takes a file to import: POST /uploads?name=plant.csv.
func (a *API) upload(w http.ResponseWriter, r *http.Request) { a.keep(w, r, a.c.Files.Upload) }

// uploadModel takes a model: POST /uploads/models?name=model.json.
func (a *API) uploadModel(w http.ResponseWriter, r *http.Request) {
	a.keep(w, r, a.c.Files.UploadModel)
}

// keep takes a file as the body and answers with its id.
func (a *API) keep(w http.ResponseWriter, r *http.Request, store func(context.Context, string, io.Reader) (bulk.Upload, error)) {
	// A form would be kept with its boundaries.
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); strings.HasPrefix(t, "multipart/") || t == "application/x-www-form-urlencoded" {
		a.refuse(w, r, http.StatusUnsupportedMediaType, fault.New(fault.BadInput, "error.import.contentType"))
		return
	}
	u, err := store(r.Context(), r.URL.Query().Get("name"), r.Body)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	b, err := json.Marshal(map[string]any{"id": u.ID, "name": u.Name, "size": u.Size, "expiresAt": u.ExpiresAt.Format(time.RFC3339)})
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(b) // the client has gone
}

// template gives a file to fill in: GET /uploads/template.csv.
func template(w http.ResponseWriter, _ *http.Request) {
	attach(w, "text/csv; charset=utf-8", "plant.csv")
	_, _ = w.Write(bulk.Template()) // the client has gone
}

// downloadStall is how long a client may take none of a download.
const downloadStall = 60 * time.Second

// download gives the file of an export: GET /exports/{id}.
func (a *API) download(w http.ResponseWriter, r *http.Request) {
	which, err := id.Parse(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, fault.Missing("ExportJob").Because(err))
		return
	}
	d, err := a.c.Files.Open(r.Context(), which)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	defer d.Close()
	attach(w, d.ContentType, d.Name)
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Set("Content-Length", strconv.FormatInt(d.Size, 10))
	if r.Method == http.MethodHead {
		return
	}
	if err := trickle(w, d); err != nil {
		// The length tells the client that something is missing.
		a.c.Log.InfoContext(r.Context(), "download broke off", "export", which, "error", err, "request_id", obs.RequestID(r.Context()))
		panic(http.ErrAbortHandler)
	}
}

// trickle copies for as long as the client goes on taking: the server's deadline for a
// whole answer is meant for short ones.
func trickle(w http.ResponseWriter, from io.Reader) error {
	rc := http.NewResponseController(w)
	for {
		if err := rc.SetWriteDeadline(time.Now().Add(downloadStall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		switch _, err := io.CopyN(w, from, 256<<10); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// attach says that the answer is a file to be saved.
func attach(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}
