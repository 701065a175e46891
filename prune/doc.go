// Package prune chooses which weights of a network to remove and keeps them removed.
//
// Prunable are the convolution and linear weights of a net (nn.Kind.Weight), the first and the last layer included;
// biases, batch norm and running statistics never are. Sparsity is the share of the prunable weights that is removed,
// density the share that is kept; n prunable weights at sparsity s keep exactly round((1−s)·n).
//
// A Method gives every weight a score; a Budget says how many of each layer stay; the highest scores stay, and among
// equal ones those of the lower index. The result is a Mask, a vector of the layout of the weights.
package prune
