// Package nb201 reads the table of NAS-Bench-201 (Dong and Yang, 2020): how accurate each of the 15,625 cells of that space
// is once it is trained. A search of the space can then be judged in no time, by the truth.
//
// The table is a CSV file that is not part of this module; the script bench/peers/nasbench201.py makes it from the benchmark.
// Its first line names the columns, in any order:
//
//	index         the benchmark's own number of the cell, 0 to 15624
//	arch_str      the cell, as |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|…~1|…~2|
//	c10_val12     CIFAR-10, 12 epochs on half of the training images: accuracy on the other half, percent
//	c10_test12    CIFAR-10, 12 epochs on all training images: accuracy on the test images, percent
//	c100_val12    CIFAR-100, 12 epochs: accuracy on the validation half of its test images, percent
//	c100_test12   the same on the other half
//	in16_val12    ImageNet16-120, 12 epochs: accuracy on the validation half of its test images, percent
//	in16_test12   the same on the other half
//	c10_test200   CIFAR-10, 200 epochs: mean test accuracy over the benchmark's seeds, percent
//	c100_test200  CIFAR-100, likewise
//	in16_test200  ImageNet16-120, likewise
//	params_c10    parameters of the network for CIFAR-10 (16 channels, 5 cells a stage)
//	macs_c10      its multiply-adds for one image
//
// Two types keep what a search may see apart from what judges it. Validation holds the *_val12 columns and nothing else; it
// is what a search or a baseline is given. Table holds all and is for reports: test accuracies never choose anything.
package nb201
