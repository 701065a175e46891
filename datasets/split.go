package datasets

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"espalier/internal/atomicfile"
	"espalier/internal/rng"
)

// Rest as the size of a share stands for all images that the other shares leave.
const Rest = -1

// Share is a part of a split that is wanted.
type Share struct {
	Name   string
	Images int // how many, or Rest
}

// Split divides the images of a part into disjoint lists, at random from a seed: training and validation images, the two
// levels of a search. It depends on the number of images, the seed and the sizes in their order, and on nothing else.
type Split struct {
	seed   uint64
	labels string // the SHA-256 of the part's labels
	images int
	shares []Share // with sizes in place of Rest
	lists  [][]int
}

// NewSplit splits p: share k gets its number of images out of one random order, after those before it. Images that no
// share wants are in no list. It is an error if the shares want more than there are, if one is empty, if two have the same
// name or none, or if more than one takes the rest.
func NewSplit(p Part, seed uint64, shares ...Share) (*Split, error) {
	s := &Split{seed: seed, labels: hashLabels(p), images: p.Len(), shares: slices.Clone(shares)}
	rest, wanted := -1, 0
	for k, share := range shares {
		if share.Name == "" {
			return nil, fmt.Errorf("datasets: share %d of a split has no name", k)
		}
		if slices.ContainsFunc(shares[:k], func(other Share) bool { return other.Name == share.Name }) {
			return nil, fmt.Errorf("datasets: a split has two shares of the name %q", share.Name)
		}
		switch {
		case share.Images == Rest && rest >= 0:
			return nil, fmt.Errorf("datasets: shares %q and %q of a split both take the rest", shares[rest].Name, share.Name)
		case share.Images == Rest:
			rest = k
		case share.Images < 1 || share.Images > p.Len()-wanted:
			return nil, fmt.Errorf("datasets: share %q of a split wants %d images of %d, of which %d are taken", share.Name,
				share.Images, p.Len(), wanted)
		default:
			wanted += share.Images
		}
	}
	if len(shares) == 0 {
		return nil, errors.New("datasets: a split without shares")
	}
	if rest >= 0 {
		if wanted == p.Len() {
			return nil, fmt.Errorf("datasets: nothing of %d images is left for share %q of a split", p.Len(), shares[rest].Name)
		}
		s.shares[rest].Images = p.Len() - wanted
	}
	order := rng.New(seed, "split").Perm(p.Len())
	for _, share := range s.shares {
		list := order[:share.Images:share.Images]
		slices.Sort(list)
		s.lists, order = append(s.lists, list), order[share.Images:]
	}
	return s, nil
}

// Indices are the images of the named share, in rising order; the caller must not change them. An unknown name panics.
func (s *Split) Indices(name string) []int {
	for k, share := range s.shares {
		if share.Name == name {
			return s.lists[k]
		}
	}
	panic(fmt.Sprintf("datasets: a split into %v has no share %q", s.shares, name))
}

// Shares are the split's shares with their sizes.
func (s *Split) Shares() []Share { return slices.Clone(s.shares) }

// Hash identifies the split: 64 hexadecimal digits of a SHA-256 of the part's labels and of every list.
func (s *Split) Hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "espalier split 1\nlabels %s\nimages %d\n", s.labels, s.images)
	for k, share := range s.shares {
		fmt.Fprintf(h, "share %q %d\n", share.Name, share.Images)
		for _, i := range s.lists[k] {
			binary.Write(h, binary.LittleEndian, uint64(i)) // never fails
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashLabels(p Part) string {
	h := sha256.New()
	binary.Write(h, binary.LittleEndian, p.Labels) // never fails
	return hex.EncodeToString(h.Sum(nil))
}

// splitFile is a split on disk. The lists are made anew from the seed when it is read, and have to give the same hash.
type splitFile struct {
	Schema int         `json:"schema"`
	Seed   uint64      `json:"seed"`
	Images int         `json:"images"`
	Shares []shareFile `json:"shares"`
	Labels string      `json:"labels_sha256"`
	Hash   string      `json:"split_sha256"`
}

type shareFile struct {
	Name   string `json:"name"`
	Images int    `json:"images"`
}

// maxSplitFile bounds the size of a split's file in bytes: true ones have a few hundred.
const maxSplitFile = 1 << 20

// WriteFile writes the split as JSON: seed, sizes, and the hashes of the labels and of the lists.
func (s *Split) WriteFile(path string) error {
	file := splitFile{Schema: 1, Seed: s.seed, Images: s.images, Labels: s.labels, Hash: s.Hash()}
	for _, share := range s.shares {
		file.Shares = append(file.Shares, shareFile(share))
	}
	content, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	if err := atomicfile.WriteBytes(path, append(content, '\n')); err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	return nil
}

// ReadSplit reads the split that WriteFile wrote and makes it again for p. A file that is damaged, was written for other
// data, or describes a split that this program makes differently gives an *Error.
func ReadSplit(path string, p Part) (*Split, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, missing(path, err, "split again")
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxSplitFile+1))
	if err != nil {
		return nil, missing(path, err, "split again")
	}
	return decodeSplit(path, content, p)
}

func decodeSplit(path string, content []byte, p Part) (*Split, error) {
	bad := func(remedy, format string, args ...any) error {
		return &Error{Path: path, Offset: -1, Problem: fmt.Sprintf(format, args...), Remedy: remedy}
	}
	const again = "restore the file or split again"
	if len(content) > maxSplitFile {
		return nil, bad(again, "a split of more than %d bytes", maxSplitFile)
	}
	var file splitFile
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, &Error{Path: path, Offset: d.InputOffset(), Problem: "not a split", Err: err, Remedy: again}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{Path: path, Offset: d.InputOffset(), Problem: "something follows the split", Remedy: again}
	}
	if file.Schema != 1 {
		return nil, bad("use the version of the program that wrote it", "a split of schema %d, expected 1", file.Schema)
	}
	if file.Images != p.Len() {
		return nil, bad("use the data that were split", "a split of %d images, the data have %d", file.Images, p.Len())
	}
	if labels := hashLabels(p); file.Labels != labels {
		return nil, bad("use the data that were split", "a split of other data: their labels have the SHA-256 %.12s…, these %.12s…",
			file.Labels, labels)
	}
	var shares []Share
	for _, share := range file.Shares {
		if share.Images == Rest {
			return nil, bad(again, "share %q has no size", share.Name)
		}
		shares = append(shares, Share(share))
	}
	s, err := NewSplit(p, file.Seed, shares...)
	if err != nil {
		return nil, &Error{Path: path, Offset: -1, Problem: "not a split of these data", Err: err, Remedy: again}
	}
	if hash := s.Hash(); hash != file.Hash {
		return nil, bad(again, "the split has the SHA-256 %.12s…, expected %.12s… from its seed and sizes: edited, or made by another version",
			file.Hash, hash)
	}
	return s, nil
}
