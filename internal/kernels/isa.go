package kernels

import (
	"fmt"
	"os"
	"strings"
)

// isaVariable is the environment variable that overrides the choice of the instruction set.
const isaVariable = "ESPALIER_KERNELS"

// isa is an instruction set: its name and the microkernels that are written for it.
type isa struct {
	name   string
	micro  *microkernels
	vector *vectorKernels
}

// isas are the instruction sets that this processor has, the best first; plain Go is always the last.
var isas = append(processorISAs(), isa{"go", &microGo, &vectorGo})

// current is the name of the one in use.
var current string

func init() {
	name := os.Getenv(isaVariable)
	if name == "" {
		name = isas[0].name
	}
	if err := setISA(name); err != nil {
		panic(fmt.Sprintf("kernels: environment variable %s: %v", isaVariable, err))
	}
}

// ISA names the instruction set in use: avx512, avx2 or go.
func ISA() string { return current }

// Available names the instruction sets that this program can use on this processor, the best first. ISA is the first of
// them, unless the environment variable ESPALIER_KERNELS names another.
func Available() []string {
	var names []string
	for _, s := range isas {
		names = append(names, s.name)
	}
	return names
}

// setISA changes the instruction set. Plans that exist keep, in part, the one that they were made with.
func setISA(name string) error {
	for _, s := range isas {
		if s.name == name {
			current, micro, vector = s.name, s.micro, s.vector
			return nil
		}
	}
	return fmt.Errorf("%q is unknown or not supported here; choose one of %s", name, strings.Join(Available(), ", "))
}
