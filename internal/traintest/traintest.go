// Package traintest helps to test what package train runs.
package traintest

import (
	"context"
	"testing"

	"espalier/train"
)

// Observer is a function as an observer.
type Observer func(train.Event)

// Observe implements train.Observer.
func (o Observer) Observe(e train.Event) { o(e) }

// InPieces trains so many epochs in a directory and is interrupted after every so many steps; each piece has a stepper of its
// own. It returns the last of them. Without an interruption there is one piece.
func InPieces[S train.Stepper](t testing.TB, epochs, every int, stepper func() S) S {
	t.Helper()
	dir := t.TempDir()
	for {
		d, err := train.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		s := stepper()
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		r, err := train.Run(ctx, d, s, train.Options{Epochs: epochs, Observer: Observer(func(e train.Event) {
			if _, ok := e.(train.Stepped); ok {
				if n++; n == every {
					cancel()
				}
			}
		})})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if r.Status == train.Finished {
			return s
		}
	}
}
