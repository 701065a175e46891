//go:build amd64 && !noasm && !f64

package kernels

import "golang.org/x/sys/cpu"

// processorISAs are the vector instruction sets that the processor and the operating system support, the best first.
func processorISAs() (s []isa) {
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW {
		s = append(s, isa{"avx512", &micro512, &vector512})
	}
	if x.HasAVX2 && x.HasFMA {
		s = append(s, isa{"avx2", &micro2, &vector2})
	}
	return s
}
