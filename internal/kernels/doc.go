// Package kernels holds the arithmetic of convolutional networks: dense and depthwise convolution, batch norm, pooling,
// matrix products, the softmax cross-entropy and the vector updates of optimizers, each with its gradients.
//
// Layout. Activations are NHWC: element (n,h,w,c) of an (N,H,W,C) tensor stands at ((n·H+h)·W+w)·C+c. Convolution weights
// are HWIO, (KH,KW,IC,OC); depthwise weights (KH,KW,C); linear weights (IN,OUT). Slices hold exactly the tensor; a slice
// that is too short is a programmer's mistake and panics with both sizes.
//
// Same bits. Every operation is cut into units that its shape fixes, never the number of threads, and partial sums are
// added in a fixed order, so a result depends on the inputs and the instruction set alone.
//
// Plans. What depends on a shape alone (tile sizes, tap tables, packed-weight buffers) is worked out once by New…; the
// methods of a plan do not allocate. A plan is not safe for concurrent use: it parallelises inside.
//
// Instruction sets. AVX-512, AVX2+FMA and plain Go implement the same microkernels; the best one that the processor has
// is chosen when the program starts. The environment variable ESPALIER_KERNELS (avx512, avx2 or go) overrides the choice.
//
// NaN and Inf travel: NaN passes ReLU and max pooling, and the padding of a convolution counts as zeros that are
// multiplied (an infinite weight times padding is NaN; so is an infinite gradient times padding).
package kernels
