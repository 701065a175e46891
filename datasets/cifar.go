package datasets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// cifar describes the binary form of a CIFAR set: a file is a row of records, a record is its label bytes, of which the
// last is the class, and then the red, green and blue plane of a 32×32 image.
type cifar struct {
	name    string
	title   string
	dir     string // the directory that the official archive unpacks to
	python  string // the directory of the archive for Python, which people have by mistake
	train   []string
	test    []string
	records int   // in a file
	labels  []int // how many values each label byte has; the last is the class
	classes []string
	norm    Norm
}

var cifarShape = Shape{H: 32, W: 32, C: 3}

func (c cifar) record() int { return len(c.labels) + cifarShape.Len() }

func cifar10() cifar {
	return cifar{
		name: "cifar10", title: "CIFAR-10", dir: "cifar-10-batches-bin", python: "cifar-10-batches-py",
		train:   []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		test:    []string{"test_batch.bin"},
		records: 10000,
		labels:  []int{10},
		classes: []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
		norm: Norm{
			Mean: []float64{.49139968, .48215827, .44653124},
			Std:  []float64{.24703233, .24348505, .26158768},
		},
	}
}

// CIFAR10 reads the binary version of CIFAR-10 (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009)
// from dir, which is the directory of its batches, data_batch_1.bin to data_batch_5.bin and test_batch.bin, or holds them in
// cifar-10-batches-bin: 50,000 and 10,000 images of 32x32x3 in 10 classes, in the order of the files. A file that is
// missing, cut short or damaged gives an *Error.
func CIFAR10(dir string) (*Set, error) { return cifar10().read(dir) }

func (c cifar) read(dir string) (*Set, error) {
	found, err := c.find(dir)
	if err != nil {
		return nil, err
	}
	set := &Set{Name: c.name, Source: found, Classes: c.classes, Norm: c.norm}
	if set.Train, err = c.part(found, c.train); err != nil {
		return nil, err
	}
	if set.Test, err = c.part(found, c.test); err != nil {
		return nil, err
	}
	return set, nil
}

// find returns the directory with the first file: dir or the official directory in it.
func (c cifar) find(dir string) (string, error) {
	first := c.train[0]
	below := filepath.Join(dir, c.dir)
	for _, candidate := range []string{dir, below} {
		if _, err := os.Stat(filepath.Join(candidate, first)); err == nil {
			return candidate, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", &Error{Path: filepath.Join(candidate, first), Offset: -1, Problem: "cannot be read", Err: err,
				Remedy: "see to its permissions"}
		}
	}
	problem := fmt.Sprintf("no %s here nor in %s", first, below)
	for _, candidate := range []string{dir, filepath.Join(dir, c.python)} {
		for _, file := range []string{"data_batch_1", "train"} {
			if info, err := os.Stat(filepath.Join(candidate, file)); err == nil && info.Mode().IsRegular() {
				problem += ", but the version for Python, which cannot be read,"
				return "", &Error{Path: dir, Offset: -1, Problem: problem, Err: fs.ErrNotExist, Remedy: c.remedy()}
			}
		}
	}
	return "", &Error{Path: dir, Offset: -1, Problem: problem, Err: fs.ErrNotExist, Remedy: c.remedy()}
}

func (c cifar) remedy() string {
	return fmt.Sprintf("get the binary version of %s (espalier data fetch %s)", c.title, c.name)
}

// part reads the files of a part, one after another.
func (c cifar) part(dir string, files []string) (Part, error) {
	n := c.records * len(files)
	p := Part{Shape: cifarShape}
	for _, name := range files {
		path := filepath.Join(dir, name)
		content, err := c.load(path)
		if err != nil {
			return Part{}, err
		}
		if p.Pixels == nil {
			p.Pixels = make([]uint8, 0, n*cifarShape.Len())
			p.Labels = make([]int32, 0, n)
		}
		if err := c.decode(&p, path, content); err != nil {
			return Part{}, err
		}
	}
	return p, nil
}

// load reads a file whole, after a look at its size.
func (c cifar) load(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, missing(path, err, c.remedy())
	}
	if err := c.checkSize(path, info.Size()); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, missing(path, err, c.remedy())
	}
	return content, nil
}

func (c cifar) checkSize(path string, size int64) error {
	record, want := int64(c.record()), int64(c.record())*int64(c.records)
	if size == want {
		return nil
	}
	problem := fmt.Sprintf("%d bytes, expected %d (%d records of %d)", size, want, c.records, record)
	offset := min(size, want)
	switch {
	case size < want && size%record != 0:
		problem += fmt.Sprintf(": cut short inside record %d", size/record)
	case size < want:
		problem += fmt.Sprintf(": cut short after %d records", size/record)
	case size%record != 0:
		problem += ": not a whole number of records"
	}
	return &Error{Path: path, Offset: offset, Problem: problem, Remedy: c.remedy()}
}

// decode appends the records of a file to p.
func (c cifar) decode(p *Part, path string, content []byte) error {
	if err := c.checkSize(path, int64(len(content))); err != nil {
		return err
	}
	const plane = 32 * 32
	for at := 0; at < len(content); at += c.record() {
		record := content[at:][:c.record()]
		for i, classes := range c.labels {
			if int(record[i]) >= classes {
				return &Error{Path: path, Offset: int64(at + i), Remedy: c.remedy(),
					Problem: fmt.Sprintf("label %d, expected 0 to %d: damaged, or not %s", record[i], classes-1, c.title)}
			}
		}
		p.Labels = append(p.Labels, int32(record[len(c.labels)-1]))
		planes := record[len(c.labels):]
		r, g, b := planes[:plane:plane], planes[plane:2*plane:2*plane], planes[2*plane:3*plane:3*plane]
		for i := range r {
			p.Pixels = append(p.Pixels, r[i], g[i], b[i])
		}
	}
	return nil
}

// missing is the error of a file that cannot be opened or read.
func missing(path string, err error, remedy string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{Path: path, Offset: -1, Problem: "missing", Err: fs.ErrNotExist, Remedy: remedy}
	}
	return &Error{Path: path, Offset: -1, Problem: "cannot be read", Err: err, Remedy: remedy}
}
