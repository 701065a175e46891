package nn

import (
	"errors"
	"fmt"
)

// EvalOptions says what an evaluation program computes.
type EvalOptions struct {
	Loss Loss // nil: CrossEntropy{}
	// BatchStatistics normalises by the statistics of the batch instead of the running ones, for weights or architectures
	// that the running ones do not belong to. Batches must then be full.
	BatchStatistics bool
}

// EvalProgram computes logits and losses, without gradients.
type EvalProgram struct {
	*Program
	loss   Loss
	logits []Float // (N,K)
}

// EvalProgram builds a program that evaluates up to batch images at a time, bound to n.Params.
func (n *Net) EvalProgram(batch int, o EvalOptions) (*EvalProgram, error) {
	if o.Loss == nil {
		o.Loss = CrossEntropy{}
	}
	p, _, err := newProgram(n, batch, false)
	if err != nil {
		return nil, err
	}
	p.run.Statistics = RunningStatistics
	if o.BatchStatistics {
		p.run.Statistics = BatchStatistics
	}
	e := &EvalProgram{Program: p, loss: o.Loss, logits: p.units[len(p.units)-1].y.Data}
	p.vm, err = p.graph.Machine()
	return e, err
}

// Logits computes the logits (n,K) of n images x (n,H,W,C), n at most the program's batch. They are valid until the next
// pass of this program.
func (e *EvalProgram) Logits(x []Float, n int) ([]Float, error) {
	if n < 1 || n > e.batch {
		panic(fmt.Sprintf("nn: a program for up to %d images got %d", e.batch, n))
	}
	if n < e.batch && e.run.Statistics != RunningStatistics {
		return nil, fmt.Errorf("nn: %d images for a program of %d: with the batch's statistics the batch must be full", n, e.batch)
	}
	e.load(x, n)
	if err := e.graph.Run(e.vm); err != nil {
		return nil, err
	}
	return e.logits[:n*e.net.Out.Len()], nil
}

// Eval computes the loss of the images x (n,H,W,C) with labels (n), n at most the program's batch: the last images of a data
// set need not fill it, and each counts once.
func (e *EvalProgram) Eval(x []Float, labels []int32) (Result, error) {
	if e.net.Out.H != 1 || e.net.Out.W != 1 {
		return Result{}, errors.New("nn: a loss needs logits (1x1xK)")
	}
	if err := e.checkLabels(labels); err != nil {
		return Result{}, err
	}
	logits, err := e.Logits(x, len(labels))
	if err != nil {
		return Result{}, err
	}
	r := Result{N: len(labels)}
	r.Loss, r.Correct = e.loss.Loss(nil, logits, labels, e.net.Out.C)
	return r, nil
}
