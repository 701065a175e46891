package search

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadAlphas reads the table of α at path, as ReadAlphas does; where it is named AlphasFile, with the β of the table beside
// it that is named BetasFile, if there is one. space may be nil.
func LoadAlphas(path string, space *Space) ([]AlphaAt, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("search: α: %w", err)
	}
	defer f.Close()
	epochs, err := ReadAlphas(f, path, space)
	if err != nil || filepath.Base(path) != AlphasFile {
		return epochs, err
	}
	beside := filepath.Join(filepath.Dir(path), BetasFile)
	b, err := os.Open(beside)
	if errors.Is(err, fs.ErrNotExist) {
		return epochs, nil
	}
	if err != nil {
		return nil, fmt.Errorf("search: β: %w", err)
	}
	defer b.Close()
	return epochs, ReadBetas(b, beside, epochs)
}
