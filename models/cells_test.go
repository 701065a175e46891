package models

import (
	"testing"

	"espalier/nn"
	"espalier/search"
)

// TestPublishedCosts checks parameters and multiply-adds of named cells at C=36, L=20.
func TestPublishedCosts(t *testing.T) {
	for name, want := range map[string]nn.Cost{
		"DARTS_V1": {Params: 3169414, MACs: 500987520},
		"DARTS_V2": {Params: 3349342, MACs: 528359040},
		"GDAS_V1":  {Params: 3368782, MACs: 519428736},
		"PC_DARTS": {Params: 3634678, MACs: 556670592},
		"PDARTS":   {Params: 3433798, MACs: 532174464},
		"SNAS":     {Params: 2661382, MACs: 422218368},
	} {
		g, err := search.Published(name)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := Derived(g, CellOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := nn.Count(spec, nn.Shape{H: 32, W: 32, C: 3})
		if err != nil {
			t.Fatal(err)
		}
		if got.Params != want.Params || got.MACs != want.MACs {
			t.Errorf("%s has %d parameters and %d multiply-adds, want %d and %d", name, got.Params, got.MACs, want.Params, want.MACs)
		}
	}
}
