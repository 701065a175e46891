package supernet_test

import (
	"testing"

	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// BenchmarkGradient is the gradient at weights and α of DARTS' supernet with 16 channels and 8 cells, for 64 images.
func BenchmarkGradient(b *testing.B) {
	for _, memory := range []supernet.Memory{supernet.Keep, supernet.Recompute} {
		b.Run(string(memory), func(b *testing.B) {
			p := newProblem(b, search.DARTS(), supernet.Options{Memory: memory})
			p.Statistics = nn.UpdateStatistics
			gw, ga, _ := p.gradient(b)
			b.ReportMetric(float64(p.Memory())/1e6, "MB")
			for b.Loop() {
				if _, err := p.Gradient(gw, ga, p.Pass); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSampled is the same with one candidate on each edge, another in every pass: what a gate that samples costs.
func BenchmarkSampled(b *testing.B) {
	space := search.DARTS()
	p := newProblem(b, space, supernet.Options{Memory: supernet.Recompute})
	p.Gate, p.Statistics = supernet.Direct{}, nn.UpdateStatistics
	a, r := search.NewAlpha(space), rng.New(1, "sampled")
	gw, ga, _ := p.gradient(b)
	for b.Loop() {
		clear(p.Alpha)
		for k, c := range space.Cells {
			for e := range c.Edges {
				row := a.Row(k, e).Of(p.Alpha)
				row[r.IntN(len(row))] = 1
			}
		}
		if _, err := p.Gradient(gw, ga, p.Pass); err != nil {
			b.Fatal(err)
		}
	}
}
