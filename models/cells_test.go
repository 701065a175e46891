package models

import (
	"encoding/json"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
)

// TestPublishedCosts checks parameters and multiply-adds of named cells at C=36, L=20.
func TestPublishedCosts(t *testing.T) {
	for name, want := range map[string]nn.Cost{
		"DARTS_V1": {Params: 3169414, MACs: 500987520},
		"DARTS_V2": {Params: 3349342, MACs: 528359040},
		"GDAS_V1":  {Params: 3368782, MACs: 519428736},
		"PC_DARTS": {Params: 3634678, MACs: 556670592},
		"PDARTS":   {Params: 3433798, MACs: 532174464},
		"SNAS":     {Params: 2661382, MACs: 422218368},
	} {
		g, err := search.Published(name)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := Derived(g, CellOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := nn.Count(spec, nn.Shape{H: 32, W: 32, C: 3})
		if err != nil {
			t.Fatal(err)
		}
		if got.Params != want.Params || got.MACs != want.MACs {
			t.Errorf("%s has %d parameters and %d multiply-adds, want %d and %d", name, got.Params, got.MACs, want.Params, want.MACs)
		}
	}
}

// TestAuxiliaryHead checks its size at C=36, L=20, and that it counts in training alone.
func TestAuxiliaryHead(t *testing.T) {
	g, err := search.Published("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	count := func(o CellOptions) nn.Cost {
		spec, err := Derived(g, o)
		if err != nil {
			t.Fatal(err)
		}
		in := o.Input
		if in == (nn.Shape{}) {
			in = nn.Shape{H: 32, W: 32, C: 3}
		}
		c, err := nn.Count(spec, in)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	without, with := count(CellOptions{}), count(CellOptions{Auxiliary: 0.4, DropPath: true})
	if with.Params-without.Params != 476426 || with.MACs != without.MACs {
		t.Errorf("without a head %+v, with it %+v", without, with)
	}
	spec, err := Derived(g, CellOptions{Auxiliary: 0.4})
	if err != nil {
		t.Fatal(err)
	}
	values, _, err := nn.Layouts(spec, nn.Shape{H: 32, W: 32, C: 3})
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for _, p := range values.Parts() {
		if p.Auxiliary {
			marked += p.Len
		}
	}
	if marked != 476426 {
		t.Errorf("%d elements are marked as the head's, want 476426", marked)
	}
	for side, params := range map[int]int{4: 16*128 + 256 + 128*768 + 1536 + 7690, 16: 16*128 + 256 + 128*768 + 1536 + 7690, 28: 16*128 + 256 + 128*768 + 1536 + 7690, 64: 16*128 + 256 + 4*128*768 + 1536 + 7690} {
		o := CellOptions{Input: nn.Shape{H: side, W: side, C: 1}, Channels: 1, Cells: 3}
		plain := count(o)
		o.Auxiliary = 1
		if d := count(o).Params - plain.Params; d != params {
			t.Errorf("at side %d the head has %d parameters, want %d", side, d, params)
		}
	}
}

// TestSupernetCosts checks the weights of known supernets: of the DARTS space as in the released code, and for the others
// sums by hand over their edges.
func TestSupernetCosts(t *testing.T) {
	var edge search.MixedEdge
	count := func(s *search.Space) int {
		spec, err := Supernet(s, CellOptions{Edge: edge})
		if err != nil {
			t.Fatal(err)
		}
		c, err := nn.Count(spec, nn.Shape{H: 32, W: 32, C: 3})
		if err != nil {
			t.Fatal(err)
		}
		net, err := nn.NewNet(spec, nn.Shape{H: 32, W: 32, C: 3})
		if err != nil {
			t.Fatal(err)
		}
		if n := net.Params.Layout.Count(); n != c.Params {
			t.Errorf("%s: the walk counts %d weights, the layout %d", s.Name, c.Params, n)
		}
		return c.Params
	}
	darts := count(search.DARTS())
	if weights := search.DARTS().Weights(); darts != 1930618 || weights != 224 {
		t.Errorf("the DARTS supernet has %d weights and %d α, want 1930618 and 224", darts, weights)
	}
	// Six edges with a 1×1 and a 3×3 convolution each, without gamma and beta, instead of those of the benchmark's cells.
	const perStage = 6 * 5 * (1 + 9) * 16 * 16
	if got, want := count(search.NASBench201()), 73306+perStage*(1+4+16); got != want {
		t.Errorf("the NAS-Bench-201 supernet has %d weights, want %d", got, want)
	}
	// S4 has one separable convolution an edge and nothing else with weights: less than DARTS by the rest.
	sep := func(c, k int) int { return 2 * (k*k*c + c*c) }
	less := 0
	for k, c := range []int{16, 16, 32, 32, 32, 64, 64, 64} {
		less += 14 * (sep(c, 5) + 9*c + c*c + 25*c + c*c)
		if k == 2 || k == 5 {
			less += 8 * c * c // factorized reductions
		}
	}
	if got := count(search.RobustDARTS4()); got != darts-less {
		t.Errorf("the supernet of S4 has %d weights, want %d", got, darts-less)
	}
	// Edges by hand: with candidates on 1/K of the channels, and with a skip beside them, which has weights at stride 2.
	edges := func(part int) (all, skips int) {
		for k, c := range []int{16, 16, 32, 32, 32, 64, 64, 64} {
			c /= part
			all += 14 * (sep(c, 3) + sep(c, 5) + 9*c + c*c + 25*c + c*c)
			if k == 2 || k == 5 {
				skips += 8 * c * c
			}
		}
		return all + skips, skips
	}
	all, skips := edges(1)
	for _, part := range []int{1, 2, 4, 8} {
		narrow, beside := edges(part)
		edge = search.MixedEdge{Part: part}
		if got, want := count(search.DARTS()), darts-all+narrow; got != want {
			t.Errorf("with candidates on 1/%d of the channels it has %d weights, want %d", part, got, want)
		}
		edge.Beside = "skip_connect"
		if got, want := count(search.DARTS()), darts-all+narrow+beside; got != want {
			t.Errorf("with candidates on 1/%d of the channels and a skip beside them it has %d weights, want %d", part, got, want)
		}
	}
	if edge = (search.MixedEdge{Part: 4}); count(search.DARTS()) != 299578 || skips != 40960 {
		t.Errorf("that of PC-DARTS has %d weights, want 299578", count(search.DARTS()))
	}
}

// TestCountingTakesNoActivations checks that what is counted is not run: V2 keeps some hundred megabytes for a batch of
// 96, the walk allocates a few.
func TestCountingTakesNoActivations(t *testing.T) {
	g, err := search.Published("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	spec, err := Derived(g, CellOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nn.Count(spec, nn.Shape{H: 32, W: 32, C: 3}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	const limit = 4 << 20
	if got := after.TotalAlloc - before.TotalAlloc; got > limit {
		t.Errorf("describing and counting V2 allocates %d bytes, want at most %d", got, limit)
	}
}

// TestSampledNetworks trains networks of random cells of every space for a step, and their supernets, with whatever there
// is to switch on.
func TestSampledNetworks(t *testing.T) {
	r := rng.New(5, "networks")
	in := nn.Shape{H: 8, W: 12, C: 2}
	for _, name := range search.SpaceNames() {
		s, _ := search.BuiltinSpace(name)
		o := CellOptions{Input: in, Classes: 3, Channels: 4, Cells: 2}
		specs := make(map[string]nn.Sequential)
		spec, err := Supernet(s, o)
		if err != nil {
			t.Fatal(err)
		}
		specs["supernet"] = spec
		if s.Skeleton == search.Stacked {
			o.Auxiliary, o.DropPath, o.Cells = 0.4, true, 4
		}
		for range 4 {
			g := s.Sample(search.Registry{}, r)
			if specs[g.String()], err = Derived(g, o); err != nil {
				t.Fatal(err)
			}
		}
		for what, spec := range specs {
			text, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			var back nn.Sequential
			if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, spec) {
				t.Errorf("%s, %s: JSON changes the network: %v", name, what, err)
			}
			net, err := nn.NewNet(spec, in)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, what, err)
			}
			if c := net.Cost(); c.Params != net.Params.Layout.Count() || c.Buffers != net.Params.BufferLayout.Count() {
				t.Errorf("%s, %s: the walk counts %+v, the layouts %d and %d", name, what, c, net.Params.Layout.Count(), net.Params.BufferLayout.Count())
			}
			net.Params.Init(1)
			p, err := net.TrainProgram(3, nn.TrainOptions{})
			if err != nil {
				t.Fatal(err)
			}
			p.SetDropPath(0.2)
			x := make([]nn.Float, 3*in.Len())
			for i := range x {
				x[i] = nn.Float(r.NormFloat64())
			}
			result, err := p.Step(x, []int32{0, 1, 2})
			if err != nil {
				t.Fatalf("%s, %s: %v", name, what, err)
			}
			if !(result.Loss > 0 && result.Loss < 100) {
				t.Errorf("%s, %s: the first loss is %v", name, what, result.Loss)
			}
		}
	}
}

