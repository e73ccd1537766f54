package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"foresight/ent"
	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant/picture"
	"foresight/internal/tenancy"
)

// album is one picture in memory.
type album struct {
	asset id.UUID
	name  string
	file  []byte
	actor *tenancy.Actor // who asked last
}

func (a *album) Image(ctx context.Context, asset id.UUID) (*blob.File, error) {
	a.actor = tenancy.From(ctx)
	if asset != a.asset {
		return nil, fault.Missing("File")
	}
	return &blob.File{Info: blob.Info{Name: a.name, ContentType: "image/png", Size: int64(len(a.file)), ModTime: time.Unix(1, 0)},
		ReadCloser: io.NopCloser(bytes.NewReader(a.file))}, nil
}

func (a *album) ImageByLink(ctx context.Context, asset id.UUID, token string) (*blob.File, error) {
	if token != "good" {
		return nil, fault.Missing("File")
	}
	return a.Image(ctx, asset)
}

func (a *album) SetImage(ctx context.Context, asset id.UUID, _ *int, file []byte) (*ent.Asset, error) {
	a.actor = tenancy.From(ctx)
	if bytes.HasPrefix(file, []byte("GIF")) {
		return nil, fault.New(fault.BadInput, "error.image.format")
	}
	a.file, a.name = file, a.name+"x"
	return &ent.Asset{ID: asset}, nil
}

func TestPictures(t *testing.T) {
	pictures := &album{asset: id.New(id.Asset), name: "images/1/abc.png", file: []byte("pixels")}
	site := id.New(id.Site)
	who := &tenancy.Actor{Kind: tenancy.Person, ID: id.New(id.User), TenantID: id.New(id.Tenant), Scopes: tenancy.NewSet(tenancy.PlantRead),
		OnSites: map[tenancy.Permission][]id.UUID{tenancy.PlantWrite: {site}}}
	s, _, log := newAPI(t, func(c *Config) {
		c.Images, c.Auth = pictures, gate{who}
		c.Message = func(_ context.Context, f *fault.Error) string { return "text of " + f.Key }
	})
	path := "/assets/" + pictures.asset.String() + "/image"
	good := []string{"Authorization", "Bearer good"}

	r := call(t, s, "GET", path, "", good...)
	etag := r.Header.Get("ETag")
	if r.StatusCode != http.StatusOK || r.body != "pixels" || r.Header.Get("Content-Type") != "image/png" || etag != `"abc.png"` ||
		r.Header.Get("Cache-Control") != "private, no-cache" || r.Header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "default-src 'none'") || pictures.actor.ID != who.ID {
		t.Errorf("shown: %d %q %v", r.StatusCode, r.body, r.Header)
	}
	if r := call(t, s, "GET", path, "", append(good, "If-None-Match", etag)...); r.StatusCode != http.StatusNotModified || r.body != "" {
		t.Errorf("the same: %d %q", r.StatusCode, r.body)
	}
	if r := call(t, s, "GET", path+"?link=good", ""); r.StatusCode != http.StatusOK || !strings.Contains(r.Header.Get("Cache-Control"), "max-age") {
		t.Errorf("by a link: %d %v", r.StatusCode, r.Header)
	}
	if r := call(t, s, "POST", path, "more pixels", good...); r.StatusCode != http.StatusNoContent || string(pictures.file) != "more pixels" ||
		len(pictures.actor.SiteIDs) != 1 || pictures.actor.SiteIDs[0] != site {
		t.Errorf("set: %d %s as %+v", r.StatusCode, pictures.file, pictures.actor)
	}
	if r := call(t, s, "GET", path, "", append(good, "If-None-Match", etag)...); r.StatusCode != http.StatusOK || r.body != "more pixels" {
		t.Errorf("another one: %d %q", r.StatusCode, r.body)
	}
	// Larger than other requests may be.
	if r := call(t, s, "POST", path, strings.Repeat("x", 5000), good...); r.StatusCode != http.StatusNoContent {
		t.Errorf("a large one: %d", r.StatusCode)
	}

	who.Scopes = tenancy.NewSet(tenancy.PlantRead)
	for name, c := range map[string]struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		"nobody reads":      {"GET", path, "", nil, 401, "UNAUTHENTICATED"},
		"nobody writes":     {"POST", path, "x", nil, 401, "UNAUTHENTICATED"},
		"a forged link":     {"GET", path + "?link=bad", "", nil, 404, "NOT_FOUND"},
		"another machine":   {"GET", "/assets/" + id.New(id.Asset).String() + "/image", "", good, 404, "NOT_FOUND"},
		"no id":             {"GET", "/assets/pump/image", "", good, 404, "NOT_FOUND"},
		"a bad file":        {"POST", path, "GIF89a", good, 400, "BAD_USER_INPUT"},
		"too large a file":  {"POST", path, strings.Repeat("x", picture.MaxBytes+1), good, 413, "BAD_USER_INPUT"},
		"from another page": {"POST", path, "x", append(good, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), 403, "FORBIDDEN"},
	} {
		r := call(t, s, c.method, c.path, c.body, c.header...)
		e, _ := r.m["error"].(map[string]any)
		if r.StatusCode != c.status || e["code"] != c.code || !strings.HasPrefix(e["message"].(string), "text of error.") {
			t.Errorf("%s: %d %s, want %d %s", name, r.StatusCode, r.body, c.status, c.code)
		}
	}
	who.OnSites = nil
	if r := call(t, s, "POST", path, "x", good...); r.StatusCode != http.StatusForbidden {
		t.Errorf("without the permission: %d", r.StatusCode)
	}
	// The application's own files and pages are where they were.
	if r := call(t, s, "GET", "/assets/app-1234.js", ""); r.StatusCode != http.StatusOK {
		t.Errorf("a script: %d", r.StatusCode)
	}
	if r := call(t, s, "GET", "/assets/"+pictures.asset.String(), ""); !strings.Contains(r.body, "<script") {
		t.Errorf("a page: %d %q", r.StatusCode, r.body)
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Error(log)
	}
}
