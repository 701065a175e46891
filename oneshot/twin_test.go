package oneshot

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/search"
)

var regen = flag.Bool("regen", false, "write testdata/mixed-*.json anew, in the build that computes in double precision")

// TestMixedAgainstDouble: the second-order term of DARTS on a real supernet, with ReLU and pools, in single precision, is that
// of the build in double precision at the same ε. (Against exact second derivatives there would be nothing to compare: where
// activations change sign within ±ε, differences do not converge to them.) Where an activation stands so near to such a place that
// rounding decides its side, a batch is off by a whole jump; most batches have none.
func TestMixedAgainstDouble(t *testing.T) {
	for name, p := range map[string]*Problem{"nas-bench-201": tiny(t), "darts": over(t, search.DARTS(), search.MixedEdge{})} {
		t.Run(name, func(t *testing.T) {
			got, file := mixed(t, p), "testdata/mixed-"+name+".json"
			if *regen {
				save(t, file, got)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want [][]float64
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			if len(want) != len(got) {
				t.Fatalf("%d batches, %s has %d", len(got), file, len(want))
			}
			var errors []float64
			for k, w := range want {
				difference, size := 0.0, 0.0
				for i, x := range w {
					difference += (got[k][i] - x) * (got[k][i] - x)
					size += x * x
				}
				errors = append(errors, math.Sqrt(difference/size))
			}
			slices.Sort(errors)
			t.Logf("relative errors %.2g", errors)
			middle, last := 1e-3, 0.1
			if double {
				middle, last = 1e-6, 1e-6 // images are normalised in single precision
			}
			if n := len(errors); !(errors[n/2] <= middle && errors[n-1] <= last) {
				t.Errorf("relative errors %v, want a median of at most %v, and none above %v", errors, middle, last)
			}
		})
	}
}

const double = unsafe.Sizeof(nn.Float(0)) == 8

// mixed is, for each batch of training images, the product of the mixed derivative of the loss there with the gradient of the
// validation loss at the weights.
func mixed(t *testing.T, p *Problem) (all [][]float64) {
	t.Helper()
	s, err := New(configure(t, "darts"), p, course(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(0, 0); err != nil {
		t.Fatal(err)
	}
	lower, upper := s.Level(TrainSplit, s.W), s.Level(ValSplit, s.W)
	u := bilevel.Unrolled[nn.Float]{Lower: lower.Loss}
	for range p.Train.Batches() {
		for _, split := range []string{TrainSplit, ValSplit} {
			if err := s.feed.Next(split); err != nil {
				t.Fatal(err)
			}
		}
		v, g := make([]nn.Float, len(s.W.Value)), make([]nn.Float, len(s.Alpha.Value))
		if _, err := upper.Loss(nil, v, s.Alpha.Value, s.W.Value); err != nil {
			t.Fatal(err)
		}
		if err := u.Mixed(g, v, s.Alpha.Value, s.W.Value); err != nil {
			t.Fatal(err)
		}
		var got []float64
		for _, x := range g {
			got = append(got, float64(x))
		}
		all = append(all, got)
	}
	return all
}

// save writes what single precision is compared with, to nine digits.
func save(t *testing.T, file string, all [][]float64) {
	t.Helper()
	if !double {
		t.Fatal("-regen needs -tags f64")
	}
	var rows []string
	for _, row := range all {
		var numbers []string
		for _, x := range row {
			numbers = append(numbers, strconv.FormatFloat(x, 'g', 9, 64))
		}
		rows = append(rows, "["+strings.Join(numbers, ",")+"]")
	}
	text := "[" + strings.Join(rows, ",\n") + "]\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
