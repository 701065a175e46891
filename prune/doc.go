// Package prune chooses which weights of a network to remove and keeps them removed.
//
// Prunable are the convolution and linear weights of a net (nn.Kind.Weight), the first and the last layer included;
// biases, batch norm and running statistics never are, nor is an auxiliary head, which the trained network does without.
// Sparsity is the share of the prunable weights that is removed, density the share that is kept; n prunable weights at
// sparsity s keep exactly round((1−s)·n).
//
// Methods is the table of methods. One makes a Mask, a vector of the layout of the weights, at once (OneShot), learns it as
// a stepper of train.Run (Learner), or makes it between whole trainings (Rounds). All choose by scores: a Budget says how many
// weights of each layer stay, the highest scores stay, and among equal ones those of the lower index. What is left is
// trained as usual, with Mask.Apply as the projection after every update.
//
// In formulas, θ are the weights, m is the mask, and G the gradient of the loss at m⊙θ. docs/pruning.md describes the
// methods, and how to add one.
package prune
