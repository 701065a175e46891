// Package optim moves weights: stochastic gradient descent and Adam, weight decay, clipping of gradients, learning-rate
// schedules, a running average of weights, and a guard against values that are not finite.
//
// Everything works on flat vectors: the weights of a network are one slice, their gradients another of equal length. An
// optimizer owns its state, which it can hand out and take back exactly; a schedule is a value without state, evaluated at
// a step that is counted from 0. Nothing allocates after it is made.
//
// A vector of the wrong length is a programmer's mistake and panics with both lengths.
package optim
