package kernels

import (
	"os"
	"strings"
	"testing"
)

// TestPeak compares the operations that the loop is said to have with those that it has, and asks each instruction set for as many
// independent sums as keep a core busy, and for twice as many where registers are not scarce.
func TestPeak(t *testing.T) {
	files := map[string]string{"avx512": "zgemm512_amd64.s", "avx2": "zgemm2_amd64.s"}
	eachISA(t, func(t *testing.T) {
		lanes := 1 // of plain Go, which computes numbers one by one
		if files[ISA()] != "" {
			lanes = micro.lanes
		}
		sums, least := int(micro.peakFlops)/(2*lanes), 10
		if ISA() == "avx512" {
			least = 20
		}
		if sums < least {
			t.Errorf("%d sums, want at least %d", sums, least)
		}
		if file := files[ISA()]; file != "" {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, loop, _ := strings.Cut(string(text), "TEXT ·peak")
			loop, _, _ = strings.Cut(loop, "\tRET")
			if n := strings.Count(loop, "\tFMA "); n != sums {
				t.Errorf("%d multiply-adds in the loop, %d are counted", n, sums)
			}
		}
		if got, want := PeakFlops(1000), 1000*float64(Threads())*micro.peakFlops; got != want {
			t.Errorf("%v operations, want %v", got, want)
		}
	})
}
