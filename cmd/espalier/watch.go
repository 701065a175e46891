package main

import (
	"fmt"
	"slices"

	"espalier/train"
)

// watcher draws the progress of a training and says what happens at each epoch's end.
type watcher struct {
	app    *app
	title  string // such as "training" or "random, 90 % removed"
	epochs int
	steps  int
	bar    *progress
	task   *progress // within an epoch's end, or nil
}

// Observe implements train.Observer.
func (w *watcher) Observe(e train.Event) {
	switch e := e.(type) {
	case train.Started:
		w.epochs, w.steps = e.Epochs, e.Steps
		w.bar = w.app.newProgress(w.title, e.Epochs*e.Steps, e.Epoch*e.Steps+e.Step)
		if e.Resumed && e.Epoch < e.Epochs {
			w.app.say("%s goes on %v of %d", w.title, e.Position, e.Epochs)
		}
	case train.Stepped:
		w.bar.title = w.at(min(e.Epoch+1, w.epochs))
		w.bar.set(e.Epoch*w.steps+e.Step, e.Images, figures(e.Figures))
	case train.Worked:
		if w.task != nil && w.task.title != e.Task { // one task is over, another begins
			w.task.end()
			w.task = nil
		}
		if w.task == nil {
			w.task = w.app.newProgress(e.Task, e.Total, e.Done) // its time begins now
		}
		w.task.set(e.Done, e.Done-w.task.done, "")
	case train.EpochEnded:
		if w.task != nil {
			w.task.end()
			w.task = nil
		}
		best := ""
		if e.Best && w.epochs > 1 {
			best = ", the best so far"
		}
		w.app.say("%s: %s%s", w.at(e.Epoch), figures(e.Figures), best)
	case train.Warned:
		w.app.clear()
		fmt.Fprintf(w.app.stderr, "warning: %s\n", e.Text)
	case train.Ended:
		w.bar.end()
	}
}

// at says what is being done in an epoch, 1 the first.
func (w *watcher) at(epoch int) string {
	return fmt.Sprintf("%s, epoch %d/%d", w.title, epoch, w.epochs)
}

// figures are the figures that are news to a person: the learning rate is left to metrics.csv.
func figures(all []train.Figure) string {
	return train.Join(slices.DeleteFunc(slices.Clone(all), func(f train.Figure) bool { return f.Name == "lr" || f.Value != f.Value }))
}
