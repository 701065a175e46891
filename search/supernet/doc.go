// Package supernet is the relaxed network of a search space: every candidate of every edge runs, and their weighted sum goes
// on (Liu et al., 2019, section 2.2). It computes losses, the gradient at all weights and the gradient at the architecture
// parameters α.
//
// A Net belongs to a space, an image size, a class count and a batch size. Its weights are those of models.Supernet, in the
// same order and under the same names, in one flat vector; any number of nn.Params can share its layouts, and every pass
// names the set that it works on. Net.Gradient writes the gradient at the weights, at α, or at both, in one forward and one
// backward pass; Net.Evaluate and Net.Logits make a forward pass.
//
// How much a candidate counts is decided by a Gate, which turns α into the weights of the sums and the gradient at those into
// one at α. Softmax is DARTS's; Direct takes α itself. Candidates of weight zero are not computed, neither forward nor backward,
// so a gate that samples makes a pass as cheap as the operations that it chose.
//
// Each cell is one node of a Gorgonia graph, with its weights and the weights of the sums as inputs. A cell reads the
// output of the one before it and what the one before that left for it, its own preprocessed first input: so every value has
// one reader, and gradients are added in place, never by the graph.
//
// Batch norms inside cells have neither scale nor shift (search.Place.Plain): the weight of a candidate takes the scale's
// place. Running statistics belong to nn.Params; a pass moves them only if Pass.Statistics is nn.UpdateStatistics.
//
// Results depend on inputs and instruction set alone: on neither the number of threads nor Options.Memory.
package supernet
