//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"espalier/experiment"
	"espalier/nn"
	"espalier/train"
)

var (
	kills    = flag.Int("kills", 20, "processes that TestKilledStudy kills")
	killSeed = flag.Uint64("kill-seed", 1, "what TestKilledStudy draws its moments from")
)

// killStudy trains a network and prunes it by each method of killSeries, with some fine-tuning.
const (
	killStudy = `
name: killed
settings:
  model: {name: resnet8, width: 0.25}
  data: {name: synthetic, train: 512, validation: 32}
  train: {epochs: 3, warmup: 0, batch: 32}
  prune: {epochs: 2, masking: 3}
series:
` + killSeries

	killSeries = `
  - label: magnitude
    settings: {prune: {method: magnitude}}
    rounds: [4]
  - label: bip
    settings: {prune: {method: bip}}
    rounds: [7]
`
	// moreSeries are killed too where more than the usual number of kills is asked for.
	moreSeries = `
  - label: imp
    settings: {prune: {method: imp}, imp: {epoch: 1}}
    rounds: [2]
  - label: gmp
    settings: {prune: {method: gmp}, gmp: {every: 5}}
    rounds: [4]
  - label: hydra
    settings: {prune: {method: hydra}}
    rounds: [4]
`
)

// phase is what a process was doing when it was killed.
type phase string

const (
	training phase = "training"
	scoring  phase = "scoring" // the steps of a mask that is learnt
	tuning   phase = "tuning"  // the fine-tuning of what is left
	saving   phase = "saving"  // a checkpoint was half written
	writing  phase = "writing" // another file was: a mask, a model, a record, a table
	between  phase = "between"
)

var phases = []phase{training, scoring, tuning, saving, writing}

// TestKilledStudy kills a study with a signal that no process can handle, at random moments of each phase, and starts it
// again, until it ends: whatever it leaves but for times is that of a study which was left alone, bit for bit.
//
//	go test ./cmd/espalier -run TestKilledStudy -kills 200 -kill-seed 7
func TestKilledStudy(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	text := killStudy
	if *kills > 20 {
		text += moreSeries
	}
	file := studyFile(t, text)
	want := leftAlone(t, file)
	number := *kills
	h := hunter{t: t, file: file, random: rand.New(rand.NewPCG(*killSeed, 0)), count: make(map[phase]int)}
	for begun := 0; ; begun++ {
		if begun > 20+5*number {
			t.Fatalf("seed %d: %d processes, and only %v kills", *killSeed, begun, h.count)
		}
		if h.root == "" {
			h.root = t.TempDir()
		}
		target, enough := h.target(number)
		if h.hunt(target) {
			continue
		}
		sameTree(t, tree(t, h.root), want)
		if t.Failed() {
			t.Fatalf("seed %d, killed at\n%s", *killSeed, strings.Join(h.history, "\n"))
		}
		h.root, h.history = "", nil
		if enough {
			break
		}
	}
	t.Logf("seed %d: kills %v", *killSeed, h.count)
}

// hunter starts a study again and again, and kills it.
type hunter struct {
	t       *testing.T
	file    string
	random  *rand.Rand
	root    string
	count   map[phase]int
	history []string // places in root
}

// target is the phase to kill in next: one that was hit in less than a fifth of all kills, or any; once all is done there is
// none, and enough is true.
func (h *hunter) target(number int) (p phase, enough bool) {
	total := 0
	for _, n := range h.count {
		total += n
	}
	var rare []phase
	for _, p := range phases {
		if h.count[p] < max(1, number/5) {
			rare = append(rare, p)
		}
	}
	if len(rare) == 0 {
		if total >= number {
			return "", true
		}
		rare = phases
	}
	return rare[h.random.IntN(len(rare))], false
}

