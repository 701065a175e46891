"""Times PyTorch's convolutions, one operation and one direction at a time.

Needs: pip install torch==2.15.0   (any version from 2.13 on)

    python conv.py                              every shape, the better of the two layouts
    python conv.py --names '^dw' --threads 2    the depthwise rows
    python conv.py --both                       one line for each layout

One JSON object a line: name, direction (forward, data, weights), threads, batch, median_ms, gflops, layout. The gradient
with respect to the input and that with respect to the weights are timed apart, by the output mask of
aten::convolution_backward. A round is the mean of enough calls to fill 10 ms; the figure is the median of the rounds,
which go through the layouts in turn. Operations count 2·N·OH·OW·KH·KW·IC·OC/groups, padding included.

Names: [s2]KIND{K}x{K}[d2]_IC_OC_H for conv and stem (a convolution of 3 channels), [s2]dw{K}x{K}[d2]_C_H for depthwise;
H is the input's height and width, padding keeps it (before the stride). Dense 3×3 rows have 128 images, others 64.
"""

import argparse
import json
import re
import time
from dataclasses import dataclass

import torch

from lines import answer, median

DENSE = [
    "stem3x3_3_16_32", "stem3x3_3_64_32",
    "conv3x3_16_16_32", "conv3x3_32_32_16", "conv3x3_64_64_8",
    "conv3x3_64_64_32", "conv3x3_128_128_16", "conv3x3_256_256_8", "conv3x3_512_512_4",
    "s2conv3x3_16_32_32", "s2conv3x3_32_64_16",
    "s2conv3x3_64_128_32", "s2conv3x3_128_256_16", "s2conv3x3_256_512_8",
]
POINTWISE = [
    "conv1x1_16_16_32", "conv1x1_16_64_32", "conv1x1_64_16_32", "conv1x1_32_32_16", "conv1x1_64_64_8",
    "conv1x1_64_64_16", "conv1x1_64_64_32", "conv1x1_128_128_8", "conv1x1_128_128_16", "conv1x1_256_256_8",
]
DEPTHWISE = [f"{s}dw{k}x{k}{d}_16_32" for s in ("", "s2") for k in (3, 5, 7) for d in ("", "d2")]
NAMES = DENSE + POINTWISE + DEPTHWISE

DIRECTIONS = ("forward", "data", "weights")
LAYOUTS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
ROUND_SECONDS = 0.010


@dataclass
class Shape:
    name: str
    batch: int
    ic: int
    oc: int
    size: int
    kernel: int
    stride: int
    dilation: int
    groups: int

    @staticmethod
    def parse(name, batch=0):
        m = re.fullmatch(r"(s2)?(conv|stem|dw)(\d)x\3(d2)?_(\d+)_(\d+)(?:_(\d+))?", name)
        if not m or (m[2] == "dw") != (m[7] is None):
            raise SystemExit(f"conv.py: {name}: want [s2]conv3x3[d2]_IC_OC_H or [s2]dw3x3[d2]_C_H")
        depthwise = m[2] == "dw"
        kernel = int(m[3])
        ic = int(m[5])
        return Shape(
            name=name,
            batch=batch or (128 if kernel > 1 and not depthwise else 64),
            ic=ic,
            oc=ic if depthwise else int(m[6]),
            size=int(m[6] if depthwise else m[7]),
            kernel=kernel,
            stride=2 if m[1] else 1,
            dilation=2 if m[4] else 1,
            groups=ic if depthwise else 1,
        )

    @property
    def padding(self):
        return self.dilation * (self.kernel - 1) // 2

    @property
    def out(self):
        return (self.size - 1) // self.stride + 1

    @property
    def flop(self):
        return 2 * self.batch * self.out**2 * self.kernel**2 * self.ic * self.oc // self.groups


