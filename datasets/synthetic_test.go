package datasets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"testing"

	"espalier/internal/kernels"
	"espalier/internal/rng"
)

// The pixels are part of every run's identity on the synthetic set, and the same on every machine.
func TestSyntheticPinned(t *testing.T) {
	s := Synthetic(1, SyntheticOptions{Train: 100, Test: 50})
	for part, want := range map[*Part]string{
		&s.Train: "cfe354873654983723fc29adce25d9a07b8a5e5d1c07254479f72fe605df76d6",
		&s.Test:  "9e652621d693fad0752d5c2bc90d137488d8af7b3e05001e753dd075c074745b",
	} {
		h := sha256.Sum256(part.Pixels)
		if got := hex.EncodeToString(h[:]); got != want {
			t.Errorf("pixels have the SHA-256 %s, want %s", got, want)
		}
	}
}

func TestSynthetic(t *testing.T) {
	s := Synthetic(1, SyntheticOptions{})
	if s.Train.Len() != 4000 || s.Test.Len() != 1000 || s.Shape() != (Shape{32, 32, 3}) {
		t.Fatalf("%d and %d images of %v", s.Train.Len(), s.Test.Len(), s.Shape())
	}
	r := Check(s)
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	for class, n := range r.Train.Class {
		if n != 400 || r.Test.Class[class] != 100 {
			t.Errorf("class %d has %d and %d images, want 400 and 100", class, n, r.Test.Class[class])
		}
	}
	// Another size is another length of the same row of images; no image is there twice.
	small := Synthetic(1, SyntheticOptions{Train: 77, Test: 5})
	if !bytes.HasPrefix(s.Train.Pixels, small.Train.Pixels) || !bytes.HasPrefix(s.Test.Pixels, small.Test.Pixels) {
		t.Error("a smaller set is not the beginning of a larger")
	}
	seen := map[string]bool{}
	for _, p := range []Part{s.Train, s.Test, Synthetic(2, SyntheticOptions{Train: 500, Test: 500}).Train} {
		for i := range p.Len() {
			seen[string(p.Image(i))] = true
		}
	}
	if len(seen) != 5500 {
		t.Errorf("%d different images of 5500", len(seen))
	}
}

func TestSyntheticOptions(t *testing.T) {
	for _, o := range []SyntheticOptions{{Size: 16}, {Size: 40, Channels: 1}, {Size: 256, Channels: 3}} {
		o.Train, o.Test = 20, 10
		s := Synthetic(4, o)
		if got, want := s.Shape(), o.withDefaults().shape(); got != want || s.Test.Shape != want {
			t.Errorf("%+v: images of %v", o, got)
		}
		if err := Check(s).Err(); err != nil {
			t.Error(err)
		}
	}
	for _, o := range []SyntheticOptions{{Train: -1}, {Test: -1}, {Train: 1 << 40}, {Size: 15}, {Size: 257}, {Channels: 2}} {
		if o.Validate() == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

// A linear classifier of pixels stays below 40 %, where it finds nearly all marks of a fixed place.
func TestSyntheticIsNotLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	s := Synthetic(1, SyntheticOptions{})
	if got := linear(s, 3); !(got <= .4) {
		t.Errorf("a linear classifier reaches %.1f %%, want at most 40", 100*got)
	} else {
		t.Logf("a linear classifier reaches %.1f %%", 100*got)
	}
	for _, p := range []Part{s.Train, s.Test} {
		for i := range p.Len() {
			image, label := p.Image(i), int(p.Labels[i])
			for k := len(image) / 10 * label; k < len(image)/10*(label+1); k++ {
				image[k] = 255 - (255-image[k])/2 // a band of rows whose place is the class
			}
		}
	}
	s.Norm = Measure(s.Train, nil)
	if got := linear(s, 3); !(got >= .9) {
		t.Errorf("the classifier reaches %.1f %% of classes marked by a bright band, want at least 90: it is no judge", 100*got)
	}
}

// linear is the accuracy, on the images to test on, of a softmax regression trained by stochastic gradient descent.
func linear(s *Set, epochs int) float64 {
	n, classes := s.Shape().Len(), len(s.Classes)
	weights, bias := make([]float32, classes*n), make([]float32, classes)
	tables := s.Norm.tables(s.Shape().C)
	pixels := make([]kernels.Float, n)
	x, logits := make([]float32, n), make([]float64, classes)
	forward := func(image []uint8) {
		straight(pixels, image, tables)
		for k, v := range pixels {
			x[k] = float32(v)
		}
		for c := range logits {
			w, sum := weights[c*n:][:n], bias[c]
			for k, v := range x {
				sum += w[k] * v
			}
			logits[c] = float64(sum)
		}
	}
	for epoch := range epochs {
		rate := 1e-4 * float64(epochs-epoch) / float64(epochs)
		for _, i := range rng.New(6, "linear").At(uint64(epoch)).Perm(s.Train.Len()) {
			forward(s.Train.Image(i))
			top, total := slices.Max(logits), 0.
			for _, l := range logits {
				total += math.Exp(l - top)
			}
			for c, l := range logits {
				d := math.Exp(l-top) / total
				if int32(c) == s.Train.Labels[i] {
					d--
				}
				step, w := float32(rate*d), weights[c*n:][:n]
				bias[c] -= step
				for k, v := range x {
					w[k] -= step * v
				}
			}
		}
	}
	right := 0
	for i := range s.Test.Len() {
		forward(s.Test.Image(i))
		if logits[s.Test.Labels[i]] == slices.Max(logits) {
			right++
		}
	}
	return float64(right) / float64(s.Test.Len())
}

func ExampleSynthetic() {
	set := Synthetic(1, SyntheticOptions{Train: 500, Test: 100})
	fmt.Println(set.Train.Len(), set.Test.Len(), set.Shape())
	fmt.Println(set.Classes)
	// Output:
	// 500 100 32x32x3
	// [horizontal vertical diagonal checks dots ring square triangle plus saltire]
}

func BenchmarkSynthetic(b *testing.B) {
	for b.Loop() {
		Synthetic(1, SyntheticOptions{})
	}
}
