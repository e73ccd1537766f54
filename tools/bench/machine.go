package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine is where it was measured.
type machine struct {
	processor, system, memory, postgres, mosquitto string
	processors                                     int
	goVersion                                      string
}

func describe() machine {
	return machine{
		processor: field("/proc/cpuinfo", "model name"), memory: field("/proc/meminfo", "MemTotal"), system: runtime.GOOS + "/" + runtime.GOARCH,
		processors: runtime.NumCPU(), goVersion: runtime.Version(),
		postgres:  said("sh", "-c", "$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | tail -1) --version"),
		mosquitto: strings.TrimSuffix(said("sh", "-c", "PATH=$PATH:/usr/sbin mosquitto -h | head -1"), "."),
	}
}

// field returns what follows the name in a file of lines `name: value`; "unknown" on
// systems that have no such file.
func field(file, name string) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(raw)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// said is the first line that a program prints, "unknown" when it is not there.
func said(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	line, _, _ := strings.Cut(string(out), "\n")
	if err != nil && line == "" {
		return "unknown"
	}
	return strings.TrimSpace(line)
}

// loadAverage is the averages over 1, 5 and 15 minutes.
func loadAverage() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(raw)); err == nil && len(f) >= 3 {
		return strings.Join(f[:3], ", ")
	}
	return "unknown"
}
