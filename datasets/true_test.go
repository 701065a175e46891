package datasets

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"testing"
)

// The sets that are on this machine, in the directory that ESPALIER_DATA names or in /usr/share/datasets, are whole, and
// their normalisation is that of their images.
func TestTrueSets(t *testing.T) {
	roots := Places{Data: os.Getenv("ESPALIER_DATA")}.Roots()
	for _, k := range Sets() {
		if !k.Fetchable() {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			set, err := Open(k.Name, roots, OpenOptions{})
			if errors.Is(err, fs.ErrNotExist) {
				t.Skipf("NO %s HERE: set ESPALIER_DATA to a directory that holds it", k.Title)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := Check(set).Err(); err != nil {
				t.Error(err)
			}
			// CIFAR-10's constants are those that papers use; copies in lossy formats differ a little.
			measured := Measure(set.Train, nil)
			for c := range set.Norm.Mean {
				if !(math.Abs(measured.Mean[c]-set.Norm.Mean[c]) < .005) || !(math.Abs(measured.Std[c]-set.Norm.Std[c]) < .01) {
					t.Errorf("channel %d: normalised by %v and %v, measured %v and %v", c, set.Norm.Mean[c], set.Norm.Std[c],
						measured.Mean[c], measured.Std[c])
				}
			}
		})
	}
}
