// Package nn builds convolutional networks on Gorgonia: specs that describe layers as data, layers over the kernels with
// explicit forward and backward passes, and programs that run them as Gorgonia graphs.
//
// Spec, net, program. A Sequential of specs is data: it can be walked, counted, shrunk and written as JSON. NewNet works
// out its shapes and lays its parameters out in flat vectors. TrainProgram and EvalProgram bind a net to a batch size: they
// group the specs into units (a convolution with its batch norm and ReLU, a residual block, a pooling, …), plan one block
// of memory for all that a step keeps, and make each unit one node of a Gorgonia graph. The graph, its symbolic gradient
// and its execution are Gorgonia's; the layers are not.
//
// Branches. A Residual is one fused block; a DAG joins chains by sums and concatenations, for cells whose wiring is itself
// data. Either is one unit.
//
// Parameters. A Layout names the tensors of a vector; Params holds values, gradients and running statistics of one set of
// weights. Several sets can share a layout, and a program can be bound to any of them without copying. Names are
// torchvision's (layer1.0.conv1.weight). In memory convolution weights are HWIO and linear weights (IN,OUT), as the kernels
// want them; Export and Import convert to and from PyTorch's OIHW and (OUT,IN).
//
// Layout of activations: (N,H,W,C), features (N,1,1,C). Axes: N batch, H height, W width, C channels, K classes.
//
// Failures. A spec that does not fit its input is an error of NewNet. A panic while a program runs (a slice that is too
// short, a label out of range) becomes a *LayerError with the layer's name. Programs, and the building of them, are not safe
// for concurrent use: the kernels underneath use all threads already.
package nn
