package experiment

import (
	"testing"

	"espalier/internal/kernels"
)

// The synthetic set is worth training on: a small residual network learns it in five epochs, where a linear classifier
// cannot (datasets tests that).
func TestResNet8LearnsSynthetic(t *testing.T) {
	if testing.Short() || kernels.ISA() == "go" {
		t.Skip("trains for some twenty seconds with vector kernels")
	}
	c := Quickstart("synthetic", "none", false)
	c.Data.Validation, c.Train.Epochs = 0, 5
	lab := &Lab{Runs: t.TempDir()}
	run, err := lab.Train(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if a := run.Outcome.TestAcc; !(a >= 85) {
		t.Errorf("%.2f %% of the test images after 5 epochs, want at least 85 %%", a)
	} else {
		t.Logf("%.2f %%", a)
	}
}
