package datasets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
	records int   // in a file of train
	tested  int   // records in a file of test
	labels  []int // how many values each label byte has; the last is the class
	classes []string
	norm    Norm // measured where it is zero
}

var cifarShape = Shape{H: 32, W: 32, C: 3}

func (c cifar) record() int { return len(c.labels) + cifarShape.Len() }

func cifar10() cifar {
	return cifar{
		name: "cifar10", title: "CIFAR-10", dir: "cifar-10-batches-bin", python: "cifar-10-batches-py",
		train:   []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		test:    []string{"test_batch.bin"},
		records: 10000,
		tested:  10000,
		labels:  []int{10},
		classes: []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
		norm: Norm{
			Mean: []float64{.49139968, .48215827, .44653124},
			Std:  []float64{.24703233, .24348505, .26158768},
		},
	}
}

func cifar100() cifar {
	return cifar{
		name: "cifar100", title: "CIFAR-100", dir: "cifar-100-binary", python: "cifar-100-python",
		train:   []string{"train.bin"},
		test:    []string{"test.bin"},
		records: 50000,
		tested:  10000,
		labels:  []int{20, 100}, // superclass and class
		classes: strings.Fields(cifar100Classes),
	}
}

const cifar100Classes = `
	apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
	caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
	forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
	mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
	possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
	sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
	willow_tree wolf woman worm`

// CIFAR10 reads the binary version of CIFAR-10 (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009)
// from dir, which is the directory of its batches, data_batch_1.bin to data_batch_5.bin and test_batch.bin, or holds them in
// cifar-10-batches-bin: 50,000 and 10,000 images of 32x32x3 in 10 classes, in the order of the files. A file that is
// missing, cut short or damaged gives an *Error.
func CIFAR10(dir string) (*Set, error) { return cifar10().read(dir) }

// CIFAR100 reads the binary version of CIFAR-100 (as CIFAR10) from dir, which is the directory of train.bin and test.bin, or
// holds them in cifar-100-binary: 50,000 and 10,000 images of 32x32x3 in 100 classes; the 20 superclasses are passed over.
// It is normalised by its own mean and deviation. Errors are as CIFAR10's.
func CIFAR100(dir string) (*Set, error) { return cifar100().read(dir) }

// known describes the set to people, and says how its archive is downloaded. The hashes are from references.
func (c cifar) known(archive, sha256 string) Known {
	classes := len(c.classes)
	return Known{
		Name:     c.name,
		Title:    c.title,
		About:    fmt.Sprintf("50,000 + 10,000 photographs, %v, %d classes", cifarShape, classes),
		Terms:    "no explicit licence; its page asks to cite the report",
		Citation: "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
		dirs:     []string{c.dir, "."},
		files:    append(c.train, c.test...),
		read:     c.read,
		expect:   &expected{shape: cifarShape, classes: classes, train: 50000 / classes, test: 10000 / classes},
		fetched: &fetched{
			base: "https://www.cs.toronto.edu/~kriz/", dir: c.dir, limit: 1 << 29,
			files: []remote{{name: archive, sha256: sha256, archive: true}},
		},
	}
}

func (c cifar) read(dir string) (*Set, error) {
	found, err := c.find(dir)
	if err != nil {
		return nil, err
	}
	set := &Set{Name: c.name, Source: found, Classes: c.classes, Norm: c.norm}
	if set.Train, err = c.part(found, c.train, c.records); err != nil {
		return nil, err
	}
	if set.Test, err = c.part(found, c.test, c.tested); err != nil {
		return nil, err
	}
	if set.Norm.Mean == nil {
		set.Norm = Measure(set.Train, nil)
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

// part reads the files of a part, one after another, each of so many records.
func (c cifar) part(dir string, files []string, records int) (Part, error) {
	n := records * len(files)
	p := Part{Shape: cifarShape}
	for _, name := range files {
		path := filepath.Join(dir, name)
		content, err := c.load(path, records)
		if err != nil {
			return Part{}, err
		}
		if p.Pixels == nil {
			p.Pixels = make([]uint8, 0, n*cifarShape.Len())
			p.Labels = make([]int32, 0, n)
		}
		if err := c.decode(&p, path, content, records); err != nil {
			return Part{}, err
		}
	}
	return p, nil
}

// load reads a file whole, after a look at its size.
func (c cifar) load(path string, records int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, missing(path, err, c.remedy())
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{Path: path, Offset: -1, Problem: "not a file", Remedy: c.remedy()}
	}
	if err := c.checkSize(path, info.Size(), records); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, missing(path, err, c.remedy())
	}
	return content, nil
}

func (c cifar) checkSize(path string, size int64, records int) error {
	record, want := int64(c.record()), int64(c.record())*int64(records)
	if size == want {
		return nil
	}
	problem := fmt.Sprintf("%d bytes, expected %d (%d records of %d)", size, want, records, record)
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
func (c cifar) decode(p *Part, path string, content []byte, records int) error {
	if err := c.checkSize(path, int64(len(content)), records); err != nil {
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
