// Package oneshot searches an architecture by one training: that of a supernet, whose weights all architectures of a space
// share. A Method is a list of updates over the supernet's weights and α; New makes it a Search, which train.Run runs, saves
// and resumes to the bit. Methods is the table of them; a variant is a file here and a line there.
//
// # Three seams
//
// A method differs from DARTS in how α becomes the weights of the sums (a supernet.Gate, which may draw), in its updates
// (Method.Updates), or in how the architecture comes of it in the end (a Chooser).
//
// # Statistics
//
// Running statistics of batch norms follow the passes that move weights, each set of weights having its own; passes that
// look (the gradient of α, weights that are unrolled or perturbed, all evaluations) normalise by the batch at hand. An
// evaluation by running statistics, as in the released code of DARTS, is Problem.Running; it is wrong for an architecture
// other than the mixture that was trained.
package oneshot
