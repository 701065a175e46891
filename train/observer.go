package train

// Observer is told how a run goes. It is called on the goroutine of Run and must not keep what an event refers to.
type Observer interface {
	Observe(Event)
}

// Event is one of Started, Stepped, Worked, EpochEnded, Saved, Warned and Ended.
type Event interface{ event() }

// Started opens a run.
type Started struct {
	Position     // where it begins
	Epochs   int // epochs in all
	Steps    int // steps of an epoch
	Resumed  bool
}

// Stepped follows a step.
type Stepped struct {
	Position // after the step
	Sample
}

// Worked says how far a task at an epoch's end is.
type Worked struct {
	Task        string // such as "validation"
	Done, Total int    // images
}

// EpochEnded follows an epoch.
type EpochEnded struct {
	Epoch   int // 1 is the first
	Figures []Figure
	Best    bool    // the best so far
	Seconds float64 // since the epoch began or was resumed; 0 without a clock
}

// Saved follows a checkpoint.
type Saved struct {
	Position
	Path string
}

// Warned is something that a person should know and that does not stop the run.
type Warned struct{ Text string }

// Ended closes a run, unless it failed.
type Ended struct{ Result }

func (Started) event()    {}
func (Stepped) event()    {}
func (Worked) event()     {}
func (EpochEnded) event() {}
func (Saved) event()      {}
func (Warned) event()     {}
func (Ended) event()      {}

// Observers tells each of several observers.
type Observers []Observer

// Observe implements Observer.
func (o Observers) Observe(e Event) {
	for _, one := range o {
		one.Observe(e)
	}
}
