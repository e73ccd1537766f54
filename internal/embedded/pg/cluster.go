package pg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// ErrVersion says that the cluster was made by a major version of which no
// binaries are at hand. The cluster is left as it is.
var ErrVersion = errors.New("postgres: cluster of another major version")

// maxSocketPath is what fits into sockaddr_un.sun_path with its closing zero:
// 108 bytes on Linux, 104 on the BSDs and macOS.
var maxSocketPath = map[string]int{"linux": 107}[runtime.GOOS]

func init() {
	if maxSocketPath == 0 {
		maxSocketPath = 103
	}
}

// chooseBinaries takes the best installation, for an existing cluster the best of
// its major version.
func (s *Server) chooseBinaries(ctx context.Context) (Binaries, error) {
	found, err := FindBinaries(ctx, s.opt.BinDir, s.opt.NPMDir)
	if err != nil {
		return Binaries{}, err
	}
	text, err := os.ReadFile(filepath.Join(s.data(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return found[0], nil
	}
	if err != nil {
		return Binaries{}, fmt.Errorf("postgres: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return Binaries{}, fmt.Errorf("postgres: %s: %w", filepath.Join(s.data(), "PG_VERSION"), err)
	}
	var have []string
	for _, b := range found {
		if b.Major == major {
			return b, nil
		}
		have = append(have, fmt.Sprintf("%d in %s", b.Major, b.Dir))
	}
	return Binaries{}, fmt.Errorf("%w: %s was made by PostgreSQL %d, found %s; install version %d, or move the directory away to begin anew",
		ErrVersion, s.data(), major, strings.Join(have, ", "), major)
}

// prepareDirs makes the directory and the socket's, both private to the account.
func (s *Server) prepareDirs() error {
	for _, path := range []string{s.opt.Dir, s.bin.path("postgres")} {
		if err := s.user.reach(path); err != nil {
			return err
		}
	}
	s.socket = filepath.Join(s.opt.Dir, "socket")
	if len(filepath.Join(s.socket, ".s.PGSQL.5432")) > maxSocketPath {
		sum := sha256.Sum256([]byte(s.opt.Dir))
		s.socket = filepath.Join(os.TempDir(), "foresight-pg-"+hex.EncodeToString(sum[:8]))
	}
	for _, dir := range []string{s.opt.Dir, s.socket} {
		if err := s.ownDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// ownDir makes a directory of mode 0700 that belongs to the account. One that
// somebody else made (the fallback lies in a world-writable place) is refused.
func (s *Server) ownDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("postgres: %w", err)
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !fi.IsDir() || !ok || (int(st.Uid) != s.user.uid && int(st.Uid) != os.Geteuid()) {
		return fmt.Errorf("%w: %s belongs to another user", ErrUnreachable, dir)
	}
	if err := s.user.own(dir); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

func (s *Server) removeFallbackSocket() {
	if filepath.Dir(s.socket) != s.opt.Dir {
		_ = os.Remove(s.socket) // empty after a clean stop; else it is used again
	}
}

// initCluster runs initdb beside the final place and renames, so that a cluster is
// there wholly or not at all.
func (s *Server) initCluster(ctx context.Context) error {
	if _, err := os.Stat(s.data()); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("postgres: %w", err)
	}
	tmp := s.data() + ".new"
	if err := os.RemoveAll(tmp); err != nil { // a start that was interrupted
		return fmt.Errorf("postgres: %w", err)
	}
	err := s.initdb(ctx, tmp, initLocale())
	if err != nil && strings.Contains(err.Error(), "invalid locale name") {
		err = s.initdb(ctx, tmp, []string{"--locale=C"})
	}
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, s.data()); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// initLocale orders text by code point (indexes survive an upgrade of libc) but
// knows the case of all letters.
func initLocale() []string {
	if runtime.GOOS == "darwin" {
		return []string{"--locale=C", "--lc-ctype=UTF-8"}
	}
	return []string{"--locale=C.UTF-8"}
}

func (s *Server) initdb(ctx context.Context, dir string, locale []string) error {
	args := append([]string{"-D", dir, "-U", Superuser, "-E", "UTF8", "-A", "trust", "--no-instructions"}, locale...)
	if s.opt.Volatile {
		args = append(args, "--no-sync")
	}
	c := exec.CommandContext(ctx, s.bin.path("initdb"), args...)
	s.shape(c)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("postgres: initdb: %w: %s", err, tail(string(out)))
	}
	return nil
}

// shape gives a command the account, a process group of its own (a Ctrl-C in the
// terminal must reach the server by Stop, after its clients) and an environment
// without the process's secrets.
func (s *Server) shape(c *exec.Cmd) {
	c.Dir = s.opt.Dir
	c.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	if p, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		c.Env = append(c.Env, "LD_LIBRARY_PATH="+p)
	}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.user.cred, Setpgid: true}
}

// tail returns the last lines of a text, for errors.
func tail(text string) string {
	const most = 800
	text = strings.TrimSpace(text)
	if len(text) > most {
		text = "… " + text[len(text)-most:]
	}
	return text
}
