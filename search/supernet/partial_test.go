package supernet_test

import (
	"math"
	"slices"
	"testing"

	"espalier/models"
	"espalier/nn"
	"espalier/search/supernet"
)

// With the weight 1 for everything, a supernet gives the logits that layers give for the network that models.Supernet
// describes: with candidates on all channels and on parts, with an operation beside them.
func TestAgainstLayers(t *testing.T) {
	tolerance := 1e-3
	if double {
		tolerance = 1e-9
	}
	for name, make := range small(t) {
		t.Run(name, func(t *testing.T) {
			s, o := make()
			p := newProblem(t, s, o)
			p.Statistics = nn.RunningStatistics
			p.Gate, p.Beside = supernet.Direct{}, 1
			p.Alpha = slices.Repeat([]nn.Float{1}, s.Weights())
			got, err := p.Logits(p.Pass)
			if err != nil {
				t.Fatal(err)
			}
			spec, err := models.Supernet(s, models.CellOptions{
				Input: o.Input, Classes: o.Classes, Channels: o.Channels, Cells: o.Cells, Edge: o.Edge, Primitives: o.Primitives,
			})
			if err != nil {
				t.Fatal(err)
			}
			net, err := nn.NewNet(spec, o.Input)
			if err != nil {
				t.Fatal(err)
			}
			copy(net.Params.Values, p.Params.Values)
			copy(net.Params.Buffers, p.Params.Buffers)
			layers, err := net.EvalProgram(o.Batch, nn.EvalOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want, err := layers.Logits(p.Images, o.Batch)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range want {
				if !(math.Abs(float64(got[i]-v)) <= tolerance*(1+math.Abs(float64(v)))) {
					t.Fatalf("logit %d is %v, layers give %v", i, got[i], v)
				}
			}
		})
	}
}
