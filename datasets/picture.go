package datasets

import (
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // decoders of image folders
	_ "image/png"
	"io"
	"sync"

	scale "golang.org/x/image/draw"
)

// A small file can claim to be a large picture, for which a decoder then makes room: up to 24 bytes a pixel. No picture may
// have more pixels than maxPicture, or than maxExpansion for every byte of its file: what deflate makes of a row of equal
// bits. Those that are decoded at a time have no more than maxPicture together.
const (
	maxPicture   = 1 << 26
	maxExpansion = 8 * 1032
)

const remedyImage = "replace or remove it"

// decoder decodes pictures, several at a time.
type decoder struct {
	mutex sync.Mutex
	freed sync.Cond
	room  int // pixels that may be decoded beside those that are
}

func newDecoder() *decoder {
	d := &decoder{room: maxPicture}
	d.freed.L = &d.mutex
	return d
}

// reserve waits until there is room for so many pixels, at most maxPicture.
func (d *decoder) reserve(pixels int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for d.room < pixels {
		d.freed.Wait()
	}
	d.room -= pixels
}

func (d *decoder) release(pixels int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.room += pixels
	d.freed.Broadcast()
}

// decode decodes a PNG or JPEG of so many bytes, and writes its largest centred square, resized to s, to out. // (H,W,C)
func (d *decoder) decode(path string, file io.ReadSeeker, size int64, out []uint8, s Shape) error {
	header, _, err := image.DecodeConfig(file)
	if err != nil {
		return undecodable(path, size, err)
	}
	pixels, err := claimed(header, size)
	if err != nil {
		return &Error{Path: path, Offset: -1, Problem: err.Error(), Remedy: remedyImage}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return missing(path, err, remedyImage)
	}
	d.reserve(pixels)
	defer d.release(pixels)
	picture, _, err := image.Decode(file)
	if err != nil {
		return undecodable(path, size, err)
	}
	fit(picture, out, s)
	return nil
}

// claimed is the number of pixels that a header claims for a file of so many bytes, or what is wrong with it.
func claimed(header image.Config, size int64) (int, error) {
	w, h := header.Width, header.Height
	switch {
	case w < 1 || h < 1:
		return 0, fmt.Errorf("a picture of %dx%d pixels", h, w)
	case w > maxPicture/h:
		return 0, fmt.Errorf("a picture of %dx%d pixels, more than the %d that one may have", h, w, maxPicture)
	case int64(w*h) > maxExpansion*size:
		return 0, fmt.Errorf("a picture of %dx%d pixels in %d bytes, which hold %d at most", h, w, size, maxExpansion*size)
	}
	return w * h, nil
}

// fit writes the largest centred square of a picture, resized to s, to out. // (H,W,C)
func fit(picture image.Image, out []uint8, s Shape) {
	b := picture.Bounds()
	side := min(b.Dx(), b.Dy())
	corner := b.Min.Add(image.Pt((b.Dx()-side)/2, (b.Dy()-side)/2))
	square := image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}
	scaled := image.NewRGBA(image.Rect(0, 0, s.W, s.H))
	if square.Size() == scaled.Rect.Size() {
		scale.Copy(scaled, image.Point{}, picture, square, scale.Src, nil)
	} else {
		scale.BiLinear.Scale(scaled, scaled.Rect, picture, square, scale.Src, nil)
	}
	for i := range s.H * s.W {
		rgb := scaled.Pix[4*i:][:3]
		if s.C == 3 {
			copy(out[3*i:], rgb)
			continue
		}
		// The luma of JPEG; its weights add up to 2¹⁶, so grey stays as it is.
		out[i] = uint8((19595*int(rgb[0]) + 38470*int(rgb[1]) + 7471*int(rgb[2]) + 1<<15) >> 16)
	}
}

func undecodable(path string, size int64, err error) error {
	e := &Error{Path: path, Offset: -1, Problem: "cannot be decoded as PNG or JPEG", Err: err, Remedy: remedyImage}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		e.Offset, e.Problem = size, "cut short"
	}
	return e
}
