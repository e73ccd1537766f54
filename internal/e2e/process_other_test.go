//go:build !linux

package e2e

import (
	"os/exec"
	"syscall"
)

func dieWithTests(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
