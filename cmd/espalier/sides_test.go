package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"espalier/experiment"
)

// TestSearchOwnImages searches on images whose sides cannot be halved twice, with a border, derives and trains what was found;
// without the border the search is refused, and says which setting would help. Grey images need nothing.
func TestSearchOwnImages(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs")
	folder := []string{"--set", "data.name=folder", "--set", "data.size=30", "--set", "data.dir=" + images(t)}
	sides := append([]string{"--quiet", "--runs", runs}, folder...)
	find := []string{"--epochs", "1", "--set", "darts.order=1", "--space", "robustdarts-s2", "--set", "search.channels=4", "--set", "search.cells=3", "--set", "search.batch=4"}
	refused(t, exitFailed, "images of 30x30: the network halves them 2 times", append(append([]string{"search"}, sides...), find...))
	refused(t, exitFailed, "data.pad_to=4 puts a border round them", append(append([]string{"search"}, sides...), find...))
	if exists(runs) {
		t.Error("something was written")
	}
	pad := []string{"--set", "data.pad_to=4"}
	done(t, append(append(append([]string{"search"}, sides...), find...), pad...))
	dir := runDir(t, runs, experiment.GenotypeFile)
	cell, stderr, code := espalier(t, "derive", dir)
	if code != exitOK {
		t.Fatalf("derive: code %d, %s", code, stderr)
	}
	train := append([]string{"train", "--genotype", strings.TrimSpace(cell), "--set", "model.channels=4", "--set", "model.cells=3",
		"--set", "train.epochs=1", "--set", "train.warmup=0", "--set", "train.batch=4"}, sides...)
	done(t, append(train, pad...))
	trained := runDir(t, runs, experiment.OutcomeFile)
	if stdout, stderr, code := espalier(t, "eval", trained); code != exitOK || !strings.Contains(stdout, "test accuracy") {
		t.Errorf("eval: code %d, %s%s", code, stdout, stderr)
	}

	if testing.Short() {
		return
	}
	runs = filepath.Join(t.TempDir(), "runs")
	grey := []string{"--set", "data.train=16", "--quiet", "--runs", runs, "--set", "data.name=fashion-mnist", "--set", "data.dir=" + greyImages(t)}
	done(t, append(append([]string{"search"}, grey...), find...))
	runDir(t, runs, experiment.GenotypeFile)
}

// greyImages is a directory of images of 28×28×1 in the format of Fashion-MNIST, as many as that has.
func greyImages(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for share, n := range map[string]int{"train": 60000, "t10k": 10000} {
		pixels := binary.BigEndian.AppendUint32(nil, 0x803)
		for _, d := range []int{n, 28, 28} {
			pixels = binary.BigEndian.AppendUint32(pixels, uint32(d))
		}
		labels := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 0x801), uint32(n))
		image := make([]byte, 28*28)
		for i := range n {
			image[i%len(image)] += 100
			pixels, labels = append(pixels, image...), append(labels, uint8(i%10))
		}
		for name, b := range map[string][]byte{"-images-idx3-ubyte": pixels, "-labels-idx1-ubyte": labels} {
			if err := os.WriteFile(filepath.Join(dir, share+name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}
