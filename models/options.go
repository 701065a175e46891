package models

import (
	"fmt"
	"math"

	"espalier/nn"
)

// Shortcut says what stands beside a residual block that changes shape.
type Shortcut string

const (
	// ConvShortcut is a 1×1 convolution with batch norm (He et al., 2015, option B). The zero Shortcut means the same.
	ConvShortcut Shortcut = "conv"
	// PadShortcut takes every second pixel and adds channels of zeros, half before and half after; it has no parameters
	// (He et al., 2015, option A).
	PadShortcut Shortcut = "pad"
)

// Options fit a model to the data and scale it.
type Options struct {
	Input    nn.Shape // of an image; zero: 32x32x3
	Classes  int      // 0: 10
	Width    float64  // factor on the channels of every stage, rounded, at least 1 channel; 0: 1
	Shortcut Shortcut // zero: ConvShortcut
}

// fill puts defaults in the place of zeros.
func (o Options) fill() (Options, error) {
	if o.Input == (nn.Shape{}) {
		o.Input = nn.Shape{H: 32, W: 32, C: 3}
	}
	if o.Classes == 0 {
		o.Classes = 10
	}
	if o.Width == 0 {
		o.Width = 1
	}
	if o.Shortcut == "" {
		o.Shortcut = ConvShortcut
	}
	switch {
	case o.Classes < 1:
		return o, fmt.Errorf("models: %d classes", o.Classes)
	case !(o.Width > 0 && o.Width <= maxWidth):
		return o, fmt.Errorf("models: width %v is not a number above 0 and up to %d", o.Width, maxWidth)
	case o.Shortcut != ConvShortcut && o.Shortcut != PadShortcut:
		return o, fmt.Errorf("models: unknown shortcut %q; known are %s and %s", o.Shortcut, ConvShortcut, PadShortcut)
	}
	return o, o.Input.Validate()
}

// maxWidth bounds Options.Width: ResNet-18 would have 45 billion parameters.
const maxWidth = 64

// channels is c times the width.
func (o Options) channels(c int) int { return max(1, int(math.Round(float64(c)*o.Width))) }
