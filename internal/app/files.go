package app

import (
	"context"
	"errors"
	"path/filepath"

	"foresight/internal/blob"
	"foresight/internal/secret"
)

// linkKeySize is in bytes.
const linkKeySize = 32

// files are pictures and exports, and links to them.
type files struct {
	store *blob.Store
	links *blob.Links
}

func (a *App) startFiles(ctx context.Context) error {
	f := &a.files
	return a.part(ctx, "files", func(ctx context.Context) (err error) {
		key := []byte(a.cfg.Blob.LinkKey)
		if len(key) == 0 {
			file := filepath.Join(a.cfg.DataDir, "keys", "links.key")
			if key, err = secret.Kept(file, func() ([]byte, error) { return secret.Random(linkKeySize), nil }); err != nil {
				return err
			}
		}
		if f.store, err = a.openBucket(ctx, a.cfg.Blob.URL, "blobs"); err != nil {
			return err
		}
		if f.links, err = blob.NewLinks(f.store, key); err != nil {
			return errors.Join(err, f.store.Close())
		}
		return nil
	}, func(context.Context) error { return f.store.Close() })
}
