package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // decoders of image folders
	_ "image/png"
	"io"

	scale "golang.org/x/image/draw"
)

// A small file can claim to be a large picture, for which a decoder then makes room. No picture may have more pixels than
// maxPicture, or than maxExpansion for every byte of its file: what deflate makes of a row of equal bits.
const (
	maxPicture   = 1 << 26
	maxExpansion = 8 * 1032
)

const remedyImage = "replace or remove it"

// decodeImage decodes a PNG or JPEG, and writes its largest centred square, resized to s, to out. // (H,W,C)
func decodeImage(path string, content, out []uint8, s Shape) error {
	header, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return undecodable(path, content, err)
	}
	w, h := header.Width, header.Height
	if most := min(maxPicture, maxExpansion*len(content)); w < 1 || h < 1 || w > most/h {
		return &Error{Path: path, Offset: -1, Remedy: remedyImage,
			Problem: fmt.Sprintf("a picture of %dx%d pixels in %d bytes, expected 1 to %d pixels", h, w, len(content), most)}
	}
	picture, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return undecodable(path, content, err)
	}
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
	return nil
}

func undecodable(path string, content []byte, err error) error {
	e := &Error{Path: path, Offset: -1, Problem: "cannot be decoded as PNG or JPEG", Err: err, Remedy: remedyImage}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		e.Offset, e.Problem = int64(len(content)), "cut short"
	}
	return e
}
