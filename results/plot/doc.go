// Package plot draws what runs measured: accuracy against remaining weights, and training curves. A figure is saved as
// PNG or SVG, by the name of its file.
//
// A constructor copies and checks its data; drawing cannot fail afterwards. Every figure states how many runs stand
// behind a point and what its whiskers mean.
//
// Curves differ by colour (the palette of Okabe and Ito, "Color Universal Design", 2008, which stays distinct for
// colour-blind readers), by marker and by dashes, so a greyscale print can be read.
package plot
