package kernels

import (
	"fmt"
	"math"
)

// AddReLU writes out = max(0, z(a) + s(b)) over (N,HW,C) tensors, the end of a residual block; za and sb are the norms whose
// Affine a and b pass (their own ReLU, if set, included), nil for the identity.
func AddReLU(out, a []Float, za *Norm, b []Float, sb *Norm) {
	n, c := len(out), 1
	check("AddReLU: a", len(a), n)
	check("AddReLU: b", len(b), n)
	if za == nil {
		a, za, b, sb = b, sb, a, za
	}
	for _, m := range [2]*Norm{za, sb} {
		if m != nil {
			check("AddReLU: output", n, m.len())
			n, c = m.len(), m.C
		}
	}
	j := flatCall
	j.y, j.a, j.b, j.za, j.zb = out, a, b, za, sb
	j.run((*flatJob).addReLU, n, max(1, unitElements/c)*c)
}

func (j *flatJob) addReLU(from, to, _ int) {
	y, a, b := j.y[from:to], j.a[from:to], j.b[from:to]
	if j.za == nil {
		vector.addReLU(y, a, b)
		return
	}
	p, c := &j.za.Affine, j.za.C
	if j.zb == nil {
		vector.addAffine(y, a, p.Mean, p.Scale, p.Shift, p.low(), b, len(y)/c, c)
		return
	}
	q := &j.zb.Affine
	vector.addAffines(y, a, p.Mean, p.Scale, p.Shift, p.low(), b, q.Mean, q.Scale, q.Shift, q.low(), len(y)/c, c)
}

// ReLUBackward writes dx = g where y > 0 (or y is NaN) and 0 elsewhere; y is the ReLU's output (or its input). For each
// non-nil norm, Sums(x, dx) is done on the way. dx may be g.
func ReLUBackward(dx, y, g []Float, a *Norm, ax []Float, b *Norm, bx []Float) {
	n := len(dx)
	check("ReLUBackward: y", len(y), n)
	check("ReLUBackward: g", len(g), n)
	unit := unitElements
	if a == nil {
		a, ax, b, bx = b, bx, a, ax
	}
	if a != nil {
		check("ReLUBackward: dx", n, a.len())
		check("ReLUBackward: input of a norm", len(ax), a.len())
		n, unit = a.len(), a.HW*a.C
	}
	if b != nil {
		check("ReLUBackward: input of a norm", len(bx), b.len())
		if b.N != a.N || b.HW != a.HW || b.C != a.C {
			panic(fmt.Sprintf("kernels: ReLUBackward: norms of (%d,%d,%d) and (%d,%d,%d)", a.N, a.HW, a.C, b.N, b.HW, b.C))
		}
	}
	j := flatCall
	j.y, j.a, j.b, j.za, j.zb, j.ax, j.bx = dx, y, g, a, b, ax, bx
	j.run((*flatJob).reluBackward, n, unit)
	if a != nil {
		a.mergeSums()
	}
	if b != nil {
		b.mergeSums()
	}
}

func (j *flatJob) reluBackward(from, to, unit int) {
	dx := j.y[from:to]
	vector.reluGradient(dx, j.a[from:to], j.b[from:to])
	if j.za != nil {
		j.za.sumsImage(unit, j.ax[from:to], dx)
	}
	if j.zb != nil {
		j.zb.sumsImage(unit, j.bx[from:to], dx)
	}
}

// Add writes y = a + b; y may be either.
func Add(y, a, b []Float) {
	check("Add: a", len(a), len(y))
	check("Add: b", len(b), len(y))
	j := flatCall
	j.y, j.a, j.b = y, a, b
	j.run((*flatJob).add, len(y), unitElements)
}

func (j *flatJob) add(from, to, _ int) { vector.add(j.y[from:to], j.a[from:to], j.b[from:to]) }

// Axpy adds s·x to y.
func Axpy(y []Float, s Float, x []Float) {
	check("Axpy: x", len(x), len(y))
	j := flatCall
	j.y, j.a, j.s = y, x, s
	j.run((*flatJob).axpy, len(y), unitElements)
}

func (j *flatJob) axpy(from, to, _ int) { vector.axpy(j.y[from:to], j.a[from:to], j.s) }

// Scale multiplies y by s.
func Scale(y []Float, s Float) {
	j := flatCall
	j.y, j.s = y, s
	j.run((*flatJob).scale, len(y), unitElements)
}

func (j *flatJob) scale(from, to, _ int) { vector.scale(j.y[from:to], j.s) }

// Mul writes y = a⊙b; y may be either.
func Mul(y, a, b []Float) {
	check("Mul: a", len(a), len(y))
	check("Mul: b", len(b), len(y))
	j := flatCall
	j.y, j.a, j.b = y, a, b
	j.run((*flatJob).mul, len(y), unitElements)
}

func (j *flatJob) mul(from, to, _ int) { vector.mul(j.y[from:to], j.a[from:to], j.b[from:to]) }

// Lerp moves y towards x: y ← y + t·(x−y).
func Lerp(y, x []Float, t Float) {
	check("Lerp: x", len(x), len(y))
	j := flatCall
	j.y, j.a, j.s = y, x, t
	j.run((*flatJob).lerp, len(y), unitElements)
}

func (j *flatJob) lerp(from, to, _ int) { vector.lerp(j.y[from:to], j.a[from:to], j.s) }

// Dot is Σ x·y in float64, over chunks of a fixed size added in order.
func Dot(x, y []Float) (s float64) {
	check("Dot: y", len(y), len(x))
	j := flatCall
	j.a, j.b = x, y
	units := ceilDiv(len(x), unitElements)
	j.needSums(units)
	j.run((*flatJob).dot, len(x), unitElements)
	for _, v := range j.sums[:units] {
		s += v
	}
	return s
}

func (j *flatJob) dot(from, to, unit int) { j.sums[unit] = vector.dot(j.a[from:to], j.b[from:to]) }

// FirstNotFinite is the index of the first NaN or Inf in x, or -1.
func FirstNotFinite(x []Float) int {
	j := flatCall
	j.a = x
	j.first.Store(math.MaxInt64)
	j.run((*flatJob).notFinite, len(x), unitElements)
	if i := j.first.Load(); i < math.MaxInt64 {
		return int(i)
	}
	return -1
}

func (j *flatJob) notFinite(from, to, _ int) {
	if int64(from) > j.first.Load() || vector.finite(j.a[from:to]) {
		return
	}
	for finiteGo(j.a[from : from+1]) {
		from++
	}
	for {
		first := j.first.Load()
		if first <= int64(from) || j.first.CompareAndSwap(first, int64(from)) {
			return
		}
	}
}
