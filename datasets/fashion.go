package datasets

import (
	"fmt"
	"os"
	"path/filepath"
)

// fashion describes the files of Fashion-MNIST: four IDX files, packed by gzip or not.
type fashion struct {
	train, test int // images of a part
}

const (
	fashionDir    = "fashion-mnist"
	fashionRemedy = "get Fashion-MNIST again (espalier data fetch fashion-mnist)"
)

var fashionShape = Shape{H: 28, W: 28, C: 1}

// FashionMNIST reads Fashion-MNIST (Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
// Learning Algorithms", 2017) from dir, which is the directory of its four files, train-images-idx3-ubyte and the like,
// packed (.gz) or not, or holds them in fashion-mnist: 60,000 and 10,000 images of 28x28x1 in 10 classes, in the order of
// the files. It is normalised by its own mean and deviation, .2860 and .3530. A file that is missing, cut short or damaged
// gives an *Error.
func FashionMNIST(dir string) (*Set, error) { return fashion{train: 60000, test: 10000}.read(dir) }

func (f fashion) read(dir string) (*Set, error) {
	first := "train-images-idx3-ubyte"
	if below := filepath.Join(dir, fashionDir); !present(dir, first) && present(below, first) {
		dir = below
	}
	set := &Set{
		Name:   "fashion-mnist",
		Source: dir,
		Classes: []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
			"Ankle boot"},
	}
	var err error
	if set.Train, err = f.part(dir, "train", f.train, len(set.Classes)); err != nil {
		return nil, err
	}
	if set.Test, err = f.part(dir, "t10k", f.test, len(set.Classes)); err != nil {
		return nil, err
	}
	set.Norm = Measure(set.Train, nil)
	return set, nil
}

// present says whether a file is in dir, packed or not.
func present(dir, name string) bool {
	_, plain := os.Stat(filepath.Join(dir, name))
	_, packed := os.Stat(filepath.Join(dir, name+".gz"))
	return plain == nil || packed == nil
}

// part reads the images and labels of a part.
func (f fashion) part(dir, name string, n, classes int) (Part, error) {
	images, _, err := readIDX(filepath.Join(dir, name+"-images-idx3-ubyte"), n, fashionShape.H, fashionShape.W)
	if err != nil {
		return Part{}, err
	}
	labels, path, err := readIDX(filepath.Join(dir, name+"-labels-idx1-ubyte"), n)
	if err != nil {
		return Part{}, err
	}
	p := Part{Shape: fashionShape, Pixels: images, Labels: make([]int32, n)}
	for i, label := range labels {
		if int(label) >= classes {
			return Part{}, &Error{Path: path, Offset: int64(idxHeader(1) + i), Remedy: fashionRemedy,
				Problem: fmt.Sprintf("label %d, expected 0 to %d", label, classes-1)}
		}
		p.Labels[i] = int32(label)
	}
	return p, nil
}
