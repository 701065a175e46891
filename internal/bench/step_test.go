package bench

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestStep(t *testing.T) {
	s, err := NewStep("resnet8", 4)
	if err != nil {
		t.Fatal(err)
	}
	var accuracy float64 // of all steps so far
	for range 20 {
		sample, err := s.train.StepOn(s.x, s.labels)
		if err != nil {
			t.Fatal(err)
		}
		accuracy = sample.Figures[1].Value
	}
	if !(accuracy > 50) {
		t.Errorf("%v %% of the images right over 20 steps on one batch of 4", accuracy)
	}
	row, err := s.Measure(3, time.Now)
	if err != nil || !(row.MedianMS > 0) || row.Batch != 4 {
		t.Errorf("row %+v, %v", row, err)
	}
	var b bytes.Buffer
	if err := StepTable(&b, true, row); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("%s: %v", &b, err)
	}
	b.Reset()
	layers, err := s.Layers(2, time.Now)
	if err != nil || LayerTable(&b, false, layers) != nil || !strings.Contains(b.String(), "conv 3x3") {
		t.Errorf("%s: %v", &b, err)
	}
	share := 0.0
	for _, r := range layers {
		share += r.Share
	}
	if !(math.Abs(share-1) < 1e-9) {
		t.Errorf("layers have %v of the time of all layers", share)
	}
	b.Reset()
	loading, err := s.Loading(2, time.Now)
	if err != nil || !(loading.FixedMS > 0 && loading.LoadedMS > 0 && loading.Share < 1) {
		t.Errorf("row %+v, %v", loading, err)
	}
	if err := LoadingTable(&b, true, loading); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("%s: %v", &b, err)
	}
	if s, err := NewStep("DARTS_V2", 2); err != nil || !testing.Short() && s.Run() != nil {
		t.Errorf("a published genotype: %v", err)
	}
	if _, err := NewStep("resnet21", 4); err == nil {
		t.Error("an unknown model was accepted")
	}
}
