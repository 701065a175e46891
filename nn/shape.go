package nn

import "fmt"

// Shape is the size of one image, or of one feature map: H×W pixels of C channels. Features after a global pooling are
// 1×1×C.
type Shape struct {
	H int `json:"h"`
	W int `json:"w"`
	C int `json:"c"`
}

// Len is the number of elements, H·W·C.
func (s Shape) Len() int { return s.H * s.W * s.C }

// String is HxWxC.
func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.H, s.W, s.C) }

// Validate says what is impossible about s.
func (s Shape) Validate() error {
	if s.H < 1 || s.W < 1 || s.C < 1 {
		return fmt.Errorf("nn: shape %v: height, width and channels must be at least 1", s)
	}
	if !fits(maxElements, s.H, s.W, s.C) {
		return fmt.Errorf("nn: shape %v: more than 2³² elements", s)
	}
	return nil
}
