package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
)

// plainEvery is how often a loop without a terminal writes a line.
const plainEvery = 10 * time.Second

// progress shows how far a long loop is: as a bar on a terminal, as a line now and then elsewhere, not at all when quiet.
type progress struct {
	app    *app
	bar    *progressbar.ProgressBar // nil: no terminal
	title  string
	total  int // units of the loop
	begun  int // units that were done before
	done   int
	images int // that this process worked on
	note   string
	start  time.Time
	shown  time.Time
}

// newProgress begins a loop over total units, of which some may be done already.
func (a *app) newProgress(title string, total, done int) *progress {
	p := &progress{app: a, title: title, total: total, begun: done, done: done, start: time.Now(), shown: time.Now()}
	if a.terminal && !a.quiet {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(a.stderr),
			progressbar.OptionSetDescription(title),
			progressbar.OptionSetWidth(20),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish(),
		)
		a.bars = append(a.bars, p)
	}
	return p
}

// set says that done units are done in all, with some more images, and how things stand, such as "loss 1.23".
func (p *progress) set(done, images int, note string) {
	p.done, p.note = done, note
	p.images += images
	if p.app.quiet {
		return
	}
	if p.bar != nil {
		p.bar.Describe(p.text())
		_ = p.bar.Set(done) // a bar that cannot be drawn stops nothing
		return
	}
	if time.Since(p.shown) >= plainEvery {
		p.shown = time.Now()
		p.app.say("%s %3.0f %%", p.text(), 100*float64(done)/float64(max(1, p.total)))
	}
}

// text is title, note, images a second and time left.
func (p *progress) text() string {
	s := p.title
	if p.note != "" {
		s += ", " + p.note
	}
	spent := time.Since(p.start)
	if p.images > 0 && spent > 0 {
		s += fmt.Sprintf(", %.0f images/s", float64(p.images)/spent.Seconds())
	}
	if n := p.done - p.begun; n > 0 {
		left := time.Duration(float64(spent) / float64(n) * float64(p.total-p.done))
		s += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return s
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar == nil {
		return
	}
	_ = p.bar.Clear()
	_ = p.bar.Exit()
	p.app.bars = slices.DeleteFunc(p.app.bars, func(q *progress) bool { return q == p })
}

// clear takes the bars off their line, so that a text can stand there; those that go on come back by themselves.
func (a *app) clear() {
	for _, p := range a.bars {
		_ = p.bar.Clear()
	}
}
