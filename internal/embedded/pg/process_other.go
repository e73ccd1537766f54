//go:build unix && !linux

package pg

import (
	"os/exec"
	"strconv"
)

// dieWithParent does nothing where the kernel has no parent-death signal: the next
// Start ends the orphan.
func (s *Server) dieWithParent(*exec.Cmd) {}

// commandLine returns the arguments of a live process, "" when there is none.
func commandLine(pid int) string {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return string(out)
}
