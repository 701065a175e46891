package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"espalier/datasets"
	"espalier/nn"
	"espalier/prune"
	"espalier/results"
	"espalier/train"
)

// Evaluation is what a model reaches on the test images of a data set.
type Evaluation struct {
	Model    string          `json:"model"` // the file
	Data     string          `json:"data"`  // where the images came from
	Images   int             `json:"images"`
	Accuracy results.Percent `json:"test_acc"`
	Loss     float64         `json:"test_loss"` // nats
	Params   int             `json:"params"`
	Zeros    int             `json:"zeros"`    // among the convolution and linear weights
	Weights  int             `json:"weights"`  // convolution and linear weights
	Sparsity float64         `json:"sparsity"` // Zeros / Weights
}

// ConfigOf finds the configuration that a model file or a run's directory belongs to: config.yaml beside it or in the
// directory above. Without one it is the default.
func ConfigOf(path string) (Config, error) {
	for _, dir := range []string{path, filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		file := filepath.Join(dir, ConfigFile)
		if _, err := os.Stat(file); err == nil {
			return Load(file, nil)
		}
	}
	return Default(), nil
}

// Evaluate runs a model file, or the model in a run's directory, on every test image of the configuration's data set once.
func (l *Lab) Evaluate(ctx context.Context, path string, c Config) (Evaluation, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, ModelFile)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return Evaluation{}, fmt.Errorf("experiment: %s is not there: the run is not finished, or each of its pruned networks has a directory of its own", path)
		}
	}
	e, err := l.evaluate(ctx, path, c)
	if err != nil {
		return e, fmt.Errorf("experiment: evaluation: %w", err)
	}
	return e, nil
}

func (l *Lab) evaluate(ctx context.Context, path string, c Config) (Evaluation, error) {
	e := Evaluation{Model: path}
	net, _, err := train.ReadModel(path)
	if err != nil {
		return e, err
	}
	set, err := l.OpenData(c)
	if err != nil {
		return e, err
	}
	if nn.Shape(set.Shape()) != net.In || len(set.Classes) != net.Out.C {
		return e, fmt.Errorf("%s is for images of %v in %d classes, %s has %v in %d", path, net.In, net.Out.C, set.Name, set.Shape(),
			len(set.Classes))
	}
	test, err := datasets.NewLoader(set.Test, nil, datasets.LoaderOptions{Batch: c.Train.Batch, Norm: set.Norm})
	if err != nil {
		return e, err
	}
	defer test.Close()
	program, err := net.EvalProgram(test.BatchSize(), nn.EvalOptions{})
	if err != nil {
		return e, err
	}
	r, err := train.Evaluate(ctx, program, test, l.reporting("test"))
	if err != nil {
		return e, err
	}
	e.Data, e.Images, e.Accuracy, e.Loss, e.Params = set.Source, r.N, results.Percent(100*r.Accuracy()), r.Loss, net.Cost().Params
	e.Zeros, e.Weights = prune.Zeros(net.Params.Layout, net.Params.Values), prune.NewMask(net.Params.Layout).Kept()
	e.Sparsity = float64(e.Zeros) / float64(e.Weights)
	return e, nil
}
