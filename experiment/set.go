package experiment

import (
	"fmt"
	"strings"
)

// Set changes one setting, given as "path=value" with a dotted path as in "train.lr=0.05"; a list is written "0.5,0.9".
// The error names the nearest setting when there is none of that path, and the type that the value should have.
func (c *Config) Set(assignment string) error {
	path, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return fmt.Errorf("experiment: %q: want path=value, as in train.lr=0.05", assignment)
	}
	path = strings.TrimSpace(path)
	for _, k := range knobs(c) {
		if k.path == path {
			if err := k.set(value); err != nil {
				return fmt.Errorf("experiment: %s: %w", path, err)
			}
			return nil
		}
	}
	return fmt.Errorf("experiment: no setting %q; the nearest is %q", path, nearest(path))
}

// nearest is the setting of the same section, if there is such a section, whose path, or whose last part, takes the fewest
// edits to become path; a whole path wins a tie.
func nearest(path string) string {
	c := Default()
	best, least := "", 1<<30
	section, leaf, _ := strings.Cut(path, ".")
	if leaf == "" {
		leaf = path
	}
	for _, k := range knobs(&c) {
		head, last, _ := strings.Cut(k.path, ".")
		if isSection(section) && head != section {
			continue
		}
		if last == "" {
			last = k.path
		}
		d := min(2*edits(path, k.path), 2*edits(leaf, last)+1)
		if d < least {
			best, least = k.path, d
		}
	}
	return best
}

// Nearest is the name that takes the fewest edits to become what was written, the first of several; "" if there are none.
func Nearest(written string, names []string) string {
	best, least := "", 1<<30
	for _, name := range names {
		if d := edits(written, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// edits is the least number of insertions, deletions, substitutions and swaps of neighbours that turn a into b (the
// optimal string alignment distance).
func edits(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
