package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// curves makes methods of n runs a point at the given densities.
func curves(n int, densities []float64, names ...string) Density {
	r := rand.New(rand.NewPCG(1, 2))
	d := Density{Title: "ResNet-20 on CIFAR-10, pruned and fine-tuned"}
	for range n {
		d.Dense = append(d.Dense, 91.2+0.3*r.NormFloat64())
	}
	for k, name := range names {
		m := Method{Name: name}
		for _, density := range densities {
			p := Pruned{Density: density}
			for range n {
				p.Accuracy = append(p.Accuracy, 10+81*math.Exp(-0.08*float64(k+1)*math.Pow(math.Log10(density), 2))-0.2*r.ExpFloat64())
			}
			m.Points = append(m.Points, p)
		}
		d.Methods = append(d.Methods, m)
	}
	return d
}

var usual = []float64{0.5, 0.2, 0.1, 0.05, 0.02}

func training(n int, names ...string) []Run {
	r := rand.New(rand.NewPCG(3, 4))
	var rs []Run
	for _, name := range names {
		run := Run{Name: name}
		for e := 1; e <= n; e++ {
			x := float64(e) / float64(n)
			run.Epochs = append(run.Epochs, Epoch{e, 2.2*math.Exp(-3*x) + 0.1, 100 - 70*math.Exp(-3*x),
				2.0*math.Exp(-2.5*x) + 0.3 + 0.05*r.NormFloat64(), 92 - 60*math.Exp(-3*x) + r.NormFloat64()})
		}
		rs = append(rs, run)
	}
	return rs
}

// turnovers makes masks that settle over so many epochs.
func turnovers(n, epochs int, names ...string) []Moved {
	r := rand.New(rand.NewPCG(7, 8))
	var all []Moved
	for k, name := range names {
		m := Moved{Name: name}
		for range n {
			var changed, regrown []float64
			for e := range epochs {
				c := 0.06 / float64(k+1) * math.Exp(-0.3*float64(e)) * (1 + 0.1*r.Float64())
				changed, regrown = append(changed, c), append(regrown, c/2)
			}
			m.Changed, m.Regrown = append(m.Changed, changed), append(m.Regrown, regrown)
		}
		all = append(all, m)
	}
	return all
}

// courses make figures that wander.
func courses(n, epochs int, names ...string) []Course {
	r := rand.New(rand.NewPCG(9, 10))
	var all []Course
	for k, name := range names {
		c := Course{Name: name}
		for range n {
			var values []float64
			for e := range epochs + 1 {
				values = append(values, 60+30*math.Exp(-float64(k*e)/40)+2*r.NormFloat64())
			}
			c.Runs = append(c.Runs, values)
		}
		all = append(all, c)
	}
	return all
}

