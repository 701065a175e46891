package datasets

import "espalier/internal/rng"

// unit is a pixel in the coordinates of figures.
const unit = 16

// figureAt is a figure of a synthetic image: inside says whether a point, seen from the centre along the figure's own
// axes, is painted. All lengths are in sixteenths of a pixel.
type figureAt struct {
	x, y   int // the centre
	tilt   int // the sine of the angle by which the axes are turned, times 1024
	reach  int // nothing is painted farther than this from the centre, along either axis of the image
	inside func(x, y int) bool
}

// cover is how many of the four sample points of pixel (x,y) are painted.
func (f *figureAt) cover(x, y int) int {
	dx, dy := x*unit-f.x, y*unit-f.y
	if dx > f.reach || dy > f.reach || dx < -f.reach-unit || dy < -f.reach-unit {
		return 0
	}
	n := 0
	for _, sy := range [2]int{unit / 4, 3 * unit / 4} {
		for _, sx := range [2]int{unit / 4, 3 * unit / 4} {
			px, py := dx+sx, dy+sy
			if f.inside(px+py*f.tilt>>10, py-px*f.tilt>>10) {
				n++
			}
		}
	}
	return n
}

// drawFigure draws the figure of a class; sizes grow with the image.
func drawFigure(class int, s Shape, r *rng.Stream) figureAt {
	whole := s.W * unit
	radius := between(r, whole*8/32, whole*13/32)
	f := figureAt{
		x:     between(r, radius*7/8, whole-radius*7/8),
		y:     between(r, radius*7/8, whole-radius*7/8),
		tilt:  between(r, -200, 200), // 11°
		reach: radius * 3 / 2,
	}
	width := between(r, whole*5/64, whole*8/64) // of a line
	period := between(r, whole*9/64, whole*16/64)
	phaseX, phaseY := r.IntN(period), r.IntN(period)
	lean := sign(r)
	window := disc
	if r.IntN(2) == 0 {
		window = block
	}
	striped := func(v int) bool { return mod(v, period) < period/2 }
	switch class {
	case 0:
		f.inside = func(x, y int) bool { return window(x, y, radius) && striped(y+phaseY) }
	case 1:
		f.inside = func(x, y int) bool { return window(x, y, radius) && striped(x+phaseX) }
	case 2:
		f.inside = func(x, y int) bool { return window(x, y, radius) && striped((x+lean*y)*diagonal>>10+phaseX) }
	case 3:
		f.inside = func(x, y int) bool { return window(x, y, radius) && striped(x+phaseX) != striped(y+phaseY) }
	case 4:
		f.inside = func(x, y int) bool {
			return window(x, y, radius) && disc(mod(x+phaseX, period)-period/2, mod(y+phaseY, period)-period/2, period*5/16)
		}
	case 5:
		f.inside = func(x, y int) bool { return disc(x, y, radius) && !disc(x, y, radius-width) }
	case 6:
		side := radius * 7 / 8
		f.inside = func(x, y int) bool { return block(x, y, side) && !block(x, y, side-width) }
	case 7:
		f.inside = func(x, y int) bool {
			y = lean*y - radius/8
			d := depth(x, y, radius)
			return d >= 0 && d < width
		}
	case 8:
		f.inside = func(x, y int) bool { return cross(x, y, radius, width/2) }
	case 9:
		f.inside = func(x, y int) bool {
			return cross((x+y)*diagonal>>10, (x-y)*diagonal>>10, radius, width/2)
		}
	}
	return f
}

// drawStroke draws a short bar of any direction, anywhere.
func drawStroke(s Shape, r *rng.Stream) figureAt {
	whole := s.W * unit
	long, wide := between(r, whole/16, whole/8), between(r, whole/64, whole/32)
	a, b := between(r, -1024, 1024), between(r, 1, 1024) // the direction
	length := max(abs(a), b)
	return figureAt{
		x: r.IntN(whole), y: r.IntN(whole),
		reach: long * 2,
		inside: func(x, y int) bool {
			return abs(x*a+y*b) <= long*length && abs(y*a-x*b) <= wide*length
		},
	}
}

// diagonal is √½·1024.
const diagonal = 724

func disc(x, y, radius int) bool { return radius > 0 && x*x+y*y <= radius*radius }

func block(x, y, radius int) bool { return abs(x) <= radius && abs(y) <= radius }

// cross is an upright cross with arms of the given length and half width.
func cross(x, y, radius, half int) bool {
	return abs(x) <= half && abs(y) <= radius || abs(y) <= half && abs(x) <= radius
}

// depth is the distance from the nearest side of an equilateral triangle, its centre at 0, a tip at (0,−radius).
func depth(x, y, radius int) int {
	const sin60 = 887 // times 1024
	return radius/2 - max(y, (sin60*abs(x)-512*y)>>10)
}

func mod(a, n int) int {
	if a %= n; a < 0 {
		a += n
	}
	return a
}

func abs(v int) int { return max(v, -v) }
