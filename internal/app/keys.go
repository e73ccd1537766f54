package app

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"foresight/internal/auth"
	"foresight/internal/config"
)

// lookForKeys is how often a process looks for rotated signing keys.
const lookForKeys = 5 * time.Second

// keysOverlap is how much longer than its tokens live a key verifies that signs no
// more: time for all processes to take up the next one.
const keysOverlap = 10 * time.Minute

// KeyFile returns the file of the signing keys.
func KeyFile(cfg *config.Config) string {
	if cfg.Auth.KeyFile != "" {
		return cfg.Auth.KeyFile
	}
	return filepath.Join(cfg.DataDir, "keys", "signing.json")
}

// KeyOverlap returns how long a key verifies after a rotation.
func KeyOverlap(cfg *config.Config) time.Duration { return cfg.Auth.AccessTTL + keysOverlap }

func signingKeys(cfg *config.Config) (*auth.Keys, error) {
	if cfg.Auth.HS256Key != "" {
		return auth.HS256Keys([]byte(cfg.Auth.HS256Key))
	}
	file := KeyFile(cfg)
	if cfg.Auth.KeyFile == "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
	}
	return auth.OpenKeys(file)
}

// followKeys takes up rotated keys while the process runs.
func (a *App) followKeys(ctx context.Context, keys *auth.Keys) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	return a.part(ctx, "signing keys", func(context.Context) error {
		go func() {
			defer close(done)
			keys.Follow(run, lookForKeys, a.log)
		}()
		return nil
	}, func(context.Context) error {
		cancel()
		<-done
		return nil
	})
}
