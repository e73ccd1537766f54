package pg

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrUnreachable says that the user which PostgreSQL runs as cannot reach a file.
var ErrUnreachable = errors.New("postgres: out of reach")

// account is the user that the server runs as. cred is nil when that is the
// process's own user.
type account struct {
	name     string
	uid, gid int
	cred     *syscall.Credential
}

// chooseAccount returns the process's own user, or for root the owner of an
// existing cluster, else `postgres`, else `nobody`.
func chooseAccount(data string) (account, error) {
	if uid := os.Geteuid(); uid != 0 {
		return account{name: strconv.Itoa(uid), uid: uid, gid: os.Getegid()}, nil
	}
	if fi, err := os.Stat(data); err == nil {
		if st, ok := fi.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			return drop("uid "+strconv.Itoa(int(st.Uid)), int(st.Uid), int(st.Gid)), nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil {
			return drop(name, uid, gid), nil
		}
	}
	return account{}, errors.New("postgres: will not run as root, and there is neither a user postgres nor nobody to run it as")
}

func drop(name string, uid, gid int) account {
	return account{name, uid, gid, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{}}}
}

// own gives a directory to the account when the process runs as another user.
func (a account) own(path string) error {
	if a.cred == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// reach checks that the account can pass through every parent of path, which is
// absolute and without symbolic links.
func (a account) reach(path string) error {
	if a.cred == nil {
		return nil // the process itself got here
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		bit := os.FileMode(0o001)
		if st, ok := fi.Sys().(*syscall.Stat_t); ok {
			switch {
			case int(st.Uid) == a.uid:
				bit = 0o100
			case int(st.Gid) == a.gid:
				bit = 0o010
			}
		}
		if fi.Mode()&bit == 0 {
			return fmt.Errorf("%w: it runs as %q because this process is root, and that user cannot enter %s (mode %04o) on the way to %s; choose a place outside, or run as an ordinary user",
				ErrUnreachable, a.name, dir, fi.Mode().Perm(), path)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}
