package search

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"espalier/nn"
)

// TestBuiltin checks that the spaces are valid, and their sizes.
func TestBuiltin(t *testing.T) {
	for name, want := range map[string]struct{ edges, weights int }{
		"darts": {28, 224}, "nas-bench-201": {6, 30}, "robustdarts-s1": {28, 56}, "robustdarts-s2": {28, 56},
		"robustdarts-s3": {28, 84}, "robustdarts-s4": {28, 56},
	} {
		s, ok := BuiltinSpace(name)
		if !ok {
			t.Fatalf("no space %s", name)
		}
		if err := s.Validate(Registry{}); err != nil {
			t.Error(err)
		}
		edges := 0
		for _, c := range s.Cells {
			edges += len(c.Edges)
		}
		if s.Name != name || edges != want.edges || s.Weights() != want.weights {
			t.Errorf("%s has the name %s, %d edges and %d weights, want %+v", name, s.Name, edges, s.Weights(), want)
		}
	}
	if got := SpaceNames(); len(got) != 6 || got[0] != "darts" {
		t.Errorf("spaces %v", got)
	}
	if _, ok := BuiltinSpace("dart"); ok {
		t.Error("there is a space dart")
	}
	a, b := DARTS(), DARTS()
	a.Cells[0].Edges[0].Primitives[0] = "changed"
	if b.Cells[0].Edges[0].Primitives[0] != "none" || a.Cells[0].Edges[1].Primitives[0] != "none" {
		t.Error("spaces share memory")
	}
}

// TestDARTSOrder checks the order of primitives and edges, which files of others rely on.
func TestDARTSOrder(t *testing.T) {
	s := DARTS()
	want := strings.Fields("none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5")
	for _, c := range s.Cells {
		for i, e := range c.Edges {
			if !slices.Equal(e.Primitives, want) {
				t.Errorf("edge %d has %v", i, e.Primitives)
			}
		}
		at := 0
		for node := 2; node < 6; node++ {
			from, to := c.Incoming(node)
			if from != at || to != at+node {
				t.Errorf("node %d has the edges from %d to %d", node, from, to)
			}
			for i := from; i < to; i++ {
				if c.Edges[i].From != i-from || c.Edges[i].To != node {
					t.Errorf("edge %d is %+v", i, c.Edges[i])
				}
			}
			at = to
		}
	}
	if got := NASBench201().Cells[0].Edges[2]; got.From != 1 || got.To != 2 || got.Primitives[3] != "nor_conv_3x3" {
		t.Errorf("edge 2 of NAS-Bench-201 is %+v", got)
	}
	if e := RobustDARTS1().Cells[1].Edges[6]; !slices.Equal(e.Primitives, []string{"max_pool_3x3", "sep_conv_3x3"}) {
		t.Errorf("edge 6 of the reduce cell of S1 is %+v", e)
	}
}

