package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"espalier/bilevel"
	"espalier/darts"
	"espalier/datasets"
	"espalier/nn"
	"espalier/oneshot"
	"espalier/search"
	"espalier/search/supernet"
	"espalier/train"
)

// NoSearch is the value of search.method that searches nothing.
const NoSearch = "none"

// GenotypeFile is what a search ends in, within its directory. It is written last.
const GenotypeFile = "genotype.txt"

// Search searches an architecture as the configuration says, and leaves in the run's directory alphas.csv, with α after every
// epoch, betas.csv, if the method has β, and genotype.txt. When ctx ends it saves and returns *Interrupted.
func (l *Lab) Search(ctx context.Context, c Config) (Run, error) {
	if c.Search.Method == NoSearch {
		return Run{}, errors.New("experiment: search.method is none: there is nothing to search by")
	}
	c = c.SearchAlone()
	return l.stage(c, "search", func() error { return l.search(ctx, c) })
}

// SearchAlone is the configuration without what does not concern a search: the network and its training.
func (c Config) SearchAlone() Config {
	d := Default()
	c.Model, c.Train, c.Prune = d.Model, d.Train, d.Prune
	if c.Search.Images > 0 {
		c.Data.Train, c.Search.Images = c.Search.Images, 0
	}
	return c
}

func (l *Lab) search(ctx context.Context, c Config) error {
	set, err := l.OpenData(c)
	if err != nil {
		return err
	}
	split, err := c.searchSplit(set)
	if err != nil {
		return err
	}
	method, err := c.searcher()
	if err != nil {
		return err
	}
	problem, err := c.searchProblem(set, split, oneshot.Edge(method, c.searchCourse().Auxiliary))
	if err != nil {
		return err
	}
	for _, loader := range []*datasets.Loader{problem.Train, problem.Val, problem.Check} {
		defer loader.Close()
	}
	s, err := oneshot.New(method, problem, c.searchCourse())
	if err != nil {
		return err
	}
	return l.enter(c, split, func(d *train.Dir) error { return l.searched(ctx, d, s, c) })
}

// searched runs the search and writes what it comes to.
func (l *Lab) searched(ctx context.Context, d *train.Dir, s *oneshot.Search, c Config) error {
	result, err := train.Run(ctx, d, recorded{s, d}, train.Options{
		Epochs: c.Search.Epochs, Observer: l.observer("search by " + c.Search.Method), Clock: l.Clock, Processor: l.Processor,
	})
	if err != nil {
		return err
	}
	if result.Status == train.Interrupted {
		return &Interrupted{result, context.Cause(ctx)}
	}
	g, err := s.Choose(ctx, func(task string, done, total int) {
		if l.Report != nil {
			l.Report(task, done, total)
		}
	})
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return &Interrupted{result, context.Cause(ctx)}
	}
	if err != nil {
		return err
	}
	return d.Write(GenotypeFile, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, g)
		return err
	})
}

// recorded is a search that writes alphas.csv, and betas.csv if it has β, whenever an epoch is done. The files are made anew of
// the history that the search's checkpoints hold, so that no interruption leaves a line too many or too few.
type recorded struct {
	*oneshot.Search
	dir *train.Dir
}

// End implements train.Stepper.
func (r recorded) End(ctx context.Context, epoch int, report train.Report) ([]train.Figure, error) {
	figures, err := r.Search.End(ctx, epoch, report)
	if err != nil {
		return figures, err
	}
	alphas, betas := []byte(search.AlphasHeader(r.Space())), []byte(nil)
	for e := range epoch + 2 {
		a := r.AlphaAfter(e)
		alphas = a.AppendCSV(alphas, e)
		if a.Beta != nil {
			betas = a.AppendBetasCSV(betas, e)
		}
	}
	if betas != nil { // first: an interruption between the two leaves β that nobody reads
		if err := r.dir.WriteBytes(search.BetasFile, append([]byte(search.BetasHeader()), betas...)); err != nil {
			return figures, err
		}
	}
	return figures, r.dir.WriteBytes(search.AlphasFile, alphas)
}

// searchSplit divides the training images between weights and architecture.
func (c Config) searchSplit(set *datasets.Set) (*datasets.Split, error) {
	n := c.Data.Train
	if n == 0 {
		n = set.Train.Len()
	}
	val := int(math.Round(c.Search.Val * float64(n)))
	return datasets.NewSplit(set.Train, c.Seed,
		datasets.Share{Name: oneshot.TrainSplit, Images: n - val}, datasets.Share{Name: oneshot.ValSplit, Images: val})
}

