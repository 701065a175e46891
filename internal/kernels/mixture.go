package kernels

// Term is a share in a Mixture: x (N,HW,C), which passes Norm.Affine, a norm without ReLU whose scale holds the weight of the
// term.
type Term struct {
	X    []Float
	Norm *Norm
}

// Mixture is a planned sum of terms over (N,HW,C) tensors: the weighted sum of the candidates on the edges into a node.
type Mixture struct {
	N, HW, C int

	y, g   []Float // of the running call
	terms  []Term
	adds   bool // to y
	perRun int  // pixels: see mixtureElements
	fore   mixtureForward
	sums   mixtureSums
}

// mixtureElements is about how many elements of a sum are completed, term by term, before the next: they stay in the
// first-level cache.
const mixtureElements = 4096

// NewMixture plans sums over (N,HW,C) tensors.
func NewMixture(n, hw, c int) *Mixture {
	checkSizes("mixture", n, hw, c)
	m := &Mixture{N: n, HW: hw, C: c, perRun: max(1, mixtureElements/c)}
	m.fore, m.sums = mixtureForward{m}, mixtureSums{m}
	return m
}

func (m *Mixture) begin(terms []Term) {
	for _, t := range terms {
		check("mixture: x", len(t.X), m.N*m.HW*m.C)
		check("mixture: norm", t.Norm.len(), m.N*m.HW*m.C)
	}
	m.terms = terms
}

// Forward writes y (N,HW,C), the sum of the terms in their order; without terms it is zero.
func (m *Mixture) Forward(y []Float, terms []Term) { Together(m.ForwardTask(y, terms, false)) }

// ForwardTask is Forward as a task, which is good until the next call. If adds is set, the terms are added to y.
func (m *Mixture) ForwardTask(y []Float, terms []Term, adds bool) Task {
	check("mixture: y", len(y), m.N*m.HW*m.C)
	m.begin(terms)
	m.y, m.adds = y, adds
	return &m.fore
}

// mixtureForward is the task. Its streams are the terms' tensors.
type mixtureForward struct{ *Mixture }

func (m *mixtureForward) shares() (batch, unit, group int) { return m.N, 0, 0 }
func (m *mixtureForward) sums() int                        { return 0 }
func (m *mixtureForward) begin(int)                        {}
func (m *mixtureForward) streams() int                     { return len(m.terms) }
func (m *mixtureForward) stream(i, image int) []Float      { return m.terms[i].X[image*m.HW*m.C:] }
func (m *mixtureForward) slots() int                       { return 0 }
func (m *mixtureForward) end()                             { m.y, m.terms = nil, nil }

func (m *mixtureForward) run(_, _, first, n int, _ *[taskSlots][]Float) {
	for from, to := first*m.HW, (first+n)*m.HW; from < to; from += m.perRun {
		m.sum(from, min(m.perRun, to-from))
	}
}

func (m *Mixture) sum(from, pixels int) {
	at, n := from*m.C, pixels*m.C
	y := m.y[at:][:n]
	if len(m.terms) == 0 && !m.adds {
		clear(y)
	}
	for i := range m.terms {
		t := &m.terms[i]
		a := &t.Norm.Affine
		if i == 0 && !m.adds {
			a.rows(y, t.X[at:], pixels, m.C)
		} else {
			vector.accumulate(y, t.X[at:][:n], a.Mean, a.Scale, a.Shift, pixels, m.C)
		}
	}
}

// Sums gathers what the Gradients of all terms' norms need from g, the gradient at the sum: Norm.Sums of each. The norm's
// dgamma, added up over the channels, is then the gradient at the term's weight.
func (m *Mixture) Sums(g []Float, terms []Term) { Together(m.SumsTask(g, terms)) }

// SumsTask is Sums as a task, which is good until the next call.
func (m *Mixture) SumsTask(g []Float, terms []Term) Task {
	check("mixture: g", len(g), m.N*m.HW*m.C)
	m.begin(terms)
	m.g = g
	return &m.sums
}

// mixtureSums is the task. Its streams are the terms' tensors and g.
type mixtureSums struct{ *Mixture }

func (m *mixtureSums) shares() (batch, unit, group int) { return m.N, 0, 0 }
func (m *mixtureSums) sums() int                        { return 0 }
func (m *mixtureSums) begin(int)                        {}
func (m *mixtureSums) streams() int                     { return len(m.terms) + 1 }

func (m *mixtureSums) stream(i, image int) []Float {
	x := m.g
	if i < len(m.terms) {
		x = m.terms[i].X
	}
	return x[image*m.HW*m.C:]
}

func (m *mixtureSums) slots() int { return 0 }

func (m *mixtureSums) run(_, _, first, n int, _ *[taskSlots][]Float) {
	size := m.HW * m.C
	for image := first; image < first+n; image++ {
		g := m.g[image*size:][:size]
		for i := range m.terms {
			t := &m.terms[i]
			t.Norm.sumsImage(image, t.X[image*size:][:size], g)
		}
	}
}

func (m *mixtureSums) end() {
	for i := range m.terms {
		m.terms[i].Norm.mergeSums()
	}
	m.g, m.terms = nil, nil
}
