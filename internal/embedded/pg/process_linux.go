package pg

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent has the kernel signal the server when this process ends, even by
// kill -9. A volatile server needs no checkpoint.
func (s *Server) dieWithParent(c *exec.Cmd) {
	c.SysProcAttr.Pdeathsig = syscall.SIGINT
	if s.opt.Volatile {
		c.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	}
}

// commandLine returns the arguments of a live process, "" for a zombie or none.
func commandLine(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(string(b), "\x00", " ")
}
