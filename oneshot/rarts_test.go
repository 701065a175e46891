package oneshot

import (
	"math"
	"strings"
	"testing"

	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// vector is a vector in double precision.
type vector []float64

func widened(v []nn.Float) vector {
	w := make(vector, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

// replay does what the equations of RARTS say, in plain loops, from gradients of the supernet.
type replay struct {
	t                     *testing.T
	s                     *Search
	lambda, beta          float64
	wRate, yRate, aRate   float64
	clip                  float64
	reuse                 bool
	w, y, alpha           vector
	wSpeed, ySpeed        vector // momentum
	first, second         vector // Adam's moments
	steps, taken, ofAlpha int
}

// gradients are those of the loss of a split at weights.
func (r *replay) gradients(split string, w vector) (gw, ga vector) {
	r.t.Helper()
	narrow := func(v vector) []nn.Float {
		x := make([]nn.Float, len(v))
		for i := range v {
			x[i] = nn.Float(v[i])
		}
		return x
	}
	b := r.s.feed.Batch(split)
	dw, da := make([]nn.Float, len(w)), make([]nn.Float, len(r.alpha))
	_, err := r.s.net.Gradient(dw, da, supernet.Pass{
		Params: r.s.W.params.Clone().With(narrow(w)), Alpha: narrow(r.alpha), Images: b.X, Labels: b.Labels, Statistics: nn.BatchStatistics,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return widened(dw), widened(da)
}

// descend moves weights by SGD with DARTS' momentum, decay, clipping and falling rate; the loss counts weight times, and beta is
// the strength of the spring to other.
func (r *replay) descend(w, speed, g, other vector, weight, rate float64) {
	clip := math.Min(1, r.clip/length(g))
	for i := range w {
		speed[i] = 0.9*speed[i] + weight*clip*g[i] + r.beta*(w[i]-other[i]) + weight*3e-4*w[i]
	}
	last := 0.04 * rate // of 0.025, 0.001
	rate = last + (rate-last)*(1+math.Cos(math.Pi*float64(r.taken)/float64(r.steps)))/2
	for i := range w {
		w[i] -= rate * speed[i]
	}
}

// adam moves α.
func (r *replay) adam(g vector) {
	r.ofAlpha++
	n := float64(r.ofAlpha)
	for i := range r.alpha {
		d := g[i] + 1e-3*r.alpha[i]
		r.first[i] = 0.5*r.first[i] + 0.5*d
		r.second[i] = 0.999*r.second[i] + 0.001*d*d
		r.alpha[i] -= r.aRate * r.first[i] / (1 - math.Pow(0.5, n)) / (math.Sqrt(r.second[i]/(1-math.Pow(0.999, n))) + 1e-8)
	}
}

func (r *replay) step() {
	gw, trained := r.gradients(TrainSplit, r.w)
	r.descend(r.w, r.wSpeed, gw, r.y, r.lambda, r.wRate)
	gy, held := r.gradients(ValSplit, r.y)
	r.descend(r.y, r.ySpeed, gy, r.w, 1, r.yRate)
	if !r.reuse {
		_, trained = r.gradients(TrainSplit, r.w)
		_, held = r.gradients(ValSplit, r.y)
	}
	g := make(vector, len(r.alpha))
	for i := range g {
		g[i] = r.lambda*trained[i] + held[i]
	}
	r.adam(g)
	r.taken++
}

// TestRARTSSettings: λ, β and the rates of w, y and α reach the updates, and where they are not given, they are those that
// DARTS has: 0.025 falling to 0.001 for both sets of weights, for w divided by λ, momentum 0.9, decay 3e-4, clipping at 5; for α
// Adam's 3e-4 with β = (0.5, 0.999) and decay 1e-3.
func TestRARTSSettings(t *testing.T) {
	for settings, want := range map[string]replay{
		"":                               {lambda: 1, beta: 0.1, wRate: 0.025, yRate: 0.025, reuse: true},
		"reuse=false":                    {lambda: 1, beta: 0.1, wRate: 0.025, yRate: 0.025},
		"lambda=10":                      {lambda: 10, beta: 0.1, wRate: 0.0025, yRate: 0.025, reuse: true},
		"lambda=0.1 beta=1 reuse=false":  {lambda: 0.1, beta: 1, wRate: 0.25, yRate: 0.025},
		"beta=0":                         {lambda: 1, wRate: 0.025, yRate: 0.025, reuse: true},
		"lambda=2 w_lr=0.004 y_lr=0.007": {lambda: 2, beta: 0.1, wRate: 0.004, yRate: 0.007, reuse: true},
	} {
		for rate, clip := range map[float64]float64{3e-4: 5, 0.02: 0.3} {
			c := DefaultCourse(2)
			if rate != 3e-4 {
				c.Recipe.AlphaLR, c.Recipe.Clip = rate, clip
			}
			s, err := New(configure(t, "rarts", strings.Fields(settings)...), edged(t, search.MixedEdge{}), c)
			if err != nil {
				t.Fatal(err)
			}
			r := want
			r.t, r.s, r.aRate, r.clip, r.steps = t, s, rate, clip, 2*s.Steps()
			r.w, r.y, r.alpha = widened(s.W.Value), widened(s.networks[1].Value), widened(s.Alpha.Value)
			r.wSpeed, r.ySpeed = make(vector, len(r.w)), make(vector, len(r.y))
			r.first, r.second = make(vector, len(r.alpha)), make(vector, len(r.alpha))
			start := map[string]vector{"w": widened(s.W.Value), "y": widened(s.W.Value), "α": widened(s.Alpha.Value)}
			if err := s.Begin(0, 0); err != nil {
				t.Fatal(err)
			}
			for range 4 {
				if _, err := s.Step(); err != nil {
					t.Fatal(err)
				}
				r.step()
			}
			for name, pair := range map[string][2]vector{
				"w": {widened(s.W.Value), r.w}, "y": {widened(s.networks[1].Value), r.y}, "α": {widened(s.Alpha.Value), r.alpha},
			} {
				distance, moved := make(vector, len(pair[0])), make(vector, len(pair[0]))
				for i := range distance {
					distance[i], moved[i] = pair[0][i]-pair[1][i], pair[1][i]-start[name][i]
				}
				if e := length(distance) / length(moved); !(e <= 1e-3) {
					t.Errorf("%q, rate of α %v: after 4 steps %s is %.3g of its way from where the equations lead", settings, rate, name, e)
				}
			}
		}
	}
}
