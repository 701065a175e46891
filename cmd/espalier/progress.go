package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// plainEvery is how often a loop without a terminal writes a line.
const plainEvery = 10 * time.Second

// progress shows how far a long loop is: as a bar on a terminal, as a line now and then elsewhere, not at all when quiet.
type progress struct {
	app   *app
	bar   *progressbar.ProgressBar
	title string
	total int
	unit  string
	done  int
	note  string
	start time.Time
	shown time.Time
}

// newProgress begins a loop over total units, such as "images".
func (a *app) newProgress(title string, total int, unit string) *progress {
	p := &progress{app: a, title: title, total: total, unit: unit, start: time.Now(), shown: time.Now()}
	if a.terminal && !a.quiet {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(a.stderr),
			progressbar.OptionSetDescription(title),
			progressbar.OptionSetWidth(24),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString(unit),
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// add says that n more units are done, and how things stand, such as "loss 1.23, accuracy 56.7 %".
func (p *progress) add(n int, note string) {
	p.done += n
	p.note = note
	switch {
	case p.app.quiet:
	case p.bar != nil:
		p.bar.Describe(p.title + " " + note)
		_ = p.bar.Add(n) // a bar that cannot be drawn stops nothing
	case time.Since(p.shown) >= plainEvery:
		p.shown = time.Now()
		p.app.say("%s", p.line())
	}
}

// line is the plain form: title, share done, note, rate, time left.
func (p *progress) line() string {
	spent := time.Since(p.start).Seconds()
	rate := float64(p.done) / max(spent, 1e-9)
	left := time.Duration(float64(p.total-p.done) / max(rate, 1e-9) * float64(time.Second))
	s := fmt.Sprintf("%s %d/%d %s", p.title, p.done, p.total, p.unit)
	if p.note != "" {
		s += ", " + p.note
	}
	return fmt.Sprintf("%s, %.0f %s/s, %s left", s, rate, p.unit, left.Round(time.Second))
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
