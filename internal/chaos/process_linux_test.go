package chaos

import (
	"os/exec"
	"syscall"
)

// dieWithTests has the kernel end the process when the test binary ends, however
// it ends.
func dieWithTests(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