// TestPrimitives builds every primitive in every place and checks what a primitive promises: the channels stay, and the
// stride divides the image.
func TestPrimitives(t *testing.T) {
	for _, name := range (Registry{}).Names() {
		p, err := Registry{}.Lookup(name)
		if err != nil || p.Name != name {
			t.Fatalf("%s: %+v, %v", name, p, err)
		}
		for _, place := range []Place{{6, 1, false, false}, {6, 2, false, false}, {6, 1, true, true}, {6, 2, true, true}} {
			in, out := nn.Shape{H: 8, W: 4, C: 6}, nn.Shape{H: 8 / place.Stride, W: 4 / place.Stride, C: 6}
			layers := p.Layers(place)
			if got, err := layers.Out(in); err != nil || got != out {
				t.Errorf("%s at %+v: %v becomes %v, %v", name, place, in, got, err)
			}
			norms, affine := 0, 0
			err := nn.Walk(layers, in, func(s nn.Site) error {
				if s.Spec.Kind() == "batch_norm" {
					norms++
					affine += len(s.Spec.Params(s.In)) - 2
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if place.Plain != (affine == 0) && norms > 0 {
				t.Errorf("%s at %+v has %d batch norms with %d gammas and betas", name, place, norms, affine)
			}
			if pool := strings.HasSuffix(name, "pool_3x3"); pool && (norms == 1) != place.PoolNorm {
				t.Errorf("%s at %+v has %d batch norms", name, place, norms)
			}
		}
	}
}

// TestPrimitiveCosts checks the weights of each primitive of the DARTS space at 16 channels against sums by hand.
func TestPrimitiveCosts(t *testing.T) {
	const c = 16
	for name, want := range map[string]int{
		"none": 0, "max_pool_3x3": 0, "avg_pool_3x3": 0, "skip_connect": 0, "noise": 0,
		"sep_conv_3x3": 2 * (9*c + c*c), "sep_conv_5x5": 2 * (25*c + c*c), "sep_conv_7x7": 2 * (49*c + c*c),
		"dil_conv_3x3": 9*c + c*c, "dil_conv_5x5": 25*c + c*c, "nor_conv_1x1": c * c, "nor_conv_3x3": 9 * c * c,
	} {
		p, err := Registry{}.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		for stride := 1; stride <= 2; stride++ {
			cost, err := nn.Count(p.Layers(Place{Channels: c, Stride: stride, Plain: true, PoolNorm: true}), nn.Shape{H: 8, W: 8, C: c})
			if err != nil {
				t.Fatal(err)
			}
			if name == "skip_connect" && stride == 2 {
				want = c * c
			}
			if cost.Params != want {
				t.Errorf("%s at stride %d has %d weights, want %d", name, stride, cost.Params, want)
			}
		}
	}
}

func TestRegistry(t *testing.T) {
	r := With(Primitive{Name: "mine", Layers: skip}, Primitive{Name: "none", Layers: none})
	if p, err := r.Lookup("none"); err != nil || p.None {
		t.Errorf("the given none is not the one found: %+v, %v", p, err)
	}
	if p, err := (Registry{}).Lookup("none"); err != nil || !p.None {
		t.Errorf("a registry changed another: %+v, %v", p, err)
	}
	if _, err := r.Lookup("mina"); err == nil || !strings.Contains(err.Error(), `no primitive "mina"; the nearest is "mine"`) {
		t.Error(err)
	}
	if n := len(r.Names()); n != len(table)+1 {
		t.Errorf("%d names", n)
	}
}

// TestSpaceErrors checks that what is no space is refused.
func TestSpaceErrors(t *testing.T) {
	for want, change := range map[string]func(*Space){
		`unknown skeleton "tree"`:                                  func(s *Space) { s.Skeleton = "tree" },
		"1 kinds of cell":                                          func(s *Space) { s.Cells = s.Cells[:1] },
		`cell 1 is named "x"`:                                      func(s *Space) { s.Cells[1].Name = "x" },
		"0 nodes; want 1 to 62":                                    func(s *Space) { s.Cells[0].Nodes = 0 },
		"edge 3→2: edges lead from a node to a later":              func(s *Space) { s.Cells[0].Edges[0].From = 3 },
		"edge 4→9":                                                 func(s *Space) { s.Cells[0].Edges[13].To = 9 },
		"edge 1→2 stands after 1→2":                                func(s *Space) { s.Cells[0].Edges[0].From = 1 },
		"edge 0→2 has no primitives":                               func(s *Space) { s.Cells[0].Edges[0].Primitives = nil },
		`no primitive "sep_conv_3"; the nearest is "sep_conv_3x3"`: func(s *Space) { s.Cells[0].Edges[0].Primitives[4] = "sep_conv_3" },
		"has none twice":                                           func(s *Space) { s.Cells[0].Edges[0].Primitives[4] = "none" },
		"no node makes the output":                                 func(s *Space) { s.Cells[0].Concat = nil },
		"the output names node 1":                                  func(s *Space) { s.Cells[0].Concat = []int{1} },
		"the output names node 2":                                  func(s *Space) { s.Cells[0].Concat = []int{2, 2} },
		"keep is -1":                                               func(s *Space) { s.Cells[0].Keep = -1 },
		"nothing can be derived: node 2 needs 3 edges with an operation other than none, and has 2": func(s *Space) { s.Cells[0].Keep = 3 },
		"node 2 needs 2 edges with an operation other than none, and has 1": func(s *Space) {
			s.Cells[1].Edges[0].Primitives = []string{"none"}
		},
	} {
		s := DARTS()
		change(s)
		if err := s.Validate(Registry{}); err == nil || !strings.HasPrefix(err.Error(), "search: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want …%s…", err, want)
		}
	}
	s := NASBench201()
	s.Cells[0].Concat = []int{2}
	if err := s.Validate(Registry{}); err == nil || !strings.Contains(err.Error(), "wants the last, 3") {
		t.Error(err)
	}
}

// TestYAML checks that every space survives YAML, and that what is left out is the skeleton's.
func TestYAML(t *testing.T) {
	for _, name := range SpaceNames() {
		s, _ := BuiltinSpace(name)
		text, err := yaml.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseSpace(text, Registry{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(back, s) {
			t.Errorf("%s came back as another space: %+v", name, back)
		}
	}
	short, err := ParseSpace([]byte("name: robustdarts-s3\nprimitives: [none, skip_connect, sep_conv_3x3]\n"), Registry{})
	if err != nil || !reflect.DeepEqual(short, RobustDARTS3()) {
		t.Errorf("a short S3 is %+v, %v", short, err)
	}
	short, err = ParseSpace([]byte("name: nas-bench-201\nskeleton: nas-bench-201\nprimitives: [none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3]\n"), Registry{})
	if err != nil || !reflect.DeepEqual(short, NASBench201()) {
		t.Errorf("a short NAS-Bench-201 is %+v, %v", short, err)
	}
	own, err := ParseSpace([]byte(`
name: mine
primitives: [skip_connect, sep_conv_3x3]
cells:
  - {name: normal, nodes: 2, keep: 1, concat: [3], primitives: [none, dil_conv_3x3]}
  - name: reduce
    edges:
      - {from: 0, to: 2, primitives: [max_pool_3x3, skip_connect, noise]}
      - {from: 1, to: 2}
      - {from: 0, to: 3}
      - {from: 2, to: 3}
      - {from: 0, to: 4}
      - {from: 3, to: 4}
      - {from: 0, to: 5}
      - {from: 1, to: 5}
`), Registry{})
	if err != nil {
		t.Fatal(err)
	}
	a := NewAlpha(own)
	if own.Weights() != 5*2+3+7*2 || len(a.Values) != own.Weights() || a.Row(1, 0) != (Row{10, 3}) || a.Row(1, 1) != (Row{13, 2}) {
		t.Errorf("%d weights, rows of the reduce cell %v and %v", own.Weights(), a.Row(1, 0), a.Row(1, 1))
	}
	documented := exampleOf(t, "yaml.go")
	if s, err := ParseSpace(documented, Registry{}); err != nil || s.Name != "mine" || s.Weights() != 9*3+2+3 {
		t.Errorf("the documentation's space is %+v, %v:\n%s", s, err, documented)
	}
	for text, want := range map[string]string{
		"":                            "EOF",
		"name: a\nnodes: 3":           "field nodes not found",
		"name: a":                     "edge 0→2 has no primitives",
		"primitives: [none]":          "it has no name",
		"name: a\n---\nname: b":       "more than one document",
		"name: a\nskeleton: tree":     "unknown skeleton",
		"name: a\nprimitives: [none]": "nothing can be derived",
		"name: a\nprimitives: [nine]": `the nearest is "none"`,
		"name: a\ncells: [{name: normal, nodes: 100000000}]":                 "want 1 to 62",
		"name: a\nprimitives: [noise]\ncells: [{name: reduce}]":              `is named "reduce"`,
		"name: a\nprimitives: [noise]\ncells: [{name: normal, edges: [{}]}]": "edge 0→0",
	} {
		if _, err := ParseSpace([]byte(text), Registry{}); err == nil || !strings.HasPrefix(err.Error(), "search: space") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want …%s…", text, err, want)
		}
	}
}

// exampleOf is the indented text in the comments of a source file.
func exampleOf(t *testing.T, file string) []byte {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for line := range strings.Lines(string(source)) {
		if example, ok := strings.CutPrefix(line, "//\t"); ok {
			text = append(text, example...)
		}
	}
	return text
}

// FuzzSpace checks that what is read as a space is one, and survives YAML.
func FuzzSpace(f *testing.F) {
	for _, text := range []string{ // short: the fuzzer takes its time over long ones
		"name: a\nprimitives: [noise]",
		"name: a\nskeleton: nas-bench-201\nprimitives: [none]",
		"name: a\nprimitives: [none, noise]\ncells: [{name: normal, nodes: 1, edges: [{from: 0, to: 2}, {from: 1, to: 2, primitives: [noise]}]}]",
	} {
		f.Add([]byte(text))
	}
	f.Add([]byte("name: a\nprimitives: [none, noise]\ncells:\n  - {name: normal, nodes: 2, keep: 0, concat: [3]}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseSpace(text, Registry{})
		if err != nil {
			return
		}
		if err := s.Validate(Registry{}); err != nil {
			t.Fatal(err)
		}
		if _, err := Derive(s, Registry{}, NewAlpha(s).Softmax()); err != nil {
			t.Fatal(err)
		}
		again, err := yaml.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseSpace(again, Registry{})
		if err != nil || !reflect.DeepEqual(back, s) {
			t.Fatalf("%s came back as %+v, %v", again, back, err)
		}
	})
}
