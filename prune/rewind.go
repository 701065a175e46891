package prune

// Rewinder is a Starter that may go back to earlier weights of the dense training, which its caller has to have.
type Rewinder interface {
	Starter
	// Rewinds says to what: RewindStep, with the epoch of the dense training; RewindInitial; or RewindRate, the weights that
	// were pruned.
	Rewinds() (to string, epoch float64)
}

// Rewinds implements Rewinder.
func (o OMP) Rewinds() (to string, epoch float64) { return o.Rewind, o.Epoch }

// Rewinds implements Rewinder.
func (i IMP) Rewinds() (to string, epoch float64) { return i.Rewind, i.Epoch }

var (
	_ Rewinder = OMP{}
	_ Rewinder = IMP{}
)
