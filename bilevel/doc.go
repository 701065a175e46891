// Package bilevel writes methods with two levels, or with several sets of variables in turn, as lists. A Block is a named
// vector of variables. An Update moves one block: it takes a gradient on the next batch of a named split of the data, hands
// it to an optimizer, and may end in a projection. A Method is a list of updates; New makes it a stepper that train.Run
// runs, saves and restores exactly. There is no other loop.
//
// Everything is generic over float32 and float64 and works on vectors: the same updates run on a problem of two variables
// with a known answer and on the flat vectors of a network. A step allocates nothing beyond what gradients allocate.
//
// The gradients of the upper level that need more than one oracle stand here too: Unrolled is DARTS's.
package bilevel
