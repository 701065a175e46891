//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"espalier/nn"
	"espalier/train"
)

// TestCtrlC sends a training in a process of its own the signal of Ctrl-C, in the middle of an epoch and again in what goes on
// from there: each time it ends its step, saves, says that the same command goes on, and exits with the code for that. The
// command ends in what a run leaves that was not stopped, bit for bit.
func TestCtrlC(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	const exact = 1<<24 + 1
	if nn.Float(exact) != 1<<24 {
		t.Skip("files hold single precision: in double, a resumed run has other bits")
	}
	args := func(runs string) []string {
		return []string{
			"train", "--runs", runs, "--set", "model.name=resnet8", "--set", "model.width=0.25", "--set", "data.name=synthetic",
			"--set", "data.train=1536", "--set", "data.validation=32", "--set", "train.epochs=3", "--set", "train.warmup=0", "--set", "train.batch=32",
		}
	}
	alone, runs := t.TempDir(), t.TempDir()
	want, stderr, code := espalier(t, args(alone)...)
	if code != exitOK {
		t.Fatalf("code %d: %s", code, stderr)
	}
	where, within := "", 0
	for _, after := range []time.Duration{20 * time.Millisecond, 40 * time.Millisecond, 60 * time.Millisecond, never} {
		out, said, code := interrupted(t, args(runs), runs, after)
		if where != "" && !strings.Contains(said, "training goes on "+where+" of 3\n") {
			t.Errorf("it was interrupted %s, and then said %s", where, said)
		}
		if code == exitOK {
			if out, want := outcomeOf(out), outcomeOf(want); out != want {
				t.Errorf("the outcome is %q, of a run left alone %q", out, want)
			}
			break
		}
		lines := strings.Split(strings.TrimSpace(said), "\n")
		m := hint.FindStringSubmatch(lines[len(lines)-1])
		if code != exitInterrupted || m == nil || out != "" {
			t.Fatalf("code %d: %s%s", code, said, out)
		}
		if where = m[1]; strings.Contains(where, "step") {
			within++
		}
		dirs, _ := filepath.Glob(filepath.Join(runs, "*", "*", "*"))
		if len(dirs) != 1 {
			t.Fatalf("%d runs", len(dirs))
		}
		a, err := train.ReadAccount(dirs[0])
		if err != nil || a.Status != train.Interrupted || a.Position.String() != where {
			t.Fatalf("the run's account is %+v, %v; it said %s", a, err, where)
		}
	}
	if within == 0 {
		t.Error("it was never interrupted within an epoch")
	}
	sameTree(t, tree(t, runs), tree(t, alone))
}

// hint is what an interrupted training says last.
var hint = regexp.MustCompile(`^interrupted (.+) \(3 epochs in all\); the state is saved, and the same command goes on from there$`)

// never is a time after which nothing is interrupted.
const never time.Duration = -1

// interrupted starts a command in a process of its own and interrupts it some time after it has begun to train below runs.
func interrupted(t *testing.T, args []string, runs string, after time.Duration) (stdout, stderr string, code int) {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	begun := time.Now()
	if err := c.Start(); err != nil {
		t.Skipf("a test cannot start processes here: %v", err)
	}
	if after != never {
		for p := between; p != training; p, _ = doing(runs, begun) {
			if time.Since(begun) > time.Minute {
				t.Fatalf("nothing is trained: %s", &said)
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(after)
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Wait() // the code says more
	return out.String(), said.String(), c.ProcessState.ExitCode()
}

// outcomeOf is what a training says of itself at the end, without times and places.
func outcomeOf(stdout string) string {
	before, _, _ := strings.Cut(stdout, ", 3 epochs in ")
	return before
}
