package main

import (
	"fmt"
	"strings"

	"espalier/train"
)

// watcher draws the progress of a run and says what happens at each epoch's end.
type watcher struct {
	app    *app
	title  string // such as "training" or "fine-tuning at 90 %"
	epochs int
	steps  int
	bar    *progress
	task   *progress
}

// Observe implements train.Observer.
func (w *watcher) Observe(e train.Event) {
	switch e := e.(type) {
	case train.Started:
		w.epochs, w.steps = e.Epochs, e.Steps
		w.bar = w.app.newProgress(w.title, e.Epochs*e.Steps, e.Epoch*e.Steps+e.Step)
		if e.Resumed && (e.Epoch < e.Epochs) {
			w.app.say("%s goes on %v of %d", w.title, e.Position, e.Epochs)
		}
	case train.Stepped:
		w.bar.title = fmt.Sprintf("%s, epoch %d/%d", w.title, min(e.Epoch+1, w.epochs), w.epochs)
		w.bar.set(e.Epoch*w.steps+e.Step, e.Images, figures(e.Figures))
	case train.Worked:
		if w.task == nil {
			w.task = w.app.newProgress(e.Task, e.Total, 0)
		}
		w.task.set(e.Done, 0, "")
		if e.Done >= e.Total {
			w.endTask()
		}
	case train.EpochEnded:
		w.endTask()
		best := ""
		if e.Best && w.epochs > 1 {
			best = ", the best so far"
		}
		w.clear()
		w.app.say("%s, epoch %d/%d: %s%s", w.title, e.Epoch, w.epochs, figures(e.Figures), best)
	case train.Warned:
		w.clear()
		fmt.Fprintf(w.app.stderr, "warning: %s\n", e.Text)
	case train.Ended:
		w.endTask()
		w.clear()
		w.bar.end()
	}
}

func (w *watcher) endTask() {
	if w.task != nil {
		w.task.end()
		w.task = nil
	}
}

// clear takes the bar off its line, so that a text can stand there.
func (w *watcher) clear() {
	if w.bar != nil && w.bar.bar != nil {
		_ = w.bar.bar.Clear()
	}
}

// figures writes numbers as people read them: accuracies in percent with one decimal, losses with four digits. The learning
// rate is left to metrics.csv.
func figures(fs []train.Figure) string {
	parts := make([]string, 0, len(fs))
	for _, f := range fs {
		if f.Value != f.Value || f.Name == "lr" {
			continue // not measured, or no news
		}
		name := strings.ReplaceAll(f.Name, "_", " ")
		if strings.HasSuffix(name, "accuracy") {
			parts = append(parts, fmt.Sprintf("%s %.1f %%", name, f.Value))
		} else {
			parts = append(parts, fmt.Sprintf("%s %.4g", name, f.Value))
		}
	}
	return strings.Join(parts, ", ")
}