def operation(shape, direction, layout):
    """A call of one direction on random tensors of one layout."""
    form = LAYOUTS[layout]
    gen = torch.Generator().manual_seed(1)
    make = lambda *dims: torch.randn(*dims, generator=gen).contiguous(memory_format=form)
    x = make(shape.batch, shape.ic, shape.size, shape.size)
    w = make(shape.oc, shape.ic // shape.groups, shape.kernel, shape.kernel)
    stride, padding, dilation = [shape.stride] * 2, [shape.padding] * 2, [shape.dilation] * 2
    if direction == "forward":
        return lambda: torch.ops.aten.convolution(x, w, None, stride, padding, dilation, False, [0, 0], shape.groups)
    g = make(shape.batch, shape.oc, shape.out, shape.out)
    mask = [direction == "data", direction == "weights", False]
    return lambda: torch.ops.aten.convolution_backward(
        g, x, w, None, stride, padding, dilation, False, [0, 0], shape.groups, mask)


class Timer:
    """Repeats a call often enough to fill a round; the mean of a round's calls is its figure."""

    def __init__(self, call):
        self.call = call
        call()
        start = time.perf_counter()
        call()
        self.calls = max(1, round(ROUND_SECONDS / max(time.perf_counter() - start, 1e-6)))
        self.round()

    def round(self):
        self.call()  # brings the operands back into the caches
        start = time.perf_counter()
        for _ in range(self.calls):
            self.call()
        return (time.perf_counter() - start) / self.calls * 1e3


def record(shape, direction, layout, ms):
    return {
        "name": shape.name, "direction": direction, "threads": torch.get_num_threads(), "batch": shape.batch,
        "median_ms": round(ms, 5), "gflops": round(shape.flop / ms / 1e6, 2), "layout": layout,
    }


def measure(shape, direction, rounds):
    """The median of each layout, rounds taken in turn."""
    timers = {layout: Timer(operation(shape, direction, layout)) for layout in LAYOUTS}
    times = {layout: [] for layout in LAYOUTS}
    for _ in range(rounds):
        for layout, timer in timers.items():
            times[layout].append(timer.round())
    return {layout: median(t) for layout, t in times.items()}


def serve(batch):
    """Answers lines "NAME DIRECTION LAYOUT" by one round each."""
    timers = {}

    def run(line):
        if line not in timers:
            name, direction, layout = line.split()
            for old in [k for k in timers if k.split()[:2] != [name, direction]]:
                del timers[old]  # one operation's tensors at a time
            timers[line] = Timer(operation(Shape.parse(name, batch), direction, layout))
        return {"ms": timers[line].round()}

    answer({"torch": torch.__version__, "threads": torch.get_num_threads()}, run)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--names", default="", help="regular expression that a name must contain (default: every name)")
    p.add_argument("--directions", default=",".join(DIRECTIONS), help="comma-separated (default: %(default)s)")
    p.add_argument("--threads", type=int, default=2, help="threads (default: %(default)s)")
    p.add_argument("--rounds", type=int, default=9, help="timed rounds, at least 7 (default: %(default)s)")
    p.add_argument("--batch", type=int, default=0, help="images (default: 128 for dense 3x3, else 64)")
    p.add_argument("--both", action="store_true", help="print each layout, not only the better")
    p.add_argument("--list", action="store_true", help="print the names and end")
    p.add_argument("--serve", action="store_true", help="answer lines 'NAME DIRECTION LAYOUT' by one round each")
    args = p.parse_args()
    if args.rounds < 7 and not args.serve:
        p.error("--rounds: at least 7")
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)
    names = [n for n in NAMES if re.search(args.names, n)]
    if args.list:
        print("\n".join(names))
        return
    if args.serve:
        serve(args.batch)
        return
    for name in names:
        shape = Shape.parse(name, args.batch)
        for direction in args.directions.split(","):
            medians = measure(shape, direction, args.rounds)
            best = min(medians, key=medians.get)
            for layout, ms in medians.items():
                if args.both or layout == best:
                    print(json.dumps(record(shape, direction, layout, ms)), flush=True)


if __name__ == "__main__":
    main()
