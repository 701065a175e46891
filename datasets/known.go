package datasets

import (
	"fmt"
	"strings"
)

// Known describes a set that this package reads by name.
type Known struct {
	Name     string // as it is called on the command line: cifar10
	Title    string // as people call it: CIFAR-10
	About    string // what it holds, in one line
	Terms    string // under which terms it may be used, as far as is known
	Citation string // what to cite, or ""

	dirs    []string // where its files lie below a place; "." is the place itself
	files   []string // any of which shows that a directory holds the set, perhaps in part
	read    func(dir string) (*Set, error)
	fetched *fetched  // how it is downloaded, or nil
	expect  *expected // what a whole set has, or nil where that is the user's business
}

// Fetchable says whether Fetch can download the set.
func (k Known) Fetchable() bool { return k.fetched != nil }

// expected is what a whole set has.
type expected struct {
	shape       Shape
	classes     int
	train, test int // images of each class
}

// fetched is what is downloaded, and where it goes below the directory that Fetch is given.
type fetched struct {
	base  string // of the official addresses
	dir   string
	files []remote
	limit int64 // bytes of a download, and of what it unpacks to
}

// remote is a file to download: an archive whose files go where the set is kept, or one of these files.
type remote struct {
	name    string
	sha256  string
	checked bool // whether the hash is that of true data, rather than taken from references
	archive bool
}

// unchecked says why a hash that does not fit may be wrong itself.
const unchecked = "that hash is from references and was never checked against a download, so it may itself be wrong"

const (
	krizhevsky = "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"
	cifarTerms = "no explicit licence; its page asks to cite the report"
	kriz       = "https://www.cs.toronto.edu/~kriz/"
)

// Sets are all sets that have a name, in the order in which lists show them.
func Sets() []Known {
	ten := cifar10()
	return []Known{
		{
			Name:     ten.name,
			Title:    ten.title,
			About:    "50,000 + 10,000 photographs, 32x32x3, 10 classes",
			Terms:    cifarTerms,
			Citation: krizhevsky,
			dirs:     []string{ten.dir, "."},
			files:    append(ten.train, ten.test...),
			read:     CIFAR10,
			expect:   &expected{shape: cifarShape, classes: 10, train: 5000, test: 1000},
			fetched: &fetched{base: kriz, dir: ten.dir, limit: 1 << 29, files: []remote{{
				name:    "cifar-10-binary.tar.gz",
				sha256:  "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
				archive: true,
			}}},
		},
		{
			Name:  "folder",
			Title: "image folder",
			About: "your own PNG and JPEG files in train/<class>/ and test/<class>/ or val/<class>/",
			Terms: "yours",
		},
		{
			Name:   "synthetic",
			Title:  "synthetic",
			About:  "4,000 + 1,000 drawn figures and textures, 32x32x3, 10 classes, made by code: nothing to download",
			Terms:  "BSD-3-Clause, as this program",
			expect: &expected{shape: Shape{H: 32, W: 32, C: 3}, classes: 10, train: 400, test: 100},
		},
	}
}

// Lookup is the set of a name. An unknown name is an error that lists the known ones.
func Lookup(name string) (Known, error) {
	var names []string
	for _, k := range Sets() {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Known{}, fmt.Errorf("datasets: there is no set %q, known are %s", name, strings.Join(names, ", "))
}
