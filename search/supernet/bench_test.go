package supernet_test

import (
	"testing"

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
