//go:build !linux

package chaos

import (
	"os/exec"
	"syscall"
)

func dieWithTests(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
