package nn

import (
	"errors"
	"fmt"
	"hash/fnv"
	"runtime"
	"strconv"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
)

// doubling is the operation y = 2x. It counts its forward passes.
type doubling struct{ calls *int }

func (o doubling) Forward(y []Float, in [][]Float) {
	if o.calls != nil {
		*o.calls++
	}
	for i, v := range in[0] {
		y[i] = 2 * v
	}
}

func (doubling) Backward(d, in [][]Float, y, g []Float) {
	for i, v := range g {
		d[0][i] = 2 * v
	}
}

func applyDoubling(g *Graph, o doubling, name string, x *G.Node) (*Node, error) {
	return g.Apply(o, Place{Name: name, Shape: []int{3}, Out: make([]Float, 3), Grads: [][]Float{make([]Float, 3)}}, x)
}

// TestCollision forces two nodes to share a hash, which must not go unnoticed: Gorgonia would run one of them only.
func TestCollision(t *testing.T) {
	// Equal hashes of operations on equal inputs: Gorgonia merges the nodes as the second is added.
	g := NewGraph(new(Run))
	g.number = func() uint64 { return 7 }
	x := g.Input("x", []Float{1, 2, 3}, 3)
	if _, err := applyDoubling(g, doubling{}, "first", x); err != nil {
		t.Fatal(err)
	}
	if _, err := applyDoubling(g, doubling{}, "second", x); err == nil || !strings.Contains(err.Error(), "second and first have the same hash") {
		t.Errorf("two operations of one hash: %v", err)
	}

	// Equal hashes of nodes whose operations differ: Gorgonia's compiler merges them, as the next test shows.
	g, vm, _, err := collidingGraph(t)
	if err == nil || !strings.Contains(err.Error(), "have the same hash") {
		t.Errorf("two nodes of one hash: %v, %v, %v", err, g, vm)
	}
}

// TestCollisionMatters shows what the check is for: with colliding nodes, Gorgonia runs one operation instead of two.
func TestCollisionMatters(t *testing.T) {
	g, _, calls, _ := collidingGraph(t)
	if err := g.Run(G.NewTapeMachine(g.Expr)); err != nil {
		t.Fatal(err)
	}
	if *calls != 1 {
		t.Errorf("Gorgonia ran %d operations of a graph of 2 with one hash: if it can tell them apart, the check is not needed", *calls)
	}
}

// collidingGraph makes a graph of two different operations whose nodes have the same hash, and compiles it.
func collidingGraph(t *testing.T) (g *Graph, vm G.VM, calls *int, err error) {
	t.Helper()
	probe := NewGraph(new(Run))
	node, err := applyDoubling(probe, doubling{}, "probe", probe.Input("x", []Float{1, 2, 3}, 3))
	if err != nil {
		t.Fatal(err)
	}
	// A node's hash is FNV-1a of its type, shape, operation and children, a bijection of its state after the operation:
	// two numbers that agree there are found among some hundred thousand.
	h := fnv.New32a()
	fmt.Fprintf(h, "%v%v", node.Type(), node.Shape())
	var ids [2]uint64
	seen := make(map[uint32]uint64)
	for id := uint64(1); ids[1] == 0; id++ {
		state := h.Sum32()
		for _, b := range strconv.AppendUint([]byte(hashPrefix), id, 10) {
			state = (state ^ uint32(b)) * 16777619
		}
		if first, ok := seen[state]; ok {
			ids = [2]uint64{first, id}
		}
		seen[state] = id
	}
	g = NewGraph(new(Run))
	next := 0
	g.number = func() uint64 { next++; return ids[next-1] }
	calls = new(int)
	x := g.Input("x", []Float{1, 2, 3}, 3)
	for _, name := range []string{"first", "second"} {
		if _, err := applyDoubling(g, doubling{calls}, name, x); err != nil {
			t.Fatal(err)
		}
	}
	vm, err = g.Machine()
	return g, vm, calls, err
}

// TestInputNames checks that inputs cannot be taken for one another either.
func TestInputNames(t *testing.T) {
	g := NewGraph(new(Run))
	g.Input("x", []Float{1, 2, 3}, 3)
	defer func() {
		if r := recover(); r == nil {
			t.Error("a second input of the same name was accepted")
		}
	}()
	g.Input("x", []Float{4, 5, 6}, 3)
}

func TestOperationNumbers(t *testing.T) {
	net := smallNet(t)
	p, err := net.TrainProgram(2, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[uint32]bool)
	ops := 0
	for _, n := range p.graph.Expr.AllNodes() {
		if n.Op() == nil {
			continue
		}
		ops++
		seen[n.Op().Hashcode()] = true
	}
	if len(seen) != ops {
		t.Errorf("%d operations have %d hashes", ops, len(seen))
	}
}

// TestPanic checks that a panic in an operation ends in an error, in the forward and in the backward pass.
func TestPanic(t *testing.T) {
	g := NewGraph(new(Run))
	_, err := g.Apply(failing{}, Place{Name: "bad", Shape: []int{1}, Out: make([]Float, 1), Grads: [][]Float{nil}}, g.Input("x", []Float{1}, 1))
	if err != nil {
		t.Fatal(err)
	}
	vm, err := g.Machine()
	if err != nil {
		t.Fatal(err)
	}
	err = g.Run(vm)
	var le *LayerError
	if !errors.As(err, &le) || le.Layer != "bad" || err.Error() != "nn: bad: out of luck" || !errors.Is(err, errLuck) {
		t.Errorf("a panic became %v", err)
	}
}

var errLuck = errors.New("out of luck")

type failing struct{}

func (failing) Forward([]Float, [][]Float)            { panic(errLuck) }
func (failing) Backward(_, _ [][]Float, _, _ []Float) {}

// TestAllocations checks that a step allocates a little for Gorgonia, whatever the batch.
func TestAllocations(t *testing.T) {
	bytes := func(batch int) uint64 {
		net := smallNet(t)
		p, err := net.TrainProgram(batch, TrainOptions{})
		if err != nil {
			t.Fatal(err)
		}
		x, labels := batchOf(net, batch, 1)
		step := func() {
			if _, err := p.Step(x, labels); err != nil {
				t.Fatal(err)
			}
		}
		step()
		const steps = 10
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range steps {
			step()
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / steps
	}
	small, large := bytes(2), bytes(32)
	t.Logf("%d bytes a step of 2 images, %d of 32", small, large)
	const limit, noise = 16 << 10, 4 << 10
	if small > limit || large > small+noise {
		t.Errorf("a step of 2 images allocates %d bytes, of 32 images %d; want at most %d, whatever the batch", small, large, limit)
	}
}
