package kernels

// packChannels is the number of source channels that one unit of pack arranges.
const packChannels = 16

// packJob is the weights of some source channels, from `from` on, in one panel of a phase.
type packJob struct{ phase, panel, from int }

// planPack cuts the packing of a panel into units.
func (q *correlation) planPack(phase, panel int) {
	for from := 0; from < q.ch; from += packChannels {
		q.packJobs = append(q.packJobs, packJob{phase, panel, from})
	}
}

// pack arranges the weights in the order in which the microkernels read them.
func (q *correlation) pack(w []Float) {
	q.weights = w
	Parallel(len(q.packJobs), q.packUnit)
}

func (q *correlation) packSome(_, unit int) {
	job := &q.packJobs[unit]
	p := &q.phases[job.phase]
	c := &p.panels[job.panel]
	n := min(packChannels, q.ch-job.from)
	vec := c.nv * q.micro.lanes
	for i, kernel := range p.positions {
		tap, j := i/p.width, i%p.width
		first, next := (tap*p.width+j)*q.ch, 1 // packed row of channel 0, rows between channels
		if p.slide {
			first, next = tap*p.width*q.ch+j, p.width
		}
		dst, row := q.packed[c.base+(first+job.from*next)*vec:], next*vec
		w := q.weights[kernel*q.ic*q.oc:][:q.ic*q.oc]
		if q.transposed {
			transpose(dst, w[c.off*q.oc+job.from:], n, c.cols, row, q.oc)
			continue
		}
		for k := range n {
			copy(dst[k*row:][:c.cols], w[(job.from+k)*q.oc+c.off:])
		}
	}
}

// transpose writes dst[k·row + j] = src[j·pitch + k] for k < n, j < cols.
func transpose(dst, src []Float, n, cols, row, pitch int) {
	j := 0
	for ; j+4 <= cols; j += 4 {
		a, b, c, d := src[j*pitch:][:n], src[(j+1)*pitch:][:n], src[(j+2)*pitch:][:n], src[(j+3)*pitch:][:n]
		at := j
		for k := range a {
			*(*[4]Float)(dst[at:]) = [4]Float{a[k], b[k], c[k], d[k]}
			at += row
		}
	}
	for ; j < cols; j++ {
		for k, v := range src[j*pitch:][:n] {
			dst[k*row+j] = v
		}
	}
}
