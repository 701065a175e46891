package oneshot

import (
	"cmp"
	"errors"
	"fmt"

	"espalier/bilevel"
	"espalier/darts"
	"espalier/datasets"
	"espalier/search/supernet"
)

// The splits that methods draw from.
const (
	TrainSplit = "train" // weights are trained on it
	ValSplit   = "val"   // architectures are
)

// Problem is a supernet with images: what is searched. The test images have no place in it.
type Problem struct {
	Net *supernet.Net
	// Train and Val hand out full batches of the net's size, of images that they do not share.
	Train, Val *datasets.Loader
	// Check hands out full batches of the images of Val as they are, on which every epoch is evaluated; nil: none is.
	Check   *datasets.Loader
	Running bool // the mixture is evaluated by running statistics, as the released code of DARTS does
	Seed    uint64
	// AllGradients has every pass compute the gradients at the weights and at α, whether the method asks for them or not. Results
	// are the same, more slowly: it is for measuring.
	AllGradients bool
}

func (p *Problem) validate() error {
	if p.Train == nil || p.Val == nil {
		return errors.New("oneshot: a search needs images for the weights and images for the architecture")
	}
	for _, l := range []*datasets.Loader{p.Train, p.Val, p.Check} {
		if l != nil && (l.BatchSize() != p.Net.Batch() || l.Len() != l.Batches()*l.BatchSize()) {
			return fmt.Errorf("oneshot: %d images in batches of %d for a supernet of batches of %d, which must be full", l.Len(), l.BatchSize(), p.Net.Batch())
		}
	}
	return nil
}

// Course says how long and how fast a method searches. Start from DefaultCourse.
type Course struct {
	Epochs int // at least 1
	Steps  int // of an epoch; 0: the batches of Train
	Warmup int // epochs in which weights move alone, fewer than Epochs
	// Recipe is how weights and α move. Its Steps and AlphaFrom follow from the above.
	Recipe bilevel.Recipe
	// Curvature measures, every second epoch or as Stopping says, the largest eigenvalue of the Hessian of the validation
	// loss in α, on the first CurvatureImages of Check. It costs 24 passes over them.
	Curvature bool
	// Auxiliary is a skip beside the candidates. The zero Auxiliary is none.
	Auxiliary Auxiliary
	// Stopping ends the search by these eigenvalues, and makes an earlier α count. The zero rule ends none.
	Stopping darts.Stopping
}

// CurvatureImages is the number of images, rounded up to batches, that curvature is measured on.
const CurvatureImages = 256

// DefaultCourse has the settings of DARTS.
func DefaultCourse(epochs int) Course {
	return Course{Epochs: epochs, Recipe: bilevel.DefaultRecipe(1)}
}

// every is how many epochs lie from one eigenvalue to the next.
func (c Course) every() int { return cmp.Or(c.Stopping.Every, darts.DefaultStopping().Every) }

// fill works out what follows, and says what is wrong.
func (c Course) fill(p *Problem) (Course, error) {
	if c.Steps == 0 {
		c.Steps = p.Train.Batches()
	}
	if c.Epochs < 1 || c.Steps < 1 || c.Warmup < 0 || c.Warmup >= c.Epochs {
		return c, fmt.Errorf("oneshot: %d epochs of %d steps, in the first %d of which weights move alone", c.Epochs, c.Steps, c.Warmup)
	}
	if (c.Curvature || c.Stopping != darts.Stopping{}) && p.Check == nil {
		return c, errors.New("oneshot: curvature is measured on images of Problem.Check, and there are none")
	}
	if c.Stopping != (darts.Stopping{}) {
		c.Curvature = true
		if err := c.Stopping.Validate(); err != nil {
			return c, err
		}
	}
	if err := c.Auxiliary.Validate(); err != nil {
		return c, err
	}
	c.Recipe.Steps, c.Recipe.AlphaFrom = c.Epochs*c.Steps, c.Warmup*c.Steps
	return c, c.Recipe.Validate()
}