// hunt starts the study and kills it a random while after it entered the phase; it is false if the study ended before.
func (h *hunter) hunt(target phase) (killed bool) {
	h.t.Helper()
	start := time.Now()
	victim, said := asProcess(h.file, h.root)
	if err := victim.Start(); err != nil {
		h.t.Skipf("a test cannot start processes here: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- victim.Wait() }()
	wait := time.Duration(h.random.Int64N(int64(60 * time.Millisecond)))
	sightings := h.random.IntN(3) // checkpoints that are let pass; of other files there are more
	if target == writing {
		sightings = h.random.IntN(20)
	}
	seen := make(map[string]bool)
	for target != "" {
		select {
		case err := <-ended:
			return h.over(err, said)
		default:
		}
		if p, where := doing(h.root, start); p == target {
			if seen[where] = true; p != saving && p != writing || len(seen) > sightings {
				break
			}
		}
		time.Sleep(50 * time.Microsecond)
	}
	if target == "" {
		return h.over(<-ended, said)
	}
	if target != saving && target != writing {
		time.Sleep(wait)
	}
	if err := victim.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		h.t.Fatal(err)
	}
	if err := <-ended; err == nil || victim.ProcessState.Exited() {
		return h.over(err, said)
	}
	p, where := doing(h.root, start)
	h.count[p]++
	h.history = append(h.history, fmt.Sprintf("%s: %s", p, where))
	h.t.Logf("killed in %s: %s", p, where)
	return true
}

// over looks at how a process ended that was not killed.
func (h *hunter) over(err error, said *bytes.Buffer) bool {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("seed %d: %v: %s\nkilled before at\n%s", *killSeed, err, said, strings.Join(h.history, "\n"))
	}
	return false
}

// doing tells from its directory what a process does that was started at a moment, or did last, and where.
func doing(root string, start time.Time) (p phase, where string) {
	p = between
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error { // files come and go
		if err != nil || d.IsDir() {
			return nil
		}
		hidden := strings.HasPrefix(d.Name(), ".") && strings.Contains(d.Name(), ".tmp")
		if !hidden && d.Name() != train.StatusFile {
			return nil
		}
		if info, err := d.Info(); err != nil || info.ModTime().Before(start) {
			return nil
		}
		relative, _ := filepath.Rel(root, path)
		var a train.Account
		switch b, err := os.ReadFile(path); {
		case hidden && filepath.Base(filepath.Dir(path)) == train.CheckpointsDir:
			p, where = saving, relative
			return fs.SkipAll
		case hidden:
			p, where = writing, relative
			return fs.SkipAll
		case err != nil || json.Unmarshal(b, &a) != nil || a.Status != train.Running:
		case exists(filepath.Join(filepath.Dir(path), experiment.ConfigFile)):
			p, where = training, fmt.Sprintf("%s %v", relative, a.Position)
		case filepath.Base(filepath.Dir(path)) == experiment.MaskStage:
			p, where = scoring, fmt.Sprintf("%s %v", relative, a.Position)
		default:
			p, where = tuning, fmt.Sprintf("%s %v", relative, a.Position)
		}
		return nil
	})
	return p, where
}

// asProcess is the study in a process of its own, with its runs and results below root, and what it says.
func asProcess(file, root string) (*exec.Cmd, *bytes.Buffer) {
	c := exec.Command(os.Args[0], studyArgs(file, root)...)
	c.Env = append(os.Environ(), asProgram+"=1")
	var said bytes.Buffer
	c.Stderr = &said
	return c, &said
}

func studyArgs(file, root string) []string {
	return []string{"study", file, "--quiet", "--runs", filepath.Join(root, "runs"), "--out", filepath.Join(root, "out")}
}

func studyFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// leftAlone is what the study leaves if nothing happens to it; more are flags.
func leftAlone(t *testing.T, file string, more ...string) map[string]string {
	t.Helper()
	const exact = 1<<24 + 1
	if nn.Float(exact) != 1<<24 {
		t.Skip("files hold single precision: in double, a resumed run has other bits")
	}
	root := t.TempDir()
	if _, stderr, code := espalier(t, append(studyArgs(file, root), more...)...); code != exitOK {
		t.Fatalf("code %d: %s", code, stderr)
	}
	all := tree(t, root)
	for _, part := range []string{train.CheckpointsDir, "mask.safetensors", "metrics.csv", "pruned.csv", "cells"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(path string) bool { return strings.Contains(path, part) }) {
			t.Fatalf("no %s among what the study leaves", part)
		}
	}
	return all
}

