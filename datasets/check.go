package datasets

import (
	"fmt"
	"slices"
	"strings"
)

// Report is what Check found out about a set.
type Report struct {
	Name     string
	Source   string
	Shape    Shape
	Classes  []string
	Train    Counts
	Test     Counts
	Problems []string // what is wrong, one line each; none in a sound set
}

// Counts are the images of a part.
type Counts struct {
	Images int
	Class  []int // images of each class
}

// Err is nil for a sound set, or an error in one line: the first problem and how many there are.
func (r Report) Err() error {
	switch len(r.Problems) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("datasets: %s: %s", r.Source, r.Problems[0])
	}
	return fmt.Errorf("datasets: %s: %s (and %d more)", r.Source, r.Problems[0], len(r.Problems)-1)
}

// String is the report in lines: the set, its parts, its problems.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v, %d classes (%s)\n", r.Name, r.Shape, len(r.Classes), r.Source)
	for _, part := range []struct {
		name string
		Counts
	}{{"train", r.Train}, {"test", r.Test}} {
		fmt.Fprintf(&b, "%-5s  %d images", part.name, part.Images)
		if len(part.Class) > 0 {
			least, most := slices.Min(part.Class), slices.Max(part.Class)
			if least == most {
				fmt.Fprintf(&b, ", %d a class", least)
			} else {
				fmt.Fprintf(&b, ", %d to %d a class", least, most)
			}
		}
		b.WriteString("\n")
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "wrong: %s\n", p)
	}
	if len(r.Problems) == 0 {
		b.WriteString("sizes, labels and class counts are right\n")
	}
	return b.String()
}

// Check verifies a set that was read: that its parts have as many pixels as their images need, that every label is one of
// the classes and every class has images, that the deviations it is normalised by are positive, and that a set known by
// its name has the sizes and the class counts of the whole set. A synthetic set may have any size.
func Check(s *Set) Report {
	r := Report{Name: s.Name, Source: s.Source, Shape: s.Shape(), Classes: s.Classes}
	wrong := func(format string, args ...any) { r.Problems = append(r.Problems, fmt.Sprintf(format, args...)) }
	if len(s.Classes) < 2 {
		wrong("%d classes, expected 2 or more", len(s.Classes))
	}
	if s.Train.Shape != s.Test.Shape {
		wrong("images to train on are %v, those to test on %v", s.Train.Shape, s.Test.Shape)
	}
	if err := s.Norm.validate(s.Train.C); err != nil {
		wrong("%s", strings.TrimPrefix(err.Error(), "datasets: "))
	}
	var expect *expected
	if k, err := Lookup(s.Name); err == nil && s.Name != "synthetic" {
		expect = k.expect
	}
	train, test := 0, 0 // images that each class should have; 0: any number
	if expect != nil {
		train, test = expect.train, expect.test
		if s.Shape() != expect.shape {
			wrong("images of %v, expected %v", s.Shape(), expect.shape)
		}
		if len(s.Classes) != expect.classes {
			wrong("%d classes, expected %d", len(s.Classes), expect.classes)
		}
	}
	r.Train = r.count("train", s.Train, train)
	r.Test = r.count("test", s.Test, test)
	return r
}

// count counts the images of a part and notes what is wrong with it. Each class should have each images; 0: any number.
func (r *Report) count(name string, p Part, each int) Counts {
	wrong := func(format string, args ...any) {
		r.Problems = append(r.Problems, name+": "+fmt.Sprintf(format, args...))
	}
	if len(p.Pixels) != p.Len()*p.Shape.Len() {
		wrong("%d bytes of pixels for %d images of %v", len(p.Pixels), p.Len(), p.Shape)
	}
	c := Counts{Images: p.Len(), Class: make([]int, len(r.Classes))}
	outside, first := 0, 0
	for i, label := range p.Labels {
		if label >= 0 && int(label) < len(c.Class) {
			c.Class[label]++
			continue
		}
		if outside == 0 {
			first = i
		}
		outside++
	}
	if outside > 0 {
		wrong("%d labels are outside [0,%d), the first is %d at image %d", outside, len(c.Class), p.Labels[first], first)
	}
	for class, n := range c.Class {
		switch {
		case each > 0 && n != each:
			wrong("class %d (%s) has %d images, expected %d", class, r.Classes[class], n, each)
		case n == 0:
			wrong("class %d (%s) has no images", class, r.Classes[class])
		}
	}
	return c
}
