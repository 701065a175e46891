package datasets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// FolderOptions says how an image folder is read. The zero value gives images of 32x32x3.
type FolderOptions struct {
	Size     int // height and width to which images are resized, in pixels, 1 to 1,024; 0 means 32
	Channels int // 3 for colour, 1 for grey; 0 means 3
}

const (
	defaultSize = 32
	maxSize     = 1 << 10
)

func (o FolderOptions) withDefaults() FolderOptions {
	if o.Size == 0 {
		o.Size = defaultSize
	}
	if o.Channels == 0 {
		o.Channels = 3
	}
	return o
}

// Validate says which option is out of its range.
func (o FolderOptions) Validate() error {
	o = o.withDefaults()
	if o.Size < 1 || o.Size > maxSize {
		return fmt.Errorf("datasets: images resized to %d pixels, must be 1 to %d", o.Size, maxSize)
	}
	if o.Channels != 1 && o.Channels != 3 {
		return fmt.Errorf("datasets: images of %d channels, must be 1 (grey) or 3 (colour)", o.Channels)
	}
	return nil
}

func (o FolderOptions) shape() Shape { return Shape{H: o.Size, W: o.Size, C: o.Channels} }

// Folder reads a set out of PNG and JPEG files: dir/train/<class>/ holds the images to train on, and dir/test/<class>/ or,
// without it, dir/val/<class>/ those to test on, in directories of any depth. Classes are the directories of train in
// alphabetical order, images those of a class in the order of their paths.
//
// Of every image the largest centred square is taken, resized by a linear filter that widens where it shrinks, and turned
// into colour or grey; transparent pixels count as black, and notes about a camera's orientation are not followed. Names
// that begin with a dot, and files that are no images by their name, are passed over.
//
// A class without images, a class to test on that is not trained on, an image that cannot be read, and one of another
// format, give an *Error. So does, before it is decoded, an image whose header claims more than 67,108,864 pixels (2²⁶, as
// 8,192 x 8,192) or more than 8,256 for each byte of its file. Images that are decoded at a time have no more than 2²⁶ pixels
// together, which take two gigabytes at the very most, whatever is in the folder.
func Folder(dir string, o FolderOptions) (*Set, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	train, test := filepath.Join(dir, "train"), filepath.Join(dir, "test")
	classes, err := subdirectories(train)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(test); errors.Is(err, fs.ErrNotExist) {
		test = filepath.Join(dir, "val")
		if _, err := os.Stat(test); errors.Is(err, fs.ErrNotExist) {
			return nil, &Error{Path: dir, Offset: -1, Err: fs.ErrNotExist, Problem: "has neither test/ nor val/ beside train/",
				Remedy: "put images to test on into test/<class>/"}
		}
	}
	others, err := subdirectories(test)
	if err != nil {
		return nil, err
	}
	for _, class := range others {
		if !slices.Contains(classes, class) {
			return nil, &Error{Path: filepath.Join(test, class), Offset: -1, Problem: "a class that train/ does not have",
				Remedy: fmt.Sprintf("rename it to one of the %d classes of %s, or remove it", len(classes), train)}
		}
	}
	set := &Set{Name: "folder", Source: dir, Classes: classes}
	if set.Train, err = readFolder(train, classes, o); err != nil {
		return nil, err
	}
	if set.Test, err = readFolder(test, classes, o); err != nil {
		return nil, err
	}
	set.Norm = Measure(set.Train, nil)
	return set, nil
}

// subdirectories are the names of the directories in dir, sorted; there has to be one.
func subdirectories(dir string) ([]string, error) {
	const remedy = "an image folder is train/<class>/*.png or *.jpg beside test/ or val/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, missing(dir, err, remedy)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.IsDir() { // a link to a directory counts
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, &Error{Path: dir, Offset: -1, Problem: "no classes: it has no directories", Remedy: remedy}
	}
	return names, nil
}

// readFolder reads the images of the classes' directories.
func readFolder(dir string, classes []string, o FolderOptions) (Part, error) {
	p := Part{Shape: o.shape()}
	var paths []string
	for label, class := range classes {
		images, err := imagesBelow(filepath.Join(dir, class))
		if err != nil {
			return Part{}, err
		}
		paths = append(paths, images...)
		for range images {
			p.Labels = append(p.Labels, int32(label))
		}
	}
	if len(paths) > maxPixels/p.Shape.Len() {
		return Part{}, &Error{Path: dir, Offset: -1, Remedy: "choose a smaller size",
			Problem: fmt.Sprintf("%d images of %v need more than %d GiB", len(paths), p.Shape, maxPixels>>30)}
	}
	p.Pixels = make([]uint8, len(paths)*p.Shape.Len())
	return p, decodeAll(paths, p)
}

// imagesBelow are the paths of the images in dir and below it, sorted; there has to be one.
func imagesBelow(dir string) ([]string, error) {
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target // WalkDir does not follow a link even at its root
	}
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		const remedy = "see to its permissions, or remove it"
		if err != nil {
			return missing(path, err, remedy)
		}
		if strings.HasPrefix(d.Name(), ".") && path != dir {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		switch strings.ToLower(filepath.Ext(path)) {
		case ".png", ".jpg", ".jpeg":
			paths = append(paths, path)
		case ".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".avif":
			return &Error{Path: path, Offset: -1, Problem: "an image that is neither PNG nor JPEG", Remedy: "convert or remove it"}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(paths) == 0 {
		return nil, &Error{Path: dir, Offset: -1, Err: err, Problem: "a class without images: no PNG or JPEG files",
			Remedy: "put images there, or remove the class from train/ and test/"}
	}
	return paths, err
}

// decodeAll decodes image i into p's image i on all processors; the error is that of the first image that has one.
func decodeAll(paths []string, p Part) error {
	errs := make([]error, len(paths))
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	d := newDecoder()
	for range min(runtime.GOMAXPROCS(0), len(paths)) {
		workers.Go(func() {
			// Numbers are given out in order, and one that was given out is finished: no image before the first bad one is skipped.
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= len(paths) {
					return
				}
				if errs[i] = d.decodeFile(paths[i], p.Image(i), p.Shape); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) decodeFile(path string, out []uint8, s Shape) error {
	f, err := os.Open(path)
	if err != nil {
		return missing(path, err, remedyImage)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return missing(path, err, remedyImage)
	}
	return d.decode(path, f, info.Size(), out, s)
}