// edges make the weights of so many edges.
func edges(n, choices, epochs int) []EdgeCourse {
	names := []string{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3"}[:choices]
	r := rand.New(rand.NewPCG(11, 12))
	var all []EdgeCourse
	for k := range n {
		e := EdgeCourse{Name: fmt.Sprintf("%d → %d", k, k+2), Choices: names, Weights: make([][]float64, choices)}
		slope := make([]float64, choices)
		for i := range slope {
			slope[i] = 0.03 * r.NormFloat64()
		}
		for t := range epochs + 1 {
			sum := 0.
			for i := range slope {
				sum += math.Exp(slope[i] * float64(t))
			}
			for i := range slope {
				e.Weights[i] = append(e.Weights[i], math.Exp(slope[i]*float64(t))/sum)
			}
		}
		all = append(all, e)
	}
	return all
}

func must(t *testing.T) func(f *Figure, err error) *Figure {
	return func(f *Figure, err error) *Figure {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
}

// figures are drawings that stress the layout: narrow and wide ranges, many and long names, one point, one epoch.
func figures(t *testing.T) map[string]*Figure {
	density := func(d Density) *Figure { return must(t)(NewDensity(d)) }
	fig := map[string]*Figure{
		"density-1":    density(curves(1, usual, "magnitude", "random")),
		"density-3":    density(curves(3, usual, "magnitude", "random")),
		"density-10":   density(curves(10, usual, "magnitude", "random")),
		"density-many": density(curves(3, []float64{1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001}, "global magnitude", "uniform magnitude", "random", "SNIP", "SynFlow", "GraSP", "bi-level")),
		"density-one":  density(curves(2, []float64{0.1}, "magnitude")),
		"density-cost": density(Density{Title: "costs", Label: "processor seconds after the dense network", Zero: true, Methods: curves(3, usual, "BiP", "IMP").Methods}),
		"turnover-2":   must(t)(NewTurnover("ResNet-8, 89 % removed", turnovers(2, 5, "BiP, tied", "BiP, tuned", "HYDRA", "gradual magnitude")...)),
		"courses":      must(t)(NewCourses("nb201: the derived cell", "true accuracy on CIFAR-10 (%)", 0, courses(3, 50, "DARTS, first order", "DARTS, second order", "RARTS", "GDAS")...)),
		"edges-6":      must(t)(NewEdgeCourses("RARTS, seed 1: the cell", edges(6, 5, 50)...)),
		"turnover-one": must(t)(NewTurnover("", turnovers(1, 1, "BiP")...)),
		"training-1":   must(t)(NewTraining("ResNet-20 on CIFAR-10", training(30, "")...)),
		"training-3":   must(t)(NewTraining("Three seeds", training(200, "seed 1", "seed 2", "seed 3")...)),
		"training-one": must(t)(NewTraining("", training(1, "")...)),
	}
	return fig
}

// TestLayout asks of every figure that no text be clipped by the page or lie on another text.
func TestLayout(t *testing.T) {
	for name, f := range figures(t) {
		t.Run(name, func(t *testing.T) { inspect(t, f) })
	}
}

// TestSave writes every figure in both formats, reads them back, and asks for the same bytes a second time. With
// ESPALIER_FIGURES set they are also left there to be looked at.
func TestSave(t *testing.T) {
	for name, f := range figures(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, ext := range []string{".png", ".svg"} {
				path := filepath.Join(dir, name+ext)
				if err := f.Save(path); err != nil {
					t.Fatal(err)
				}
				first, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := f.Save(path); err != nil {
					t.Fatal(err)
				}
				second, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(first, second) {
					t.Errorf("%s: two drawings differ", path)
				}
				if ext == ".png" {
					checkPNG(t, first)
				} else {
					checkSVG(t, first)
				}
				if show := os.Getenv("ESPALIER_FIGURES"); show != "" {
					if err := os.WriteFile(filepath.Join(show, name+ext), first, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

func checkPNG(t *testing.T, b []byte) {
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Bounds().Size(); s.X != 1440 || s.Y != 832 {
		t.Errorf("image is %v, want 1440 by 832", s)
	}
}

func checkSVG(t *testing.T, b []byte) {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestDensityFigure looks at what is drawn: percent ticks densest first, a dashed dense line across the data, the legend
// right of it, n in words.
func TestDensityFigure(t *testing.T) {
	c := inspect(t, must(t)(NewDensity(curves(3, usual, "magnitude", "random"))))
	c.text(t, "n = 3 runs per point: line through the means, whiskers from min to max, dots are runs")
	c.text(t, "test accuracy (%)")
	half, fiftieth := c.text(t, "50 %"), c.text(t, "2 %")
	if !(half.Max.X < fiftieth.Min.X) {
		t.Errorf("50 %% at %v is not left of 2 %% at %v", half, fiftieth)
	}
	legend := c.text(t, "magnitude").Min.X - 40
	var dense bool
	for _, s := range c.lines {
		if s.dashed && s.box.Size().Y == 0 && s.box.Size().X > Width/2 && s.box.Max.X < legend {
			dense = true
		}
		if s.box.Min.X < legend && s.box.Max.X > legend {
			t.Errorf("a line at %v runs under the legend, which begins at %v", s.box, legend)
		}
	}
	if !dense {
		t.Error("no dashed line across the data area")
	}
}

// TestWhiskers has hand-computed answers on both sides of five runs.
func TestWhiskers(t *testing.T) {
	for _, c := range []struct {
		values    sample
		low, high float64
	}{
		{sample{3}, 3, 3},
		{sample{1, 4, 2, 3}, 1, 4},
		{sample{1, 2, 3, 4, 5}, 3 - math.Sqrt(2.5), 3 + math.Sqrt(2.5)},
	} {
		low, high := c.values.whiskers()
		if !(math.Abs(low-c.low) <= 1e-12) || !(math.Abs(high-c.high) <= 1e-12) {
			t.Errorf("whiskers of %v are %v and %v, want %v and %v", c.values, low, high, c.low, c.high)
		}
	}
}

func TestRunsInWords(t *testing.T) {
	for want, counts := range map[string][]int{
		"n = 1 run per point": {1, 1},
		"n = 2–3 runs per point: line through the means, whiskers from min to max, dots are runs": {2, 3},
		"n = 5 runs per point: mean ± one standard deviation":                                     {5, 5},
		"n = 3–7 runs per point: mean ± one standard deviation; min to max where n < 5":           {7, 3},
	} {
		if got := runs(counts, false); got != want {
			t.Errorf("runs(%v) = %q, want %q", counts, got, want)
		}
	}
}

// TestTurnover reads shares back as percent of each epoch.
func TestTurnover(t *testing.T) {
	c, err := epochCurve("x", percents([][]float64{{0.5, 0.25}, {0.25, 0.75}}), look{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.at, []float64{1, 2}) || c.samples[0].mean() != 37.5 || c.samples[1].mean() != 50 {
		t.Errorf("at %v, %v", c.at, c.samples)
	}
	p := inspect(t, must(t)(NewTurnover("", turnovers(2, 5, "BiP", "HYDRA")...)))
	p.text(t, "mask bits changed (%)")
	p.text(t, "mask bits regrown (%)")
	p.text(t, "HYDRA")
}

func TestPercentTicks(t *testing.T) {
	for _, c := range []struct {
		min, max float64
		want     []string
	}{
		{0.02, 1, []string{"2 %", "5 %", "10 %", "20 %", "50 %", "100 %"}},
		{0.001, 1, []string{"0.1 %", "1 %", "10 %", "100 %"}},
		{0.05, 0.2, []string{"5 %", "7 %", "10 %", "20 %"}},
		{0.1, 0.45, []string{"10 %", "20 %", "30 %", "40 %"}},
	} {
		var got []string
		for _, tick := range (percentTicks{}).Ticks(c.min, c.max) {
			if tick.Label != "" {
				got = append(got, tick.Label)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("ticks from %v to %v: %q, want %q", c.min, c.max, got, c.want)
		}
	}
}

// TestLinearTicks asks that an axis of any length have two to eight labels, all different and in range.
func TestLinearTicks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		low := 100 * r.NormFloat64()
		high := low + math.Pow(10, 6*r.Float64()-3)
		ticks := valueTicks{}.Ticks(low, high)
		seen := map[string]bool{}
		for _, tick := range ticks {
			if !(tick.Value >= low-1e-6 && tick.Value <= high+1e-6) || seen[tick.Label] {
				t.Fatalf("[%v,%v]: bad or repeated tick %v %q", low, high, tick.Value, tick.Label)
			}
			seen[tick.Label] = true
		}
		if n := len(ticks); n < 2 || n > 8 {
			t.Fatalf("[%v,%v]: %d ticks", low, high, n)
		}
	}
	if first := (countTicks{}).Ticks(-0.5, 20)[0]; first.Label != "0" {
		t.Errorf("the first epoch is labelled %q", first.Label)
	}
	for _, tick := range (countTicks{}).Ticks(1, 3) {
		if tick.Value != math.Trunc(tick.Value) {
			t.Errorf("epoch tick at %v", tick.Value)
		}
	}
}

// TestGaps draws a run that was validated every other epoch only.
func TestGaps(t *testing.T) {
	rs := training(6, "")
	for i := range rs[0].Epochs {
		if i%2 == 0 {
			rs[0].Epochs[i].ValLoss, rs[0].Epochs[i].ValAccuracy = math.NaN(), math.NaN()
		}
	}
	f := must(t)(NewTraining("", rs...))
	inspect(t, f)
	tr := newTrace(rs[0], look{}, func(e Epoch) float64 { return e.ValLoss })
	if len(tr.segments) != 3 || tr.Len() != 3 {
		t.Errorf("%d segments with %d points, want 3 with 3", len(tr.segments), tr.Len())
	}
}

func TestRefused(t *testing.T) {
	density := func(change func(*Density)) error {
		d := curves(2, usual, "magnitude", "random")
		change(&d)
		_, err := NewDensity(d)
		return err
	}
	train := func(change func(rs []Run)) error {
		rs := training(3, "a", "b")
		change(rs)
		_, err := NewTraining("", rs...)
		return err
	}
	_, noRuns := NewTraining("")
	turnover := func(change func(m *Moved)) error {
		ms := turnovers(2, 3, "a", "b")
		change(&ms[1])
		_, err := NewTurnover("", ms...)
		return err
	}
	_, noMasks := NewTurnover("")
	bad := edges(2, 3, 4)
	bad[1].Weights[2] = bad[1].Weights[2][:2]
	_, badEdge := NewEdgeCourses("", bad...)
	_, noEdges := NewEdgeCourses("")
	_, noCourses := NewCourses("", "accuracy", 0)
	_, badEpochs := NewCourses("", "accuracy", 0, Course{Name: "a", Runs: [][]float64{{1, 2}}, Epochs: []int{2}})
	for want, err := range map[string]error{
		"2 values at 1 epochs":    badEpochs,
		"no methods":              density(func(d *Density) { d.Methods = nil }),
		"no name":                 density(func(d *Density) { d.Methods[1].Name = "" }),
		"no points":               density(func(d *Density) { d.Methods[1].Points = nil }),
		"outside (0,1]":           density(func(d *Density) { d.Methods[0].Points[0].Density = 0 }),
		"density NaN":             density(func(d *Density) { d.Methods[0].Points[0].Density = math.NaN() }),
		"stands twice":            density(func(d *Density) { d.Methods[0].Points[1].Density = 0.5 }),
		"no values":               density(func(d *Density) { d.Methods[0].Points[1].Accuracy = nil }),
		"value 1 is NaN":          density(func(d *Density) { d.Methods[0].Points[1].Accuracy[1] = math.NaN() }),
		"dense accuracy: value 0": density(func(d *Density) { d.Dense[0] = math.Inf(1) }),
		"no runs":                 noRuns,
		"no epochs":               train(func(rs []Run) { rs[0].Epochs = nil }),
		"run 2 of 2 has no name":  train(func(rs []Run) { rs[1].Name = "" }),
		"epoch 1 follows epoch 1": train(func(rs []Run) { rs[0].Epochs[1].Epoch = 1 }),
		"infinite":                train(func(rs []Run) { rs[0].Epochs[1].ValLoss = math.Inf(1) }),
		"no masks":                noMasks,
		"accuracy: no courses":    noCourses,
		"no edges":                noEdges,
		"with 5 and 2 epochs":     badEdge,
		"b, changed: no epochs":   turnover(func(m *Moved) { m.Changed = nil }),
		"runs of 3 and 2 epochs":  turnover(func(m *Moved) { m.Regrown[1] = m.Regrown[1][:2] }),
		"epoch 2: value 0 is NaN": turnover(func(m *Moved) { m.Regrown[0][1] = math.NaN() }),
		"saved as .png or .svg":   must(t)(NewTraining("", training(3, "")...)).Save(filepath.Join(t.TempDir(), "a.gif")),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "plot: ") {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// TestCopied changes the data after a figure was made; the drawing must not follow.
func TestCopied(t *testing.T) {
	d := curves(2, usual, "magnitude")
	f := must(t)(NewDensity(d))
	var before, after bytes.Buffer
	if err := f.SVG(&before); err != nil {
		t.Fatal(err)
	}
	d.Methods[0].Points[0].Accuracy[0], d.Dense[0] = 0, 0
	if err := f.SVG(&after); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Error("the figure follows its data")
	}
}

func ExampleNewDensity() {
	f, err := NewDensity(Density{
		Title: "ResNet-20 on CIFAR-10",
		Dense: []float64{91.3, 91.5},
		Methods: []Method{
			{Name: "magnitude", Points: []Pruned{{0.2, []float64{91.0, 91.2}}, {0.05, []float64{88.9, 89.4}}}},
			{Name: "random", Points: []Pruned{{0.2, []float64{88.0, 88.3}}, {0.05, []float64{80.1, 81.0}}}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var b bytes.Buffer
	if err := f.SVG(&b); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Contains(b.String(), "remaining weights"))
	// Output: true
}

// TestScatter: what cannot be drawn is refused, and each group of dots has its place and a line in the legend.
func TestScatter(t *testing.T) {
	f, err := NewScatter("cells", "parameters (millions)", "test accuracy (%)", Dots{"found", 0.25, []float64{80, 81}}, Dots{"random", 0.24, []float64{79}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.SVG(&b); err != nil {
		t.Fatal(err)
	}
	checkSVG(t, b.Bytes())
	for _, want := range []string{"found", "random", "parameters (millions)", "n = 1–2"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in the drawing", want)
		}
	}
	for _, dots := range [][]Dots{nil, {{"x", 1, nil}}, {{"x", math.NaN(), []float64{1}}}, {{"x", 1, []float64{math.Inf(1)}}}} {
		if _, err := NewScatter("", "", "", dots...); err == nil {
			t.Errorf("%v was drawn", dots)
		}
	}
}
