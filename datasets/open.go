package datasets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Places are where data sets may be. What is "" is left out. This package reads neither the environment nor flags: its
// caller fills them in.
type Places struct {
	Data  string // a directory that the user named for data, such as that in ESPALIER_DATA
	Work  string // the directory in which the program runs
	Cache string // where the user's programs keep what can be had again, as os.UserCacheDir says
}

// Roots are the directories to look in, in this order: Data, data in Work, espalier in Cache, and /usr/share/datasets, to
// which Debian's packages of data sets unpack.
func (p Places) Roots() []string {
	var roots []string
	if p.Data != "" {
		roots = append(roots, p.Data)
	}
	if p.Work != "" {
		roots = append(roots, filepath.Join(p.Work, "data"))
	}
	if p.Cache != "" {
		roots = append(roots, filepath.Join(p.Cache, "espalier"))
	}
	return append(roots, filepath.FromSlash("/usr/share/datasets"))
}

// OpenOptions says more about sets that need it.
type OpenOptions struct {
	Folder    FolderOptions    // of folder
	Seed      uint64           // of synthetic
	Synthetic SyntheticOptions // of synthetic
}

// Open reads the set of the given name from the first of the roots that holds it, in a directory of its usual name or
// by itself; an image folder is the first root. A set that is made by code needs no roots. If no root holds the set, the
// error is an fs.ErrNotExist that says where it was looked for and what to do.
func Open(name string, roots []string, o OpenOptions) (*Set, error) {
	k, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	switch {
	case k.Name == "synthetic":
		if err := o.Synthetic.Validate(); err != nil {
			return nil, err
		}
		return Synthetic(o.Seed, o.Synthetic), nil
	case k.Name == "folder":
		if len(roots) == 0 {
			return nil, errors.New("datasets: an image folder needs the directory that has train/ and test/ or val/ in it")
		}
		return Folder(roots[0], o.Folder)
	}
	found, looked := k.find(roots)
	switch {
	case found != "":
		return k.read(found)
	case len(roots) == 1:
		return k.read(roots[0]) // whose error knows more
	}
	return nil, &Error{
		Path: k.Name, Offset: -1, Err: fs.ErrNotExist,
		Problem: "looked in " + strings.Join(looked, ", "),
		Remedy:  fmt.Sprintf("get it by espalier data fetch %s, or name the directory that holds it", k.Name),
	}
}

// find is the first directory that holds a file of the set, or "", and the directories that were looked into.
func (k Known) find(roots []string) (found string, looked []string) {
	for _, root := range roots {
		for _, sub := range k.dirs {
			dir := filepath.Join(root, filepath.FromSlash(sub))
			looked = append(looked, dir)
			if k.in(dir) {
				return dir, looked
			}
		}
	}
	return "", looked
}

// in says whether dir itself holds the set, perhaps in part.
func (k Known) in(dir string) bool {
	for _, file := range k.files {
		if info, err := os.Stat(filepath.Join(dir, file)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}
