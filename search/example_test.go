package search_test

import (
	"fmt"

	"espalier/internal/rng"
	"espalier/models"
	"espalier/nn"
	"espalier/search"
)

// From α to a genotype: a search moves α, the largest of every edge make the cell.
func Example() {
	space := search.NASBench201()
	alpha := search.NewAlpha(space)
	for edge := range space.Cells[0].Edges {
		row := alpha.Row(0, edge).Of(alpha.Values)
		row[3-edge/2] = 1 // two edges each prefer nor_conv_3x3, nor_conv_1x1 and skip_connect
	}
	g, err := search.Derive(space, search.Registry{}, alpha.Softmax())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(g)
	cell, err := search.NB201From(g)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the benchmark's cell", cell.Index())
	// Output:
	// |nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|
	// the benchmark's cell 15566
}

// Cells nested by node, or with ranges, are read as well, and printed as DARTS prints them.
func ExampleParse() {
	g, err := search.Parse(`Genotype(
		normal=[[('sep_conv_3x3', 1), ('skip_connect', 0)], [('dil_conv_3x3', 2), ('skip_connect', 0)]], normal_concat=range(2, 4),
		reduce=[[('max_pool_3x3', 0), ('max_pool_3x3', 1)], [('skip_connect', 2), ('max_pool_3x3', 1)]], reduce_concat=range(2, 4))`)
	fmt.Println(g, err)

	_, err = search.Parse("Genotype(normal=[('sep_conv_3x3', 1) ('skip_connect', 0)])")
	fmt.Println(err)
	// Output:
	// Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('dil_conv_3x3', 2), ('skip_connect', 0)], normal_concat=[2, 3], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3]) <nil>
	// search: genotype: line 1, column 38: expected ',' or ']', found "("
}

// squeezeExcite is a primitive of one's own (Hu et al., 2018): from the mean of each channel, two small layers compute a
// factor for it, by which its pixels are multiplied. At stride 2 it averages first. Layers that nn does not have are types
// that implement nn.Leaf.
func squeezeExcite(p search.Place) nn.Sequential {
	var layers nn.Sequential
	if p.Stride == 2 {
		layers = append(layers, nn.Named{Name: "pool", Spec: nn.AvgPool{Kernel: 3, Stride: 2, Pad: 1}})
	}
	layers = append(layers, nn.Named{Spec: nn.DAG{Vertices: []nn.Vertex{
		{From: []int{0}, Layers: nn.Sequential{
			{Name: "squeeze", Spec: nn.GlobalAvgPool{}},
			{Name: "fc1", Spec: nn.Linear{Channels: max(1, p.Channels/4)}},
			{Name: "relu", Spec: nn.ReLU{}},
			{Name: "fc2", Spec: nn.Linear{Channels: p.Channels}},
			{Name: "sigmoid", Spec: nn.Sigmoid{}},
		}},
		{From: []int{0, 1}, Join: nn.Scale},
	}}})
	if p.PoolNorm { // in a supernet it has no batch norm of its own to compare by
		layers = append(layers, nn.Named{Name: "bn", Spec: nn.BatchNorm{Plain: p.Plain}})
	}
	return layers
}

// A space of one's own: a primitive in Go, a space in YAML that names it, its supernet's weights, a genotype, and the
// network of that, which learns to tell bright images from dark ones.
func ExampleWith() {
	registry := search.With(search.Primitive{Name: "squeeze_excite", Layers: squeezeExcite})
	space, err := search.ParseSpace([]byte(`
name: squeezed
skeleton: darts
cells:
  - name: normal
    nodes: 2
    primitives: [none, skip_connect, sep_conv_3x3, squeeze_excite]
  - name: reduce
    nodes: 2
    primitives: [max_pool_3x3, squeeze_excite]
`), registry)
	if err != nil {
		fmt.Println(err)
		return
	}
	images := nn.Shape{H: 8, W: 8, C: 1}
	options := models.CellOptions{Input: images, Classes: 2, Channels: 4, Cells: 3, Primitives: registry}
	supernet, err := models.Supernet(space, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	cost, err := nn.Count(supernet, images)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(space.Name, "has", space.Weights(), "α and", cost.Params, "weights")

	alpha := search.NewAlpha(space)
	for cell, c := range space.Cells {
		for edge := range c.Edges { // as a search might: the last candidate of every edge leads
			row := alpha.Row(cell, edge).Of(alpha.Values)
			row[len(row)-1] = nn.Float(1 + edge)
		}
	}
	genotype, err := search.Derive(space, registry, alpha.Softmax())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(genotype)

	spec, err := models.Derived(genotype, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	net, err := nn.NewNet(spec, images)
	if err != nil {
		fmt.Println(err)
		return
	}
	net.Params.Init(1)
	const batch = 16
	train, err := net.TrainProgram(batch, nn.TrainOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := rng.New(1, "images")
	x, labels := make([]nn.Float, batch*images.Len()), make([]int32, batch)
	var last nn.Result
	for range 40 {
		for i := range x {
			n := i / images.Len()
			labels[n] = int32(n % 2)
			x[i] = nn.Float(r.NormFloat64() + float64(labels[n]))
		}
		if last, err = train.Step(x, labels); err != nil {
			fmt.Println(err)
			return
		}
		for i, g := range net.Params.Grads {
			net.Params.Values[i] -= 0.05 * g
		}
	}
	fmt.Printf("more than 13 of %d right: %v\n", last.N, last.Correct > 13)

	_, err = search.ParseSpace([]byte("name: typo\nprimitives: [squeze_excite]"), registry)
	fmt.Println(err)
	// Output:
	// squeezed has 30 α and 2373 weights
	// Genotype(normal=[('squeeze_excite', 1), ('squeeze_excite', 0), ('squeeze_excite', 2), ('squeeze_excite', 1)], normal_concat=[2, 3], reduce=[('squeeze_excite', 1), ('squeeze_excite', 0), ('squeeze_excite', 2), ('squeeze_excite', 1)], reduce_concat=[2, 3])
	// more than 13 of 16 right: true
	// search: space "typo": normal: edge 0→2: no primitive "squeze_excite"; the nearest is "squeeze_excite"
}
