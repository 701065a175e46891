"""Times Espalier against PyTorch in turn, so that both meet the same state of the machine.

Needs: pip install torch==2.15.0, and the binary: go build -o espalier ./cmd/espalier

    python pair.py train --model resnet20 --batch 128 --modes eager,compile
    python pair.py kernels --names '^(s2)?dw'
    python pair.py supernet --rounds 7

Both sides are started once, warm up, and then take one timed round each, over and over. A line gives the medians (with
minimum and maximum) and the median of the per-round ratios, PyTorch's time over Espalier's: above 1 Espalier is faster.
Peak memory is that of each process, libraries included. For kernels PyTorch's better layout is the one with the lower
median. --json prints one object a line.
"""

import argparse
import json
import os
import re
import sys

from lines import Served, median, spread

HERE = os.path.dirname(os.path.abspath(__file__))


def pair(ours, theirs, line_ours, lines_theirs, rounds):
    """Times of ours and, for each of theirs (program, line), theirs, taken in turn. The order changes from round to round."""
    mine, others = [], [[] for _ in theirs]
    turns = [lambda: mine.append(ours.round(line_ours)["ms"])]
    for i, (program, line) in enumerate(zip(theirs, lines_theirs)):
        turns.append(lambda i=i, program=program, line=line: others[i].append(program.round(line)["ms"]))
    for r in range(rounds):
        for k in range(len(turns)):
            turns[(r + k) % len(turns)]()
    return mine, others


def ratio(mine, other):
    return median([b / a for a, b in zip(mine, other)])


def train(args):
    import resnet

    batch = args.batch or resnet.MODELS[args.model][3]
    ours = Served([args.espalier, "bench", "train", "--model", args.model, "--batch", str(batch), "--threads", str(args.threads),
                   "--serve"])
    variants = [(layout, mode) for mode in args.modes.split(",") for layout in ("nchw", "channels_last")]
    theirs = [Served(resnet.command(args.model, batch, layout, mode, args.threads)) for layout, mode in variants]
    mine, others = pair(ours, theirs, "", [""] * len(theirs), args.rounds)
    my_peak, peaks = ours.peak_mb(), [program.peak_mb() for program in theirs]
    for program in [ours, *theirs]:
        program.close()
    if not args.json:
        print(f"{args.model} batch {batch}, {args.threads} threads, {args.rounds} rounds: espalier {spread(mine)} ms, "
              f"peak memory {my_peak:.0f} MB")
    for (layout, mode), other, peak in zip(variants, others, peaks):
        if args.json:
            print(json.dumps({"name": args.model, "batch": batch, "threads": args.threads, "layout": layout, "mode": mode,
                              "median_ms": median(mine), "peer_median_ms": median(other), "ratio": ratio(mine, other),
                              "peak_rss_mb": my_peak, "peer_peak_rss_mb": peak}))
        else:
            print(f"  PyTorch {layout:>13} {mode:<7} {spread(other)} ms, ratio {ratio(mine, other):.2f}, {peak:.0f} MB")


def supernet(args):
    import darts

    name = f"darts-c16-l{args.cells}-b{args.batch}"
    memories = ["", "-recompute"]
    for layout in args.layouts.split(","):  # one at a time: PyTorch needs 10 GB for each
        ours = [Served([args.espalier, "bench", "supernet", "--serve", name + m, "--threads", str(args.threads)]) for m in memories]
        peer = Served(darts.command(16, args.cells, args.batch, layout, args.threads))
        mine, (recompute, other) = pair(ours[0], [ours[1], peer], "", ["", ""], args.rounds)
        my_peaks, peak = [p.peak_mb() for p in ours], peer.peak_mb()
        for program in [*ours, peer]:
            program.close()
        for memory, times, my_peak in zip(memories, [mine, recompute], my_peaks):
            if args.json:
                print(json.dumps({"name": name + memory, "batch": args.batch, "threads": args.threads, "layout": layout,
                                  "median_ms": median(times), "peer_median_ms": median(other), "ratio": ratio(times, other),
                                  "peak_rss_mb": my_peak, "peer_peak_rss_mb": peak}), flush=True)
            else:
                print(f"{name + memory:<26} {args.threads} threads, {args.rounds} rounds: espalier {spread(times)} ms, {my_peak:.0f} MB; "
                      f"PyTorch {layout} {spread(other)} ms, {peak:.0f} MB; ratio {ratio(times, other):.2f}, memory {peak / my_peak:.2f}",
                      flush=True)


