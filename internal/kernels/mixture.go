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

	y, g    []Float // of the running call
	terms   []Term
	perUnit int // pixels
	sumUnit func(worker, unit int)
	gradSum func(worker, unit int)
}

// mixtureElements is about how many elements of a sum are completed, term by term, before the next: they stay in the
// first-level cache.
const mixtureElements = 4096

// NewMixture plans sums over (N,HW,C) tensors.
func NewMixture(n, hw, c int) *Mixture {
	checkSizes("mixture", n, hw, c)
	m := &Mixture{N: n, HW: hw, C: c, perUnit: max(1, mixtureElements/c)}
	m.sumUnit, m.gradSum = m.sumPixels, m.sumsImage
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
func (m *Mixture) Forward(y []Float, terms []Term) {
	check("mixture: y", len(y), m.N*m.HW*m.C)
	m.begin(terms)
	m.y = y
	Parallel(ceilDiv(m.N*m.HW, m.perUnit), m.sumUnit)
	m.y, m.terms = nil, nil
}

func (m *Mixture) sumPixels(_, unit int) {
	from := unit * m.perUnit
	pixels := min(m.perUnit, m.N*m.HW-from)
	at, n := from*m.C, pixels*m.C
	y := m.y[at:][:n]
	if len(m.terms) == 0 {
		clear(y)
	}
	for i := range m.terms {
		t := &m.terms[i]
		a := &t.Norm.Affine
		if i == 0 {
			a.rows(y, t.X[at:], pixels, m.C)
		} else {
			vector.accumulate(y, t.X[at:][:n], a.Mean, a.Scale, a.Shift, pixels, m.C)
		}
	}
}

// Sums gathers what the Gradients of all terms' norms need from g, the gradient at the sum: Norm.Sums of each. The norm's
// dgamma, added up over the channels, is then the gradient at the term's weight.
func (m *Mixture) Sums(g []Float, terms []Term) {
	check("mixture: g", len(g), m.N*m.HW*m.C)
	m.begin(terms)
	m.g = g
	Parallel(m.N, m.gradSum)
	for i := range terms {
		terms[i].Norm.mergeSums()
	}
	m.g, m.terms = nil, nil
}

func (m *Mixture) sumsImage(_, n int) {
	size := m.HW * m.C
	g := m.g[n*size:][:size]
	for i := range m.terms {
		t := &m.terms[i]
		t.Norm.sumsImage(n, t.X[n*size:][:size], g)
	}
}
