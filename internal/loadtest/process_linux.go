package loadtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// userHz is the unit of times in /proc, fixed at 100 per second on Linux.
const userHz = 100

// cpuOf returns the processor time of a process and its children, as far as they live;
// false when the system does not tell.
func cpuOf(pid int) (time.Duration, bool) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, false
	}
	var ticks uint64
	found := false
	for _, file := range stats {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		// The name, in brackets, may hold anything: fields count from behind it.
		at := bytes.LastIndexByte(raw, ')')
		if at < 0 {
			continue
		}
		f := bytes.Fields(raw[at+1:])
		of, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, _ := strconv.Atoi(string(f[1]))
		if of != pid && parent != pid {
			continue
		}
		found = true
		for _, n := range []int{11, 12} { // user and system time
			t, _ := strconv.ParseUint(string(f[n]), 10, 64)
			ticks += t
		}
		if of == pid { // and of the children that have ended
			for _, n := range []int{13, 14} {
				t, _ := strconv.ParseUint(string(f[n]), 10, 64)
				ticks += t
			}
		}
	}
	return time.Duration(ticks) * time.Second / userHz, found
}

// FlushDisks has the system write what it holds back of files, such as those of a
// database that was made a moment ago: it would else do so amid the measurement.
func FlushDisks() { syscall.Sync() }
