// Package oneshot searches an architecture by one training: that of a supernet, whose weights all architectures of a space
// share. A Method is a list of updates over the supernet's weights and α; New makes it a Search, which train.Run runs, saves
// and resumes to the bit. Methods is the table of them; a variant is a file here and a line there.
//
// # Seams
//
// A method differs from DARTS in its updates (Method.Updates), in how α becomes the weights of the sums (Search.Gate, which may
// draw), in what stands on the edges of the supernet (Edged), or in how α becomes an architecture (Search.Select, or a Chooser).
//
// # Statistics
//
// Running statistics of batch norms follow the passes that move weights, each set of weights having its own; passes that
// look (the gradient of α, weights that are unrolled or perturbed, all evaluations) normalise by the batch at hand. An
// evaluation by running statistics, as in the released code of DARTS, is Problem.Running; it is wrong for an architecture
// other than the mixture that was trained.
package oneshot