def kernels(args):
    import conv

    env = dict(os.environ)
    if args.avx2:
        env |= {"ESPALIER_KERNELS": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    ours = Served([args.espalier, "bench", "kernels", "--threads", str(args.threads), "--serve"], env)
    peer = Served([sys.executable, os.path.join(HERE, "conv.py"), "--serve", "--threads", str(args.threads)], env)
    ratios = []
    for name in (n for n in conv.NAMES if re.search(args.names, n)):
        for direction in args.directions.split(","):
            lines = [f"{name} {direction} {layout}" for layout in conv.LAYOUTS]
            mine, others = pair(ours, [peer] * len(lines), f"{name} {direction}", lines, args.rounds)
            best = min(range(len(lines)), key=lambda i: median(others[i]))
            layout = list(conv.LAYOUTS)[best]
            flop = conv.Shape.parse(name).flop
            r = ratio(mine, others[best])
            ratios.append(r)
            if args.json:
                print(json.dumps({"name": name, "direction": direction, "threads": args.threads, "layout": layout,
                                  "median_ms": median(mine), "gflops": flop / median(mine) / 1e6,
                                  "peer_median_ms": median(others[best]), "peer_gflops": flop / median(others[best]) / 1e6,
                                  "ratio": r}), flush=True)
            else:
                print(f"{name:<22} {direction:<8} espalier {spread(mine)} ms, {flop / median(mine) / 1e6:6.1f} GFLOP/s; "
                      f"PyTorch {layout} {spread(others[best])} ms, {flop / median(others[best]) / 1e6:6.1f} GFLOP/s; "
                      f"ratio {r:.2f}", flush=True)
    ours.close()
    peer.close()
    if ratios and not args.json:
        print(f"{len(ratios)} rows: ratio {spread(ratios)}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="what", required=True)
    t = sub.add_parser("train", help="whole training steps")
    t.add_argument("--model", choices=["resnet18", "resnet20"], default="resnet20", help="default: %(default)s")
    t.add_argument("--batch", type=int, default=0, help="images a step (default: 128, resnet18: 64)")
    t.add_argument("--modes", default="eager", help="PyTorch's, comma-separated: eager, compile (default: %(default)s)")
    t.set_defaults(run=train)
    k = sub.add_parser("kernels", help="single convolutions")
    k.add_argument("--names", default="", help="regular expression that a name must contain (default: every name)")
    k.add_argument("--directions", default="forward,data,weights", help="comma-separated (default: %(default)s)")
    k.add_argument("--avx2", action="store_true", help="both sides limited to AVX2")
    k.set_defaults(run=kernels)
    n = sub.add_parser("supernet", help="search steps of DARTS' supernet")
    n.add_argument("--cells", type=int, default=8, help="default: %(default)s")
    n.add_argument("--batch", type=int, default=64, help="images a step (default: %(default)s)")
    n.add_argument("--layouts", default="nchw,channels_last", help="PyTorch's, comma-separated (default: %(default)s)")
    n.set_defaults(run=supernet)
    for s in (t, k, n):
        s.add_argument("--espalier", default="./espalier", help="the binary (default: %(default)s)")
        s.add_argument("--threads", type=int, default=2, help="threads of each side (default: %(default)s)")
        s.add_argument("--rounds", type=int, default=11, help="timed rounds, at least 7; supernet: any (default: %(default)s)")
        s.add_argument("--json", action="store_true", help="one object a line")
    args = p.parse_args()
    if args.rounds < 7 and args.what != "supernet":
        p.error("--rounds: at least 7")
    args.run(args)


if __name__ == "__main__":
    main()