// tree is the content of all files below root that does not depend on times: logs, timings and drawings are there without
// content, and what is JSON is without its seconds.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		timed := slices.Contains([]string{".lock", train.LogFile, train.TimingsFile}, d.Name())
		switch results := filepath.Dir(name) == "out"; { // tables and drawings of the records
		case timed || results:
			b = nil
		case filepath.Ext(name) == ".json":
			var v any
			if err := json.Unmarshal(b, &v); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if b, err = json.Marshal(timeless(v)); err != nil {
				return err
			}
		}
		all[name] = string(b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// timeless takes what is called seconds out of a JSON value.
func timeless(v any) any {
	if m, ok := v.(map[string]any); ok {
		delete(m, "seconds")
		delete(m, "processor_seconds")
		for k := range m {
			m[k] = timeless(m[k])
		}
	}
	return v
}

// sameTree compares what tree found.
func sameTree(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if content, ok := got[name]; !ok {
			t.Errorf("%s is lost", name)
		} else if content != want[name] {
			t.Errorf("%s differs", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is left over", name)
		}
	}
}

// TestKilledAboveProcesses kills a study that has each run in a process of its own. Those live on with their runs, so that the
// study may be refused until they are done; then it goes on, and ends in the same bits.
func TestKilledAboveProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	t.Setenv(asProgram, "1")
	t.Setenv("TMPDIR", t.TempDir()) // where the dead leave settings for their processes
	jobs := []string{"--jobs", "2"}
	file := studyFile(t, killStudy)
	want := leftAlone(t, file, jobs...)
	for _, target := range []phase{training, scoring} {
		root, start := t.TempDir(), time.Now()
		parent, said := asProcess(file, root)
		parent.Args = append(parent.Args, jobs...)
		if err := parent.Start(); err != nil {
			t.Skipf("a test cannot start processes here: %v", err)
		}
		for p := between; p != target; p, _ = doing(root, start) {
			if time.Since(start) > time.Minute {
				t.Fatalf("no %s: %s", target, said)
			}
			time.Sleep(100 * time.Microsecond)
		}
		if err := parent.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := parent.Wait(); err == nil {
			t.Fatalf("it had ended: %s", said)
		}
		refusals := 0
		for ; ; refusals++ {
			_, stderr, code := espalier(t, append(studyArgs(file, root), jobs...)...)
			if code == exitOK {
				break
			}
			if code != exitBlocked || !strings.Contains(stderr, "in use by process") || time.Since(start) > time.Minute {
				t.Fatalf("after a kill in %s: code %d, %s", target, code, stderr)
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Logf("after a kill in %s: refused %d times", target, refusals)
		sameTree(t, tree(t, root), want)
	}
}

// TestLockOfTheDead: while a process has a run, another one is refused, and changes nothing; once it is killed, the system
// has given its lock back.
func TestLockOfTheDead(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	file, root, start := studyFile(t, strings.Replace(killStudy, "epochs: 3", "epochs: 50", 1)), t.TempDir(), time.Now()
	holder, said := asProcess(file, root)
	if err := holder.Start(); err != nil {
		t.Skipf("a test cannot start processes here: %v", err)
	}
	for p := between; p != training; p, _ = doing(root, start) {
		if time.Since(start) > time.Minute {
			t.Fatalf("nothing is trained: %s", said)
		}
		time.Sleep(time.Millisecond)
	}
	refused(t, exitBlocked, fmt.Sprintf("in use by process %d ", holder.Process.Pid), studyArgs(file, root))
	if records, _ := filepath.Glob(filepath.Join(root, "out", cellsDir, "*")); len(records) > 0 {
		t.Errorf("a run in use is recorded: %v", records)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := holder.Wait(); err == nil || holder.ProcessState.Exited() {
		t.Fatalf("it had ended: %v, %s", err, said)
	}
	dirs, err := filepath.Glob(filepath.Join(root, "runs", "*", "*", "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%d runs, %v", len(dirs), err)
	}
	d, err := train.Open(dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