// searchProblem is the supernet with its images. The caller closes the loaders.
func (c Config) searchProblem(set *datasets.Set, split *datasets.Split, edge search.MixedEdge) (*oneshot.Problem, error) {
	for _, share := range []string{oneshot.TrainSplit, oneshot.ValSplit} {
		if n := len(split.Indices(share)); n < c.Search.Batch {
			return nil, fmt.Errorf("search.batch is %d, more than the %d images of %s", c.Search.Batch, n, share)
		}
	}
	space, err := c.SearchSpace()
	if err != nil {
		return nil, err
	}
	net, err := supernet.New(space, supernet.Options{
		Input: nn.Shape(set.Shape()), Classes: len(set.Classes), Channels: c.Search.Channels, Cells: c.Search.Cells,
		Batch: c.Search.Batch, Memory: c.supernetMemory(), Edge: edge,
	})
	if err != nil {
		return nil, fitting(err)
	}
	p := &oneshot.Problem{Net: net, Running: c.Search.Running, Seed: c.Seed}
	varied := datasets.LoaderOptions{
		Batch: c.Search.Batch, Seed: c.Seed, Shuffle: true, DropLast: true, Norm: set.Norm,
		Augment: datasets.Augment{Pad: c.Data.Crop, Flip: c.Data.Flip, Cutout: c.Data.Cutout},
	}
	plain := datasets.LoaderOptions{Batch: c.Search.Batch, DropLast: true, Norm: set.Norm}
	for _, l := range []struct {
		to      **datasets.Loader
		share   string
		options datasets.LoaderOptions
	}{{&p.Train, oneshot.TrainSplit, varied}, {&p.Val, oneshot.ValSplit, varied}, {&p.Check, oneshot.ValSplit, plain}} {
		l.options.Stream = "search " + l.share
		if *l.to, err = datasets.NewLoader(set.Train, split.Indices(l.share), l.options); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// supernetMemory is what search.memory means for the method.
func (c Config) supernetMemory() supernet.Memory {
	if c.Search.Memory != "auto" {
		return supernet.Memory(c.Search.Memory)
	}
	if m, err := c.searcher(); err == nil {
		if s, ok := m.(oneshot.Sparse); ok && s.Sparse() {
			return supernet.Recompute
		}
	}
	return supernet.Keep
}

// searchCourse says how the search goes.
func (c Config) searchCourse() oneshot.Course {
	s := c.Search
	var stopping darts.Stopping
	if s.Stop {
		stopping = darts.DefaultStopping()
	}
	return oneshot.Course{
		Epochs: s.Epochs, Warmup: s.Warmup, Curvature: s.Curvature, Stopping: stopping,
		Auxiliary: oneshot.Auxiliary{Decay: s.Auxiliary, Weight: s.AuxWeight},
		Recipe: bilevel.Recipe{
			LR: s.LR, FinalLR: s.FinalLR, Momentum: s.Momentum, WeightDecay: s.WeightDecay, Clip: s.Clip,
			AlphaLR: s.AlphaLR, AlphaBeta1: s.AlphaBeta1, AlphaBeta2: s.AlphaBeta2, AlphaDecay: s.AlphaDecay,
		},
	}
}

// validateSearch says what is wrong with the settings of a search, if there is one.
func (c Config) validateSearch() error {
	s := c.Search
	if s.Method == NoSearch {
		return nil
	}
	if _, err := c.searcher(); err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	course := c.searchCourse()
	if err := course.Auxiliary.Validate(); err != nil {
		return fmt.Errorf("experiment: search.auxiliary: %w", err)
	}
	r := course.Recipe
	r.Steps = 1
	if err := r.Validate(); err != nil {
		return fmt.Errorf("experiment: search: %w", err)
	}
	for _, rule := range []struct {
		path string
		ok   bool
		want string
	}{
		{"search.channels", s.Channels >= 1 && s.Channels <= 1024, "1 to 1024 channels"},
		{"search.cells", s.Cells >= 0 && s.Cells <= 100, "0 to 100 cells"},
		{"search.images", s.Images >= 0, "0 or more images"},
		{"search.val", s.Val > 0 && s.Val < 1, "a share above 0 and below 1"},
		{"search.epochs", s.Epochs >= 1, "1 or more epochs"},
		{"search.warmup", s.Warmup >= 0 && s.Warmup < max(1, s.Epochs), "0 or more epochs, fewer than search.epochs"},
		{"search.batch", s.Batch >= 2 && s.Batch <= 1<<16, "2 to 65536 images"},
		{"prune.method", c.Prune.Method == NoPruning, "none where an architecture is searched"},
	} {
		if !rule.ok {
			return fmt.Errorf("experiment: %s is %s, want %s", rule.path, c.get(rule.path), rule.want)
		}
	}
	return nil
}

// openGenotype reads what a search ended in.
func (r *Run) openGenotype() error {
	path := filepath.Join(r.Path, GenotypeFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	g, err := search.Parse(string(text))
	if err != nil {
		return fmt.Errorf("experiment: %s: %w", path, err)
	}
	r.Genotype = &g
	return nil
}

// genotype is the text of what the search ended in, or nothing.
func (r Run) genotype() string {
	if r.Genotype == nil {
		return ""
	}
	return r.Genotype.String()
}
