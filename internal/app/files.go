package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"foresight/internal/blob"
)

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
			if key, err = keptKey(filepath.Join(a.cfg.DataDir, "keys", "links.key")); err != nil {
				return err
			}
		}
		bucket := a.cfg.Blob.URL
		if bucket == "" {
			if bucket, err = blob.DirURL(filepath.Join(a.cfg.DataDir, "blobs")); err != nil {
				return err
			}
		}
		if f.store, err = blob.Open(ctx, bucket); err != nil {
			return err
		}
		if f.links, err = blob.NewLinks(f.store, key); err != nil {
			return errors.Join(err, f.store.Close())
		}
		return nil
	}, func(context.Context) error { return f.store.Close() })
}

// keptKey reads a random key of 32 bytes from a file, which it makes when there is
// none. Of processes that begin together with one data directory, one makes it.
func keptKey(file string) ([]byte, error) {
	key, err := os.ReadFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails
	mine := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(mine, fresh, 0o600); err != nil {
		return nil, err
	}
	// A link is made whole and only where there is nothing yet.
	err = os.Link(mine, file)
	if rerr := os.Remove(mine); rerr != nil {
		err = errors.Join(err, rerr)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(file)
}
