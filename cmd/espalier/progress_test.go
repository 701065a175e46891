package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"espalier/train"
)

// TestPlainLines looks for a line of each long loop without a terminal: training, learning a mask, fine-tuning, searching and
// evaluating.
func TestPlainLines(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	runs := t.TempDir()
	const learns, looks = `, loss [\d.]+, accuracy [\d.]+ %, \d+ images/s, \d+s left, \d+ % done`, `, \d+ images/s, \d+s left, \d+ % done`
	for _, c := range []struct {
		args  []string
		loops []string
	}{
		{command("prune", "--method", "bip", "--runs", runs, "--set", "model.name=resnet8", "--set", "data.name=synthetic",
			"--set", "prune.sparsity=0.9", "--set", "prune.masking=2", "--set", "prune.upper=0.5"),
			[]string{
				"training, epoch 1/1" + learns, "bip, 90 % removed, mask, epoch 2/2" + learns, "bip, 90 % removed, epoch 1/1" + learns,
				"validation" + looks, "test" + looks,
			}},
		{[]string{
			"search", "--runs", runs, "--method", "darts", "--space", "nas-bench-201", "--epochs", "2", "--set", "data.name=synthetic",
			"--set", "data.train=96", "--set", "search.channels=4", "--set", "search.cells=1", "--set", "search.batch=16",
		}, []string{"search by darts, epoch 2/2" + learns, "validation" + looks}},
	} {
		var out, err bytes.Buffer
		a := newApp(&out, &err)
		a.every = 0
		if code := a.run(t.Context(), c.args); code != exitOK {
			t.Fatalf("code %d: %s", code, &err)
		}
		for _, loop := range c.loops {
			if !regexp.MustCompile("(?m)^" + loop + "$").MatchString(err.String()) {
				t.Errorf("no line %q:\n%s", loop, &err)
			}
		}
		if strings.ContainsAny(err.String(), "\r\x1b") {
			t.Error("a bar is drawn where there is no terminal")
		}
	}
}

// watched is what is written of a training that did 10 of 40 steps of 32 images in 2 seconds.
func watched(terminal bool) (w *watcher, written *bytes.Buffer) {
	written = new(bytes.Buffer)
	a := newApp(written, written)
	a.terminal = terminal
	w = &watcher{app: a, title: "training"}
	w.Observe(train.Started{Epochs: 2, Steps: 20})
	w.bar.start = time.Now().Add(-2 * time.Second)
	w.bar.shown = w.bar.start
	for range 2 { // a bar shows the step before
		time.Sleep(redraw)
		w.Observe(train.Stepped{Position: train.Position{Step: 10}, Sample: train.Sample{Images: 160, Figures: []train.Figure{
			{Name: "loss", Value: 1.5}, {Name: "accuracy", Value: 25}, {Name: "lr", Value: 0.1},
		}}})
	}
	return w, written
}

// TestBar draws a bar on a terminal, with what does not fit left out, and takes it away at the end.
func TestBar(t *testing.T) {
	w, written := watched(true)
	shown := strings.Join(screen(written.String()), "\n")
	if !regexp.MustCompile(`^training, epoch 1/2, loss 1\.5, accuracy 25\.00 %, [67]s left +25% \|█ +\|$`).MatchString(shown) {
		t.Errorf("the terminal shows %q", shown)
	}
	for columns, want := range map[int]string{
		120: `^training, epoch 1/2, loss 1\.5, accuracy 25\.00 %, 1\d\d images/s, [67]s left$`,
		80:  `^training, epoch 1/2, loss 1\.5, accuracy 25\.00 %, [67]s left$`,
		50:  `^training, epoch 1/2, [67]s left$`,
		24:  `^training, $`,
	} {
		if _, room := barOf(columns); !regexp.MustCompile(want).MatchString(w.bar.text(room)) {
			t.Errorf("in %d columns it says %q, want %s", columns, w.bar.text(room), want)
		}
	}
	w.Observe(train.Ended{})
	if shown := strings.Join(screen(written.String()), ""); shown != "" || len(w.app.bars) > 0 {
		t.Errorf("at the end the terminal shows %q", shown)
	}
}

// TestPlainLinesAreRare writes nothing of a loop that has lasted for less than plainEvery.
func TestPlainLinesAreRare(t *testing.T) {
	w, written := watched(false)
	if written.Len() > 0 {
		t.Errorf("after 2 seconds it wrote %q", written)
	}
	w.bar.shown = time.Now().Add(-plainEvery)
	w.bar.set(11, 32, "loss 1")
	if got := strings.Count(written.String(), "\n"); got != 1 || !strings.HasSuffix(written.String(), " left, 27 % done\n") {
		t.Errorf("after %v it wrote %q", plainEvery, written)
	}
}
