package nn

import (
	"errors"
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TrainOptions says what a training program computes.
type TrainOptions struct {
	Loss       Loss       // nil: CrossEntropy{}
	Statistics Statistics // at first; SetStatistics changes it
}

// TrainProgram computes losses and gradients of full batches. It holds no optimizer.
type TrainProgram struct {
	*Program
	labels []int32 // (N), the graph's input
	loss   *lossOp
}

// TrainProgram builds a program that differentiates the loss of batch images with respect to all weights, bound to n.Params.
//
// Programs of one net share their memory: run them in turn, and build the largest, which is the one that trains, first.
func (n *Net) TrainProgram(batch int, o TrainOptions) (*TrainProgram, error) {
	if n.Params.Layout.Size() == 0 {
		return nil, errors.New("nn: the network has no weights to train")
	}
	if n.Out.H != 1 || n.Out.W != 1 {
		return nil, fmt.Errorf("nn: the network ends in %v, a loss needs logits (1x1xK): a global average pool is missing", n.Out)
	}
	if o.Loss == nil {
		o.Loss = CrossEntropy{}
	}
	p, logits, err := newProgram(n, batch, true)
	if err != nil {
		return nil, err
	}
	p.run.Statistics = o.Statistics
	t := &TrainProgram{Program: p, labels: make([]int32, batch)}
	labels := G.NewTensor(p.graph.Expr, tensor.Int32, 1, G.WithShape(batch), G.WithName("labels"),
		G.WithValue(tensor.New(tensor.WithShape(batch), tensor.WithBacking(t.labels))))
	cost, loss, err := p.graph.applyLoss(o.Loss, p.lossGrad.Data, logits, labels)
	if err != nil {
		return nil, err
	}
	t.loss = loss
	p.run.loss, p.run.labels = o.Loss, t.labels
	var weights G.Nodes
	for _, u := range p.units {
		if u.weights != nil {
			weights = append(weights, u.weights)
		}
	}
	if _, err := p.graph.Grad(cost, weights...); err != nil {
		return nil, err
	}
	p.vm, err = p.graph.Machine()
	return t, err
}

// Step writes the gradient of the mean loss to Params().Grads and returns the loss, for the images x (N,H,W,C) and their
// labels (N), N the program's batch; what auxiliary heads add is part of it. It allocates nothing that grows with the batch.
func (t *TrainProgram) Step(x []Float, labels []int32) (Result, error) {
	if len(labels) != t.batch {
		panic(fmt.Sprintf("nn: a training step of %d images got %d labels", t.batch, len(labels)))
	}
	if err := t.checkLabels(labels); err != nil {
		return Result{}, err
	}
	t.load(x, t.batch)
	copy(t.labels, labels)
	t.run.auxiliary = 0
	if err := t.graph.Run(t.vm); err != nil {
		return Result{}, err
	}
	return Result{Loss: t.loss.mean + t.run.auxiliary, Correct: t.loss.correct, N: t.batch}, nil
}
