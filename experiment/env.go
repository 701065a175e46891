package experiment

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"espalier/internal/kernels"
)

// Env is the machine and the program that worked on a run last: env.json in its directory.
type Env struct {
	Go        string `json:"go"`
	System    string `json:"system"`
	Processor string `json:"processor,omitempty"` // as the system calls it, where it says so
	Kernels   string `json:"kernels"`             // instruction set
	Threads   int    `json:"threads"`
	Cores     int    `json:"cores"`
}

// String is the machine in a line.
func (e Env) String() string {
	processor := e.Processor
	if processor == "" {
		processor = e.System
	}
	return fmt.Sprintf("%s, %d cores, %d threads, kernels %s, %s", processor, e.Cores, e.Threads, e.Kernels, e.Go)
}

// ReadEnv reads the env.json of a run's directory.
func ReadEnv(dir string) (Env, error) {
	var e Env
	return e, readJSON(filepath.Join(dir, EnvFile), &e)
}

// ThisEnv describes the machine that this process runs on.
func ThisEnv() Env {
	return Env{
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Processor: processor(),
		Kernels: kernels.ISA(), Threads: kernels.Threads(), Cores: runtime.NumCPU(),
	}
}

// processor is the name that Linux has for the processor, elsewhere nothing.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
