package train

import (
	"context"

	"espalier/datasets"
	"espalier/nn"
)

// Evaluate runs every image of data through the program once, the last batch, which may not be full, included. It returns
// the mean loss and the number of images classified rightly. report, unless nil, is called after every batch with the
// number of images done. When ctx ends, it gives up with ctx's error.
func Evaluate(ctx context.Context, p *nn.EvalProgram, data *datasets.Loader, report func(done, total int)) (nn.Result, error) {
	var sum nn.Result
	size := data.Shape().Len()
	data.Start(0, 0)
	for b := data.Next(); b != nil; b = data.Next() {
		if err := ctx.Err(); err != nil {
			return nn.Result{}, err
		}
		r, err := p.Eval(b.X[:b.N*size], b.Labels[:b.N])
		if err != nil {
			return nn.Result{}, err
		}
		sum = sum.Add(r)
		if report != nil {
			report(sum.N, data.Len())
		}
	}
	return sum, nil
}
