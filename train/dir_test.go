package train

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "run")
	if InUse(path) {
		t.Error("a directory that does not exist is in use")
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "process") {
		t.Errorf("a second Open: %v", err)
	}
	if !InUse(path) {
		t.Error("an open directory is not in use")
	}
	stage, err := d.Stage("prune/0.9")
	if err != nil {
		t.Fatal(err)
	}
	half := stage.Path(CheckpointsDir, ".epoch.tmp1")
	if err := os.WriteFile(half, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Stage("prune/0.9"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a killed process left half written in a stage is still there: %v", err)
	}
	if err := stage.writeAccount(Account{Status: Running}); err != nil {
		t.Fatal(err)
	}
	if a, err := ReadAccount(stage.Path()); err != nil || a.Status != Running {
		t.Errorf("a stage of a run that goes on is %v, %v", a.Status, err)
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := ReadAccount(stage.Path()); err != nil || a.Status != Interrupted {
		t.Errorf("a stage of a run that was killed is %v, %v", a.Status, err)
	}
	if InUse(path) {
		t.Error("a closed directory is in use")
	}
	d, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, name := range []string{"../x", "/x", ""} {
		if _, err := d.Stage(name); err == nil {
			t.Errorf("a stage was made of %q", name)
		}
	}
}

// TestOpenRefuses opens directories in which nothing can be written.
func TestOpenRefuses(t *testing.T) {
	base := t.TempDir()
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	inFile := filepath.Join(file, "run")
	blocked := filepath.Join(base, "blocked")
	if err := os.MkdirAll(filepath.Join(blocked, lockName), 0o755); err != nil {
		t.Fatal(err)
	}
	paths := []string{inFile, blocked}
	if os.Getuid() > 0 {
		sealed := filepath.Join(base, "sealed")
		if err := os.Mkdir(sealed, 0o555); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, sealed)
	}
	for _, path := range paths {
		_, err := Open(path)
		if err == nil || !strings.HasPrefix(err.Error(), "train: ") || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

func TestAppend(t *testing.T) {
	d := open(t, t.TempDir())
	for _, line := range []string{"a\n", "b\n"} {
		if err := d.Append(LogFile, line); err != nil {
			t.Fatal(err)
		}
	}
	if b, _ := os.ReadFile(d.Path(LogFile)); string(b) != "a\nb\n" {
		t.Errorf("%q", b)
	}
	if err := d.Append("missing/log.txt", "c"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestTorn appends to files whose last line a crash left half written: that is cut off, and what follows is readable.
func TestTorn(t *testing.T) {
	d := open(t, t.TempDir())
	for before, want := range map[string]string{
		"":                                   "new\n",
		"ha":                                 "new\n",
		"old\n":                              "old\nnew\n",
		"old\nha":                            "old\nnew\n",
		"\n\nha":                             "\n\nnew\n",
		strings.Repeat("x", 10000):           "new\n",
		"old\n" + strings.Repeat("x", 10000): "old\nnew\n",
	} {
		if err := os.WriteFile(d.Path(LogFile), []byte(before), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := d.Append(LogFile, "new\n"); err != nil {
			t.Fatal(err)
		}
		if b, _ := os.ReadFile(d.Path(LogFile)); string(b) != want {
			t.Errorf("%.20q becomes %.20q, want %.20q", before, b, want)
		}
	}
}

const victimDir = "ESPALIER_TEST_VICTIM"

// TestVictim is no test: TestSignal runs it in a process of its own, and kills that.
func TestVictim(t *testing.T) {
	dir := os.Getenv(victimDir)
	if dir == "" {
		t.Skip("runs within TestSignal")
	}
	w := newWalk(testSteps)
	w.during = func(int) { time.Sleep(5 * time.Millisecond) }
	if _, err := Run(context.Background(), open(t, dir), w, Options{Epochs: testEpochs, Best: "val_accuracy", SaveSteps: 1}); err != nil {
		t.Fatal(err)
	}
}

// TestSignal kills a process that runs, again and again until one comes through: its lock goes with it, and the run ends in
// the bits of one that was never killed. Where a kill hits is chance; TestKilled goes through all places in order.
func TestSignal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	want := reference(t)
	dir := t.TempDir()
	kills := 0
	for wait := 20 * time.Millisecond; ; wait += 10 * time.Millisecond {
		victim := exec.Command(os.Args[0], "-test.run=^TestVictim$")
		victim.Env = append(os.Environ(), victimDir+"="+dir)
		if err := victim.Start(); err != nil {
			t.Skipf("a test cannot start processes here: %v", err)
		}
		killed := make(chan error)
		go func() {
			time.Sleep(wait)
			killed <- victim.Process.Kill()
		}()
		err := victim.Wait()
		<-killed
		if err == nil {
			break
		}
		if kills++; kills > 100 {
			t.Fatal("no process came through")
		}
		if InUse(dir) {
			t.Fatal("a killed process has the directory")
		}
	}
	t.Logf("%d kills", kills)
	same(t, files(t, dir), want)
}
