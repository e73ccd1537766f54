package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
)

// cabinet is one export, and what was uploaded last.
type cabinet struct {
	export  id.UUID
	content io.Reader
	size    int64
	name    string
	taken   string
}

func (c *cabinet) Upload(_ context.Context, name string, content io.Reader) (bulk.Upload, error) {
	b, err := io.ReadAll(content)
	if err != nil {
		return bulk.Upload{}, fault.New(fault.BadInput, "error.import.interrupted").Because(err)
	}
	if len(b) > 100 {
		return bulk.Upload{}, fault.New(fault.BadInput, "error.import.tooLarge")
	}
	c.name, c.taken = name, string(b)
	return bulk.Upload{ID: id.New(id.Upload), Name: name, Size: int64(len(b))}, nil
}

func (c *cabinet) UploadModel(ctx context.Context, name string, content io.Reader) (bulk.Upload, error) {
	return c.Upload(ctx, "model "+name, content)
}

func (c *cabinet) Open(_ context.Context, of id.UUID) (*bulk.Download, error) {
	if of != c.export {
		return nil, fault.Missing("ExportJob")
	}
	return &bulk.Download{ReadCloser: io.NopCloser(c.content), Name: `assets "1".csv`, ContentType: "text/csv; charset=utf-8", Size: c.size}, nil
}

func TestFilesComeAndGo(t *testing.T) {
	large := strings.Repeat("0123456789", 100_000)
	files := &cabinet{export: id.New(id.ExportJob), content: strings.NewReader(large), size: int64(len(large))}
	s, _, _ := newAPI(t, func(c *Config) { c.Files, c.MaxUpload, c.MaxModel = files, 100, 100 })
	send := func(method, path, contentType, body string) (*http.Response, string) {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", contentType)
		res, err := s.Client().Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body) // ends early in one case
		return res, string(b)
	}
	if res, body := send("POST", "/uploads?name=plant.csv", "text/csv", "kind,code\n"); res.StatusCode != http.StatusCreated ||
		!strings.Contains(body, `"id":"`) || files.taken != "kind,code\n" || files.name != "plant.csv" {
		t.Errorf("upload: %d %s, took %q as %q", res.StatusCode, body, files.taken, files.name)
	}
	if res, body := send("POST", "/uploads/models?name=a.json", "application/json", "{}"); res.StatusCode != http.StatusCreated || files.taken != "{}" || files.name != "model a.json" {
		t.Errorf("a model: %d %s, took %q as %q", res.StatusCode, body, files.taken, files.name)
	}
	for contentType, want := range map[string]int{"text/csv": 400, "multipart/form-data; boundary=x": 415, "application/x-www-form-urlencoded": 415} {
		if res, body := send("POST", "/uploads", contentType, strings.Repeat("x", 5000)); res.StatusCode != want {
			t.Errorf("5000 bytes of %s: %d %s", contentType, res.StatusCode, body)
		}
	}
	res, body := send("GET", "/exports/"+files.export.String(), "", "")
	if res.StatusCode != 200 || body != large || res.ContentLength != int64(len(large)) || res.Header.Get("Content-Disposition") != `attachment; filename="assets \"1\".csv"` ||
		res.Header.Get("Cache-Control") != "private, no-store" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("download: %d, %d bytes, %v", res.StatusCode, len(body), res.Header)
	}
	for path, want := range map[string]int{"/exports/" + id.New(id.ExportJob).String(): 404, "/exports/1": 404, "/uploads/template.csv": 200} {
		if res, body := send("GET", path, "", ""); res.StatusCode != want {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	// A file that breaks off must not look whole.
	files.content = io.MultiReader(strings.NewReader(large[:600_000]), iotest.ErrReader(errors.New("the disk is gone")))
	res, body = send("GET", "/exports/"+files.export.String(), "", "")
	if int64(len(body)) == res.ContentLength {
		t.Errorf("%d bytes of %d", len(body), res.ContentLength)
	}
}
