package kernels

// pack arranges the weights in the order in which the microkernels read them.
func (q *correlation) pack(w []Float) {
	q.weights = w
	Parallel(len(q.packJobs), q.packUnit)
}

func (q *correlation) packPanel(_, unit int) {
	p := &q.phases[q.packJobs[unit].phase]
	c := &p.panels[q.packJobs[unit].panel]
	vec := c.nv * q.micro.lanes
	dst := q.packed[c.base:]
	for i, kernel := range p.positions {
		tap, j := i/p.width, i%p.width
		first, next := (tap*p.width+j)*q.ch, 1 // packed row of channel 0, rows between channels
		if p.slide {
			first, next = tap*p.width*q.ch+j, p.width
		}
		w := q.weights[kernel*q.ic*q.oc:][:q.ic*q.oc]
		if !q.transposed {
			for k := range q.ch {
				copy(dst[(first+k*next)*vec:][:c.cols], w[k*q.oc+c.off:])
			}
			continue
		}
		const block = 64
		for k0 := 0; k0 < q.ch; k0 += block {
			for j := range c.cols {
				src := w[(c.off+j)*q.oc+k0:][:min(block, q.ch-k0)]
				d := dst[(first+k0*next)*vec+j:]
				for k, v := range src {
					d[k*next*vec] = v
				}
			}
		}
	}
}
