package nn

import (
	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"espalier/internal/kernels"
)

// Loss is what a training program minimises.
type Loss interface {
	// Loss returns the mean loss of logits (N,K) against labels (N), and how many rows are classified rightly. It writes
	// the gradient of the mean loss (N,K) unless grad is nil.
	Loss(grad, logits []Float, labels []int32, k int) (loss float64, correct int)
}

// CrossEntropy is the softmax cross-entropy with label smoothing: the target of the label is 1−Smoothing+Smoothing/K, of the
// other classes Smoothing/K (Szegedy et al., 2016).
type CrossEntropy struct{ Smoothing float64 }

// Loss computes the cross-entropy. A label outside [0,K) panics.
func (c CrossEntropy) Loss(grad, logits []Float, labels []int32, k int) (loss float64, correct int) {
	return kernels.CrossEntropy(grad, logits, labels, k, c.Smoothing)
}

// lossOp is the node of a Loss. The gradient is computed together with the loss and kept.
type lossOp struct {
	graphOp
	loss    Loss
	grad    []Float // (N,K)
	mean    float64
	correct int
}

// applyLoss adds the loss of logits (N,1,1,K) against labels (N) to the graph; grad is memory for its gradient.
func (g *Graph) applyLoss(loss Loss, grad []Float, logits, labels *G.Node) (*G.Node, *lossOp, error) {
	k := logits.Shape()[3]
	o := &lossOp{loss: loss, grad: grad}
	types := []hm.Type{tensorType(4), G.TensorType{Dims: 1, Of: tensor.Int32}}
	o.graphOp = g.newOp("loss", types, hm.TypeVariable('a'), tensor.ScalarShape(), func(in []G.Value) G.Value {
		o.mean, o.correct = o.loss.Loss(o.grad, data(in[0]), in[1].Data().([]int32), k)
		g.run.Lap("loss", Forward)
		return newScalar(Float(o.mean))
	})
	n, err := g.apply(o, logits, labels)
	return n, o, err
}

// Loss adds the loss of logits (N,1,1,K) against labels (N), a vector of int32, to the graph; grad is memory for the gradient at
// the logits.
func (g *Graph) Loss(loss Loss, grad []Float, logits, labels *G.Node) (*LossNode, error) {
	n, op, err := g.applyLoss(loss, grad, logits, labels)
	return &LossNode{n, op}, err
}

// LossNode is a loss in a graph, a scalar.
type LossNode struct {
	*G.Node
	op *lossOp
}

// Value is the mean loss of the last run and how many images were classified rightly.
func (n *LossNode) Value() (loss float64, correct int) { return n.op.mean, n.op.correct }

// DiffWRT is true for the logits.
func (o *lossOp) DiffWRT(int) []bool { return []bool{true, false} }

// SymDiff adds the gradient at the logits to the graph.
func (o *lossOp) SymDiff(in G.Nodes, out, grad *G.Node) (G.Nodes, error) {
	header := dense(o.grad, in[0].Shape())
	scalar := hm.TypeVariable('a')
	back := o.g.newOp("loss gradient", []hm.Type{tensorType(4), scalar, scalar}, tensorType(4), in[0].Shape(), func(v []G.Value) G.Value {
		if s := data(v[2])[0]; s != 1 {
			kernels.Scale(o.grad, s)
		}
		o.g.run.Lap("loss", Backward)
		return header
	})
	back.unit = o.name
	n, err := o.g.apply(&back, in[0], out, grad)
	return G.Nodes{n, nil}, err
}
