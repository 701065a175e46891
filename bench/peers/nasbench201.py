"""Writes nasbench201.csv, the table that `espalier query` and the package search/nb201 read, from NATS-Bench.

    pip install nats_bench==1.8
    python bench/peers/nasbench201.py NATS-tss-v1_0-3ffb9-simple nasbench201.csv

It needs the benchmark's own file, which its authors distribute (https://github.com/D-X-Y/NATS-Bench): the directory
NATS-tss-v1_0-3ffb9-simple, unpacked from the archive of that name (read cell by cell, about an hour), or the one file
NATS-tss-v1_0-3ffb9.pickle.pbz2 (read at once, some 10 GB of memory). Put the table where `espalier data list` looks.

All accuracies are means over the seeds that the benchmark has, in percent, rounded to four digits. The networks of 12 epochs
were trained on half of CIFAR-10 where they are validated (dataset cifar10-valid), on all of it where they are tested; those of
CIFAR-100 and ImageNet16-120 are validated and tested on two halves of the images that were not trained on. Parameters and
multiply-adds are counted; where the benchmark's own figures differ, the script says so.
"""

import argparse
import csv
import os
import sys

COLUMNS = (
    "index arch_str c10_val12 c10_test12 c100_val12 c100_test12 in16_val12 in16_test12 c10_test200 c100_test200 in16_test200 "
    "params_c10 macs_c10"
).split()

# Of each column: the benchmark's data set, epochs of the training, and which accuracy.
ACCURACIES = {
    "c10_val12": ("cifar10-valid", "12", "valid-accuracy"),
    "c10_test12": ("cifar10", "12", "test-accuracy"),
    "c100_val12": ("cifar100", "12", "valid-accuracy"),
    "c100_test12": ("cifar100", "12", "test-accuracy"),
    "in16_val12": ("ImageNet16-120", "12", "valid-accuracy"),
    "in16_test12": ("ImageNet16-120", "12", "test-accuracy"),
    "c10_test200": ("cifar10", "200", "test-accuracy"),
    "c100_test200": ("cifar100", "200", "test-accuracy"),
    "in16_test200": ("ImageNet16-120", "200", "test-accuracy"),
}

CELLS = 5**6


def counts(arch):
    """Parameters and multiply-adds of a cell's network for CIFAR-10: 16 channels, five cells in each of three stages.

    Every edge counts, one that the output does not depend on too. Batch norms have gamma and beta, the classifier a bias.
    """
    wide, narrow = arch.count("nor_conv_3x3"), arch.count("nor_conv_1x1")
    return 73306 + 243040 * wide + 28000 * narrow, 7783040 + 35389440 * wide + 3932160 * narrow


def row(api, index):
    """A line of the table."""
    arch = api.arch(index)
    line = {"index": index, "arch_str": arch}
    found = {}
    for column, (dataset, epochs, name) in ACCURACIES.items():
        if (dataset, epochs) not in found:
            found[dataset, epochs] = api.get_more_info(index, dataset, hp=epochs, is_random=False)
        accuracy = found[dataset, epochs].get(name)
        if accuracy is None or not 0 <= accuracy <= 100:
            raise SystemExit(f"cell {index}: the {name} of {dataset} after {epochs} epochs is {accuracy}")
        line[column] = f"{accuracy:.4f}"
    line["params_c10"], line["macs_c10"] = counts(arch)
    cost = api.get_cost_info(index, "cifar10")  # in millions; its multiply-adds count the classifier's ten biases
    if abs(1e6 * cost["params"] - line["params_c10"]) > 0.5 or abs(1e6 * cost["flops"] - 10 - line["macs_c10"]) > 0.5:
        print(f"\rcell {index}, {arch}: counted {line['params_c10']} and {line['macs_c10']}, the benchmark says {cost}", file=sys.stderr)
    return line


def write(api, path):
    """Writes the table at once or not at all."""
    if len(api) != CELLS:
        raise SystemExit(f"the benchmark's file has {len(api)} cells, want {CELLS}")
    part = path + ".part"
    with open(part, "w", newline="", encoding="ascii") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for index in range(CELLS):
            table.writerow(row(api, index))
            api.clear_params(index)  # a cell's results are not needed again
            if index % 500 == 0:
                print(f"\r{index} of {CELLS} cells", end="", file=sys.stderr, flush=True)
    os.replace(part, path)
    print(f"\r{path}: {CELLS} cells", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", help="NATS-tss-v1_0-3ffb9-simple or NATS-tss-v1_0-3ffb9.pickle.pbz2")
    parser.add_argument("table", nargs="?", default="nasbench201.csv", help="the file to write (default %(default)s)")
    arguments = parser.parse_args()
    if not os.path.exists(arguments.benchmark):
        raise SystemExit(f"{arguments.benchmark} is not there; https://github.com/D-X-Y/NATS-Bench says where to get it")
    import nats_bench  # after the arguments, so that --help works without it

    write(nats_bench.create(arguments.benchmark, "tss", fast_mode=os.path.isdir(arguments.benchmark), verbose=False), arguments.table)


if __name__ == "__main__":
    main()
