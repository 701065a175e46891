package datasets

import (
	"slices"
	"strings"
	"testing"
)

// sound is a set in which nothing is wrong.
func sound() *Set {
	s := &Set{Name: "mine", Source: "here", Classes: []string{"a", "b"},
		Train: Part{Shape: Shape{1, 2, 1}, Pixels: make([]uint8, 8), Labels: []int32{0, 1, 1, 0}},
		Test:  Part{Shape: Shape{1, 2, 1}, Pixels: make([]uint8, 4), Labels: []int32{1, 0}}}
	s.Norm = Measure(s.Train, nil)
	return s
}

func TestCheck(t *testing.T) {
	if r := Check(sound()); r.Err() != nil || len(r.Problems) != 0 || !slices.Equal(r.Train.Class, []int{2, 2}) || r.Test.Images != 2 {
		t.Fatalf("%+v", r)
	}
	for _, test := range []struct {
		name   string
		damage func(s *Set)
		want   []string // the problems
	}{
		{"pixels", func(s *Set) { s.Train.Pixels = s.Train.Pixels[1:] }, []string{"train: 7 bytes of pixels for 4 images of 1x2x1"}},
		{"labels", func(s *Set) { s.Train.Labels[1], s.Train.Labels[2] = 2, -1 },
			[]string{"train: 2 labels are outside [0,2), the first is 2 at image 1", "train: class 1 (b) has no images"}},
		{"class", func(s *Set) { s.Test.Labels[0] = 0 }, []string{"test: class 1 (b) has no images"}},
		{"classes", func(s *Set) {
			s.Classes, s.Train.Labels, s.Test.Labels = []string{"a"}, make([]int32, 4), make([]int32, 2)
		},
			[]string{"1 classes, expected 2 or more"}},
		{"shapes", func(s *Set) { s.Test.Shape = Shape{2, 1, 1} }, []string{"images to train on are 1x2x1, those to test on 2x1x1"}},
		{"norm", func(s *Set) { s.Norm.Std[0] = 0 }, []string{"normalisation of channel 0 by mean 0 and deviation 0"}},
		{"name", func(s *Set) { s.Name = "cifar10" }, []string{
			"images of 1x2x1, expected 32x32x3", "2 classes, expected 10",
			"train: class 0 (a) has 2 images, expected 5000", "train: class 1 (b) has 2 images, expected 5000",
			"test: class 0 (a) has 1 images, expected 1000", "test: class 1 (b) has 1 images, expected 1000"}},
		{"empty", func(s *Set) { *s = Set{Name: "mine"} }, []string{"0 classes, expected 2 or more"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := sound()
			test.damage(s)
			r := Check(s)
			if !slices.Equal(r.Problems, test.want) {
				t.Errorf("problems %q, want %q", r.Problems, test.want)
			}
			if err := r.Err(); err == nil || !strings.Contains(err.Error(), test.want[0]) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %q", err, test.want[0])
			}
			for _, p := range test.want {
				if !strings.Contains(r.String(), "wrong: "+p+"\n") {
					t.Errorf("the report says nothing of %q:\n%s", p, r)
				}
			}
		})
	}
}

// A whole CIFAR-10 has 5,000 and 1,000 images of each class.
func TestCheckCountsKnownSets(t *testing.T) {
	s := &Set{Name: "cifar10", Classes: cifar10().classes, Norm: cifar10().norm}
	for part, n := range map[*Part]int{&s.Train: 50000, &s.Test: 10000} {
		*part = Part{Shape: cifarShape, Pixels: make([]uint8, n*cifarShape.Len()), Labels: make([]int32, n)}
		for i := range part.Labels {
			part.Labels[i] = int32(i % 10)
		}
	}
	if err := Check(s).Err(); err != nil {
		t.Error(err)
	}
	s.Test.Labels[0] = 1
	if got, want := Check(s).Problems, []string{"test: class 0 (airplane) has 999 images, expected 1000",
		"test: class 1 (automobile) has 1001 images, expected 1000"}; !slices.Equal(got, want) {
		t.Errorf("problems %q, want %q", got, want)
	}
}
