package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A link of Markdown, without what follows # in it.
var link = regexp.MustCompile(`\]\(([^()\s#]+)(#[^()\s]*)?\)`)

// Every link from a page of the repository to a file of it leads somewhere.
func TestLinks(t *testing.T) {
	root, found := filepath.Join("..", ".."), 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".md" || d.IsDir() {
			return err
		}
		page, err := os.ReadFile(name)
		for _, l := range link.FindAllStringSubmatch(string(page), -1) {
			if strings.Contains(l[1], "://") {
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), l[1])); err != nil {
				t.Errorf("%s: (%s) leads nowhere", name, l[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 20 {
		t.Errorf("%d links in all pages: they are not being read", found)
	}
}