// TestEmptyCells checks cells of none and identities alone, whose classifier learns its bias at least.
func TestEmptyCells(t *testing.T) {
	for _, c := range []search.NB201{0, search.NB201Of([6]int{1, 1, 1, 1, 1, 1}), search.NB201Of([6]int{0, 0, 3, 0, 0, 1})} {
		o := CellOptions{Input: nn.Shape{H: 8, W: 8, C: 3}, Classes: 2, Channels: 2, Cells: 1}
		spec, err := Derived(c.Genotype(), o)
		if err != nil {
			t.Fatal(err)
		}
		net, err := nn.NewNet(spec, o.Input)
		if err != nil {
			t.Fatal(err)
		}
		net.Params.Init(1)
		p, err := net.TrainProgram(2, nn.TrainOptions{})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]nn.Float, 2*o.Input.Len())
		for i := range x {
			x[i] = nn.Float(i%5) - 2
		}
		if _, err := p.Step(x, []int32{1, 1}); err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		stem := net.Params.Grad("stem.0.weight")
		learns := slices.ContainsFunc(stem, func(g nn.Float) bool { return g != 0 })
		// A cell without a path still has the blocks between the stages, but the first stage cuts them off.
		if learns != c.Connected() || net.Params.Grad("classifier.bias")[0] == 0 {
			t.Errorf("%v: the stem learns: %v", c, learns)
		}
	}
}

