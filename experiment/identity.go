package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Schema is part of every hash. It is raised when a default or the meaning of a setting changes, since what a
// configuration leaves out would otherwise mean something else under the same name.
const Schema = 1

// Hash names what a run computes, apart from its seed: twelve hexadecimal digits of the SHA-256 of the schema and of the
// settings that differ from their defaults, in alphabetical order. New settings with a default keep old hashes; so does
// the order of fields. Settings of other methods than the one in use, name, seed and the place of the data are left out, the last unless it is what chooses the data
// (an image folder).
func (c Config) Hash() string {
	var lines []string
	for path, text := range c.Settings() {
		lines = append(lines, path+"="+text+"\n")
	}
	slices.Sort(lines)
	sum := sha256.Sum256(fmt.Appendf(nil, "espalier %d\n%s", Schema, strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])[:12]
}

// Settings are those that Hash is made of, by path as in train.lr: what differs from its default and changes what a run
// computes.
func (c Config) Settings() map[string]string {
	d := Default()
	defaults := knobs(&d)
	all := make(map[string]string)
	for i, k := range knobs(&c) {
		hashed := k.tag.Get("hash") != "-" || k.path == "data.dir" && c.Data.Name == "folder"
		if k.option != nil {
			hashed = k.option.method == c.Prune.Method
			if k.option.searches {
				hashed = k.option.method == c.Search.Method
			}
		}
		if hashed && !same(k.value, defaults[i].value) {
			all[k.path] = k.text()
		}
	}
	return all
}

// Setting is the text of one setting, as in Set; it panics if there is none of that path.
func (c Config) Setting(path string) string {
	for _, k := range knobs(&c) {
		if k.path == path {
			return k.text()
		}
	}
	panic("experiment: no setting " + path)
}

// Dir is the run's directory below root: name/hash/seed-n.
func (c Config) Dir(root string) string {
	return filepath.Join(root, c.Name, c.Hash(), fmt.Sprintf("seed-%d", c.Seed))
}
