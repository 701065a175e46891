// Package study runs grids of runs: methods by sparsities by models by seeds, described in one file. Each cell of the grid
// is a run of package experiment in a directory of its own; what several cells need, such as a dense network, is made once.
// A finished cell leaves a record, a small file that can be kept with the sources, and is not run again where its record
// is. A study can be stopped at any time and goes on where it was.
package study