// TestCellErrors checks what is said about networks that cannot be.
func TestCellErrors(t *testing.T) {
	v2, err := search.Published("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := search.Parse("|skip_connect~0|+|nor_conv_3~0|none~1|")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		g    search.Genotype
		o    CellOptions
		want string
	}{
		{v2, CellOptions{Input: nn.Shape{H: 32, W: 30, C: 3}}, "models: images of 32x30: the network halves them 2 times, so that their sides must be divisible by 4"},
		{search.NB201(7).Genotype(), CellOptions{Input: nn.Shape{H: 6, W: 8, C: 3}}, "models: images of 6x8"},
		{unknown, CellOptions{}, `no primitive "nor_conv_3"; the nearest is "nor_conv_3x3"`},
		{search.Genotype{}, CellOptions{}, "no edges"},
		{v2, CellOptions{Channels: -1}, "-1 channels"},
		{v2, CellOptions{Cells: -1}, "-1 cells"},
		{v2, CellOptions{Classes: -1}, "-1 classes"},
		{v2, CellOptions{Auxiliary: -1}, "weight -1"},
		{search.NB201(7).Genotype(), CellOptions{Auxiliary: 1}, "neither an auxiliary head nor drop path"},
		{v2, CellOptions{Edge: search.MixedEdge{Part: 2}}, "which supernets have alone"},
	} {
		if _, err := Derived(c.g, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %+v: %v, want …%s…", c.g, c.o, err, c.want)
		}
	}
	one, err := Derived(v2, CellOptions{Input: nn.Shape{H: 6, W: 6, C: 3}, Cells: 1})
	if err != nil {
		t.Errorf("one cell halves images of 6x6 once: %v", err)
	} else if out, err := one.Out(nn.Shape{H: 6, W: 6, C: 3}); err != nil || out.C != 10 {
		t.Errorf("%v, %v", out, err)
	}
	space := search.DARTS()
	space.Cells[0].Keep = 5
	if _, err := Supernet(space, CellOptions{}); err == nil || !strings.Contains(err.Error(), "nothing can be derived") {
		t.Error(err)
	}
	for want, o := range map[string]CellOptions{
		"18 channels, of which candidates get 1/4": {Channels: 18, Edge: search.MixedEdge{Part: 4}},
		`no primitive "skip"`:                      {Edge: search.MixedEdge{Beside: "skip"}},
	} {
		if _, err := Supernet(search.DARTS(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want …%s…", err, want)
		}
	}
	if _, err := Supernet(search.DARTS(), CellOptions{Input: nn.Shape{H: 7, W: 7, C: 3}}); err == nil || !strings.Contains(err.Error(), "images of 7x7") {
		t.Error(err)
	}
}

// TestTripleNetwork checks that nodes without edges cost nothing: their channels are missing in the output.
func TestTripleNetwork(t *testing.T) {
	g, err := search.Parse(`Genotype(normal=[('skip_connect', 2, 0), ('max_pool_3x3', 4, 1), ('sep_conv_3x3', 5, 3)], normal_concat=range(2, 6),
		reduce=[('skip_connect', 2, 0), ('max_pool_3x3', 2, 0), ('max_pool_3x3', 3, 2)], reduce_concat=range(2, 4))`)
	if err != nil {
		t.Fatal(err)
	}
	in := nn.Shape{H: 8, W: 8, C: 3}
	spec, err := Derived(g, CellOptions{Input: in, Channels: 4, Cells: 4})
	if err != nil {
		t.Fatal(err)
	}
	channels := make(map[string]int)
	err = nn.Walk(spec, in, func(s nn.Site) error {
		channels[s.Name] = s.In.C
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"cells.1.preprocess1.op.1": 2 * 4, "cells.2.preprocess1.op.1": 2 * 8, "classifier": 2 * 16, "cells.3._ops.2.op.1": 0} {
		if channels[name] != want {
			t.Errorf("%s reads %d channels, want %d", name, channels[name], want)
		}
	}
}
