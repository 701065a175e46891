package main

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"espalier/experiment"
	"espalier/search"
)

// TestTrainGenotype trains a small network of cells with drop path, cutout and an auxiliary head, evaluates and prunes it; the
// model file alone describes it, and drop path is repeated by the same command to the bit.
func TestTrainGenotype(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	runs, again := t.TempDir(), t.TempDir()
	args := func(runs, command, genotype string) []string {
		return []string{
			command, "--quiet", "--runs", runs, "--genotype", genotype, "--preset", "darts", "--set", "data.name=synthetic", "--set", "data.train=32",
			"--set", "model.channels=4", "--set", "model.cells=3", "--set", "train.epochs=2", "--set", "train.batch=16",
		}
	}
	g, err := search.Published("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	done(t, args(runs, "train", "DARTS_V2"))
	done(t, args(again, "train", write(t, "cell.txt", g.String())))
	dir, other := runDir(t, runs, experiment.OutcomeFile), runDir(t, again, experiment.OutcomeFile)
	if filepath.Base(filepath.Dir(dir)) != filepath.Base(filepath.Dir(other)) {
		t.Errorf("a name and a file of one genotype have the hashes of %s and %s", dir, other)
	}
	a, err := os.ReadFile(filepath.Join(dir, experiment.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(other, experiment.ModelFile)); err != nil || string(a) != string(b) {
		t.Errorf("two runs end in different bits, %v", err)
	}
	if !strings.Contains(string(a), "auxiliary_head") || !strings.Contains(string(a), "drop_path") {
		t.Error("the model has no auxiliary head, or no drop path")
	}
	if stdout, stderr, code := espalier(t, "eval", dir); code != exitOK || !strings.Contains(stdout, "test accuracy") {
		t.Errorf("eval: code %d, %s%s", code, stdout, stderr)
	}
	done(t, []string{"prune", dir, "--quiet", "--runs", runs, "--method", "magnitude", "--sparsity", "0.5", "--set", "prune.epochs=1"})
	pruned := filepath.Join(runDir(t, runs, experiment.PrunedFile), experiment.StageName(0.5))
	if stdout, stderr, code := espalier(t, "eval", pruned); code != exitOK || !strings.Contains(stdout, "weights are zero (50") {
		t.Errorf("eval: code %d, %s%s", code, stdout, stderr)
	}
}

// TestTrainGenotypeRefused asks for networks that cannot be, and finds nothing written.
func TestTrainGenotypeRefused(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs")
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitFailed, "line 1, column 17: expected '['", []string{"--genotype", "Genotype(normal=7)"}},
		{exitFailed, `no primitive "nor_conv_3x4"; the nearest is "nor_conv_3x3"`, []string{"--genotype", "|nor_conv_3x4~0|"}},
		{exitFailed, "the nearest is DARTS_V1", []string{"--genotype", "DARTS_V9"}},
		{exitUsage, `model.genotype: search: no published cell "DARTS_V9"`, []string{"--set", "model.name=derived", "--set", "model.genotype=DARTS_V9"}},
		{exitUsage, "want a genotype", []string{"--set", "model.name=derived"}},
		{exitUsage, "as model.name is not derived", []string{"--set", "model.genotype=SNAS"}},
		{exitUsage, `no preset "drats"`, []string{"--preset", "drats"}},
		{exitUsage, "train.drop_path", []string{"--genotype", "SNAS", "--set", "train.drop_path=1"}},
		{exitFailed, "divisible by 4: pad or crop them; data.pad_to=4 puts a border round them", []string{"--genotype", "SNAS", "--set", "data.name=folder", "--set", "train.batch=2", "--set", "data.size=30", "--set", "data.dir=" + images(t)}},
	} {
		refused(t, c.code, c.want, append([]string{"train", "--quiet", "--runs", runs, "--set", "data.name=synthetic"}, c.args...))
	}
	if exists(runs) {
		t.Error("something was written")
	}
}

// images is a directory of a few images of 30×30 pixels in two classes.
func images(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, share := range []string{"train", "test"} {
		for _, class := range []string{"a", "b"} {
			if err := os.MkdirAll(filepath.Join(dir, share, class), 0o755); err != nil {
				t.Fatal(err)
			}
			for k := range 4 {
				f, err := os.Create(filepath.Join(dir, share, class, fmt.Sprintf("%d.png", k)))
				if err != nil {
					t.Fatal(err)
				}
				m := image.NewGray(image.Rect(0, 0, 30, 30))
				for i := range m.Pix {
					m.Pix[i] = uint8(i * (k + 3))
				}
				if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return dir
}
