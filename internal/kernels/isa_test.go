package kernels

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestISA(t *testing.T) {
	names := Available()
	if names[len(names)-1] != "go" {
		t.Errorf("plain Go is not the last of %v", names)
	}
	if !slices.Contains(names, ISA()) {
		t.Errorf("%s is not among %v", ISA(), names)
	}
	if elem == 8 && len(names) != 1 {
		t.Errorf("a build in float64 has %v", names)
	}
	before := ISA()
	err := setISA("sse")
	if err == nil || !strings.Contains(err.Error(), `"sse"`) || !strings.Contains(err.Error(), "go") {
		t.Errorf("an unknown name gives %v", err)
	}
	if ISA() != before {
		t.Errorf("an unknown name changed %s to %s", before, ISA())
	}
}

// TestEveryKernel checks that no instruction set lacks a kernel.
func TestEveryKernel(t *testing.T) {
	for _, s := range isas {
		v := reflect.ValueOf(s.vector).Elem()
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Func && f.IsNil() {
				t.Errorf("%s has no kernel %s", s.name, v.Type().Field(i).Name)
			}
		}
	}
}
