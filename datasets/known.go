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

// Sets are all sets that have a name, in the order in which lists show them.
func Sets() []Known {
	return []Known{
		cifar10().known("cifar-10-binary.tar.gz", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
		cifar100().known("cifar-100-binary.tar.gz", "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
		{
			Name:     "fashion-mnist",
			Title:    "Fashion-MNIST",
			About:    "60,000 + 10,000 pictures of clothes, 28x28x1, 10 classes",
			Terms:    "MIT licence, Zalando SE",
			Citation: "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms, 2017",
			dirs:     []string{"fashion-mnist", "FashionMNIST/raw", "."},
			files: []string{"train-images-idx3-ubyte.gz", "train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz",
				"train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz",
				"t10k-labels-idx1-ubyte"},
			read:   FashionMNIST,
			expect: &expected{shape: Shape{H: 28, W: 28, C: 1}, classes: 10, train: 6000, test: 1000},
			// The hashes are of files that have the MD5 sums which the authors published, and whose images and labels are
			// those of Debian's package dataset-fashion-mnist 0.0~git20200523.
			fetched: &fetched{base: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", dir: "fashion-mnist", limit: 1 << 26,
				files: []remote{
					{name: "train-images-idx3-ubyte.gz", checked: true,
						sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
					{name: "train-labels-idx1-ubyte.gz", checked: true,
						sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
					{name: "t10k-images-idx3-ubyte.gz", checked: true,
						sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
					{name: "t10k-labels-idx1-ubyte.gz", checked: true,
						sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"},
				}},
		},
		{
			Name:  "folder",
			Title: "image folder",
			About: "your own PNG and JPEG files in train/<class>/ and test/<class>/ or val/<class>/",
			Terms: "yours",
		},
		{
			Name:   "synthetic",
			Title:  "synthetic images",
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
