//go:build !linux

package training

import (
	"os"
	"os/exec"
)

// Elsewhere than on Linux the trainer's memory is not bounded, and it does not die with
// this process; its time is bounded, and it ends when it is cancelled.

func prepare(*exec.Cmd) {}

func confine(int, int64) error { return nil }

func kill(p *os.Process) error { return p.Kill() }

func peakMemory(*os.ProcessState) int64 { return 0 }

func signalOf(*os.ProcessState) string { return "" }
