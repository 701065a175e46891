package plot

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// An Epoch is what a run measured at the end of one epoch. A figure that was not measured is NaN and leaves a gap.
type Epoch struct {
	Epoch         int     // 1 is the first
	TrainLoss     float64 // nats
	TrainAccuracy float64 // percent
	ValLoss       float64 // nats
	ValAccuracy   float64 // percent
}

// A Run is one training run.
type Run struct {
	Name   string // may be empty when there is one run
	Epochs []Epoch
}

// NewTraining makes a figure of loss (left) and accuracy (right) against the epoch. Training is dashed, validation is
// solid; each run has its colour, and a lone run two.
func NewTraining(title string, rs ...Run) (*Figure, error) {
	if len(rs) == 0 {
		return nil, fmt.Errorf("plot: training curves: no runs")
	}
	loss, accuracy := newPanel(), newPanel()
	loss.Y.Label.Text, accuracy.Y.Label.Text = "loss (nats)", "accuracy (%)"
	for _, p := range []*plot.Plot{loss, accuracy} {
		p.X.Label.Text = "epoch"
		p.X.Tick.Marker, p.Y.Tick.Marker = countTicks{}, valueTicks{}
	}
	caption := "n = 1 run"
	if len(rs) > 1 {
		caption = fmt.Sprintf("n = %d runs, each drawn by itself", len(rs))
	}
	f := newFigure(title, caption, loss, accuracy)
	for i, r := range rs {
		if len(rs) > 1 && r.Name == "" {
			return nil, fmt.Errorf("plot: training curves: run %d of %d has no name", i+1, len(rs))
		}
		if err := checkEpochs(r); err != nil {
			return nil, err
		}
		train, val := trainLook(i, len(rs)), valLook(i)
		lossTrain := newTrace(r, train, func(e Epoch) float64 { return e.TrainLoss })
		lossVal := newTrace(r, val, func(e Epoch) float64 { return e.ValLoss })
		accTrain := newTrace(r, train, func(e Epoch) float64 { return e.TrainAccuracy })
		accVal := newTrace(r, val, func(e Epoch) float64 { return e.ValAccuracy })
		addTraces(loss, lossTrain, lossVal)
		addTraces(accuracy, accTrain, accVal)
		prefix := ""
		if r.Name != "" {
			prefix = r.Name + ", "
		}
		if lossTrain.Len()+accTrain.Len() > 0 {
			f.legend.Add(prefix+"training", lossTrain)
		}
		if lossVal.Len()+accVal.Len() > 0 {
			f.legend.Add(prefix+"validation", lossVal)
		}
	}
	for _, p := range []*plot.Plot{loss, accuracy} {
		if math.IsInf(p.Y.Min, 0) {
			return nil, fmt.Errorf("plot: training curves: no %s in any epoch", p.Y.Label.Text)
		}
		p.X.Min, p.X.Max = min(p.X.Min, 1)-0.5, p.X.Max+0.5
		pad(&p.Y)
	}
	return f, nil
}

func checkEpochs(r Run) error {
	if len(r.Epochs) == 0 {
		return fmt.Errorf("plot: training curves: run %q has no epochs", r.Name)
	}
	for i, e := range r.Epochs {
		if i > 0 && e.Epoch <= r.Epochs[i-1].Epoch {
			return fmt.Errorf("plot: training curves: run %q: epoch %d follows epoch %d", r.Name, e.Epoch, r.Epochs[i-1].Epoch)
		}
		for _, v := range []float64{e.TrainLoss, e.TrainAccuracy, e.ValLoss, e.ValAccuracy} {
			if math.IsInf(v, 0) {
				return fmt.Errorf("plot: training curves: run %q: epoch %d has an infinite value", r.Name, e.Epoch)
			}
		}
	}
	return nil
}

func valLook(i int) look { return look{color: lookOf(i).color} }

func trainLook(i, n int) look {
	l := look{color: lookOf(i).color, dashes: []vg.Length{4, 2.5}}
	if n == 1 {
		l.color = lookOf(1).color
	}
	return l
}

// trace is one measured quantity of one run, cut where epochs lack it.
type trace struct {
	look     look
	segments [][]vec
}

// vec is a point in data coordinates.
type vec struct{ x, y float64 }

func newTrace(r Run, l look, of func(Epoch) float64) *trace {
	t := &trace{look: l}
	open := false
	for _, e := range r.Epochs {
		open = t.add(open, float64(e.Epoch), of(e))
	}
	return t
}

// add adds a point, after a cut unless the trace is open, and says whether it is open now: a NaN closes it.
func (t *trace) add(open bool, x, y float64) bool {
	if math.IsNaN(y) {
		return false
	}
	if !open {
		t.segments = append(t.segments, nil)
	}
	last := &t.segments[len(t.segments)-1]
	*last = append(*last, vec{x, y})
	return true
}

func addTraces(p *plot.Plot, ts ...*trace) {
	for _, t := range ts {
		if t.Len() > 0 {
			p.Add(t)
		}
	}
}

// Len is the number of points.
func (t *trace) Len() (n int) {
	for _, s := range t.segments {
		n += len(s)
	}
	return n
}

// Plot implements plot.Plotter.
func (t *trace) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, s := range t.segments {
		line := make([]vg.Point, len(s))
		for i, v := range s {
			line[i] = vg.Point{X: x(v.x), Y: y(v.y)}
		}
		if len(line) == 1 {
			c.DrawGlyph(draw.GlyphStyle{Color: t.look.color, Radius: 2, Shape: draw.CircleGlyph{}}, line[0])
			continue
		}
		c.StrokeLines(t.look.line(lineWidth), line)
	}
}

// DataRange implements plot.DataRanger.
func (t *trace) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range t.segments {
		for _, v := range s {
			xmin, xmax = math.Min(xmin, v.x), math.Max(xmax, v.x)
			ymin, ymax = math.Min(ymin, v.y), math.Max(ymax, v.y)
		}
	}
	return xmin, xmax, ymin, ymax
}

// Thumbnail implements plot.Thumbnailer.
func (t *trace) Thumbnail(c *draw.Canvas) { thumbnail(c, t.look.line(lineWidth)) }
