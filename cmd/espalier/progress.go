package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// plainEvery is how often a loop without a terminal writes a line.
const plainEvery = 10 * time.Second

// redraw is how often a bar is drawn at most.
const redraw = 100 * time.Millisecond

// A bar is barWidth columns wide, or narrowBar in a terminal of fewer than roomy columns, so that a loop's figures have room.
const (
	barWidth  = 20
	narrowBar = 5
	roomy     = 110
)

// barOf is the width of a bar in a terminal of so many columns, and what is left for its text.
func barOf(columns int) (width, text int) {
	width = barWidth
	if columns < roomy {
		width = narrowBar
	}
	return width, columns - width - len(" 100% ||") - 1 // one for the cursor
}

// progress shows how far a long loop is: as a bar on a terminal, as a line now and then elsewhere, not at all when quiet.
type progress struct {
	app    *app
	bar    *progressbar.ProgressBar // nil: no terminal
	title  string
	total  int // units of the loop; negative: it is not known
	begun  int // units that were done before
	done   int
	images int // that this process worked on
	note   string
	start  time.Time
	shown  time.Time
}

// newProgress begins a loop over total units, or an unknown number of them if it is negative, of which some may be done
// already.
func (a *app) newProgress(title string, total, done int) *progress {
	p := &progress{app: a, title: title, total: total, begun: done, done: done, start: time.Now(), shown: time.Now()}
	if a.terminal && !a.quiet {
		width, _ := barOf(a.columns())
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(a.stderr),
			progressbar.OptionSetDescription(title),
			progressbar.OptionSetWidth(width),
			progressbar.OptionThrottle(redraw),
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
		_, room := barOf(p.app.columns())
		p.bar.Describe(p.text(room))
		_ = p.bar.Set(done) // a bar that cannot be drawn stops nothing
		return
	}
	if time.Since(p.shown) >= p.app.every {
		p.shown = time.Now()
		share := ""
		if p.total > 0 {
			share = fmt.Sprintf(", %d %% done", 100*done/p.total)
		}
		p.app.say("%s%s", p.text(math.MaxInt), share)
	}
}

// text is title, note, images a second and time left; if that is too wide, without the images a second, or without the
// note.
func (p *progress) text(width int) string {
	spent := time.Since(p.start)
	note, rate, left := "", "", ""
	if p.note != "" {
		note = ", " + p.note
	}
	if p.images > 0 && spent > 0 {
		rate = fmt.Sprintf(", %.0f images/s", float64(p.images)/spent.Seconds())
	}
	if n := p.done - p.begun; n > 0 && p.total > 0 {
		d := time.Duration(float64(spent) / float64(n) * float64(p.total-p.done))
		left = fmt.Sprintf(", %v left", d.Round(time.Second))
	}
	for _, text := range []string{p.title + note + rate + left, p.title + note + left, p.title + left} {
		if len(text) <= width {
			return text
		}
	}
	return p.title[:max(0, min(width, len(p.title)))]
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

// columns is the width of the terminal.
func (a *app) columns() int {
	if f, ok := a.stderr.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// clear takes the bars off their line, so that a text can stand there; those that go on come back by themselves.
func (a *app) clear() {
	for _, p := range a.bars {
		_ = p.bar.Clear()
	}
}
