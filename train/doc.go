// Package train runs whatever goes on by steps and can save its state: it owns epochs, records, checkpoints, interruption
// and the events that progress is drawn from. The loop knows no network. Plain supervised training is one Stepper, in
// files of its own.
//
// A run is a directory (Dir), which one process uses at a time:
//
//	log.txt                       what happened, for people
//	status.json                   whether it is running, finished, interrupted or failed, and how far it is (Status)
//	metrics.csv                   a row of figures for each epoch (Records); no times, so that equal runs have equal files
//	timings.csv                   seconds, a row for each uninterrupted stretch of an epoch
//	checkpoints/epoch-E-step-S.safetensors   the state after E epochs and S steps of the next; the last two
//	checkpoints/best.safetensors  the state after the epoch that was best
//
// Resuming. Running again in the same directory goes on from the newest checkpoint that is whole, and ends with the bits
// of a run that was never interrupted. A checkpoint holds everything: the stepper's tensors, the position, and the records so
// far, from which metrics.csv is written anew. Its metadata say what it is a checkpoint of: of Supervised, the architecture,
// the schedule of learning rates, the steps of the optimizer and of the average, and the seed, name and place of the random
// stream that orders and varies the images. A stepper of another architecture, schedule or stream does not take it.
package train
