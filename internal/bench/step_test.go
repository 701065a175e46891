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
	first, err := s.Run()
	if err != nil {
		t.Fatal(err)
	}
	var loss float64
	for range 20 {
		if loss, err = s.Run(); err != nil {
			t.Fatal(err)
		}
	}
	if !(loss < first) {
		t.Errorf("loss %v after 20 steps on one batch, %v before", loss, first)
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
	if _, err := NewStep("resnet21", 4); err == nil {
		t.Error("an unknown model was accepted")
	}
}
