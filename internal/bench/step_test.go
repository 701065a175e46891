package bench

import (
	"bytes"
	"encoding/json"
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
	if err := s.Layers(&b, 2, time.Now); err != nil || !strings.Contains(b.String(), "conv 3x3") {
		t.Errorf("%s: %v", &b, err)
	}
	b.Reset()
	loading, err := s.Loading(2, time.Now)
	if err != nil || !(loading.FixedMS > 0 && loading.LoadedMS > 0 && loading.Share < 1) {
		t.Errorf("row %+v, %v", loading, err)
	}
	if err := LoadingTable(&b, true, loading); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("%s: %v", &b, err)
	}
	if s, err := NewStep("DARTS_V2", 2); err != nil || s.Run() != nil {
		t.Errorf("a published genotype: %v", err)
	}
	if _, err := NewStep("resnet21", 4); err == nil {
		t.Error("an unknown model was accepted")
	}
}
