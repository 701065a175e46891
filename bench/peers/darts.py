"""Times the search step of DARTS' supernet in PyTorch, and writes the fixture that Espalier's supernet is tested against.

Needs: pip install torch==2.15.0

    python darts.py                         both layouts at 16 channels, 8 cells, batch 64
    python darts.py --layouts channels_last --cells 5 --json
    python darts.py --fixture               writes search/supernet/testdata/darts.json, in double precision

A step is: forward in training mode with all candidates weighted by softmax(α), mean cross-entropy, backward with the gradients
at all weights and at α, SGD with momentum 0.9 and weight decay 3e-4 on the weights, in PyTorch's fused form. The network is
that of the released code (quark0/darts, cnn/model_search.py), which runs in NCHW. The batch is random, fixed and already in
the layout. Each layout runs in a process of its own, so that peak_rss_mb is its own; the processes take their steps in turn.
At 16 channels, 8 cells and ten classes it has 1,930,618 weights and 224 architecture parameters; both are asserted.

JSON fields: name, batch, threads, layout, median_ms, images_per_s, peak_rss_mb.
"""

import argparse
import json
import pathlib
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional

from fixture_cells import PRIMITIVES, Reduce, fill, operation, relu_conv_norm, short, wave
from lines import Served, answer, median, spread

LAYOUTS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
EDGES = [(source, node) for node in range(2, 6) for source in range(node)]


class Mixed(nn.Module):
    """The candidates of an edge, weighted."""

    def __init__(self, c, stride):
        super().__init__()
        self._ops = nn.ModuleList([operation(p, c, stride, False, True) for p in PRIMITIVES])

    def forward(self, x, weights):
        return sum(w * o(x) for w, o in zip(weights, self._ops))


class Cell(nn.Module):
    def __init__(self, c0, c1, c, reduce, reduced):
        super().__init__()
        self.reduce = reduce
        self.preprocess0 = Reduce(c0, c, False) if reduced else relu_conv_norm(c0, c, 1, 1, False)
        self.preprocess1 = relu_conv_norm(c1, c, 1, 1, False)
        self._ops = nn.ModuleList([Mixed(c, 2 if reduce and source < 2 else 1) for source, _ in EDGES])

    def forward(self, s0, s1, weights):
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        for node in range(2, 6):
            states.append(sum(o(states[i], w) for o, w, (i, j) in zip(self._ops, weights, EDGES) if j == node))
        return torch.cat(states[2:], 1)


class Search(nn.Module):
    def __init__(self, c, cells, classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 3 * c, 3, padding=1, bias=False), nn.BatchNorm2d(3 * c))
        c0, c1, reduced, made = 3 * c, 3 * c, False, []
        for k in range(cells):
            reduce = k in (cells // 3, 2 * cells // 3)
            c *= 2 if reduce else 1
            made.append(Cell(c0, c1, c, reduce, reduced))
            c0, c1, reduced = c1, 4 * c, reduce
        self.cells = nn.ModuleList(made)
        self.classifier = nn.Linear(c1, classes)
        # Not parameters of the module: the released code hands them to an optimizer of their own.
        self.alphas = [(1e-3 * torch.randn(len(EDGES), len(PRIMITIVES))).requires_grad_() for _ in range(2)]

    def forward(self, x):
        weights = [functional.softmax(a, -1) for a in self.alphas]
        s0 = s1 = self.stem(x)
        for cell in self.cells:
            s0, s1 = s1, cell(s0, s1, weights[cell.reduce])
        return self.classifier(s1.mean((2, 3)))


class Step:
    """One training step on a fixed batch."""

    def __init__(self, channels, cells, batch, layout, warmup):
        torch.manual_seed(1)
        self.net = Search(channels, cells, 10).to(memory_format=LAYOUTS[layout])
        if (channels, cells) == (16, 8):
            counts = sum(p.numel() for p in self.net.parameters()), sum(a.numel() for a in self.net.alphas)
            assert counts == (1_930_618, 224), counts
        self.net.train()
        self.x = torch.randn(batch, 3, 32, 32).contiguous(memory_format=LAYOUTS[layout])
        self.labels = torch.randint(0, 10, (batch,))
        self.sgd = torch.optim.SGD(self.net.parameters(), lr=0.025, momentum=0.9, weight_decay=3e-4, fused=True)
        for _ in range(warmup):
            self.run()
        assert all(a.grad.abs().sum() > 0 for a in self.net.alphas), "α has no gradient"

    def run(self):
        """Milliseconds of one step."""
        start = time.perf_counter()
        self.sgd.zero_grad(set_to_none=True)
        for a in self.net.alphas:
            a.grad = None
        functional.cross_entropy(self.net(self.x), self.labels).backward()
        self.sgd.step()
        return (time.perf_counter() - start) * 1e3


def fixture():
    """A pass over 8 images of a supernet of 3 cells; weights, α and images come from a formula of names (fixture_cells.py)."""
    channels, cells, batch, side, classes, kept = 8, 3, 8, 16, 5, 2
    net = Search(channels, cells, classes).double()
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                fill(name, tensor)
        net.alphas = [wave(name, 112).float().double().view(14, 8) for name in ("alphas_normal", "alphas_reduce")]
    for a in net.alphas:
        a.requires_grad_()
    images = wave("images", batch * 3 * side * side).float().double().view(batch, 3, side, side)
    labels = torch.arange(batch) % classes
    logits = net(images)
    loss = functional.cross_entropy(logits, labels)
    loss.backward()
    named = dict(net.named_parameters())
    some = [n for i, n in enumerate(named) if i % 7 == 0 or not n.startswith("cells")]
    result = {
        "channels": channels, "cells": cells, "batch": batch, "side": side, "classes": classes,
        "loss": short(loss.item()),
        "logits": short(logits.flatten().tolist()),
        "alpha": short(torch.cat([a.grad.flatten() for a in net.alphas]).tolist()),
        "gradients": {n: {"length": short(named[n].grad.norm().item()), "first": short(named[n].grad.flatten()[:kept].tolist())} for n in some},
    }
    net.eval()
    with torch.no_grad():  # the pass above has moved the running statistics
        result["eval_logits"] = short(net(images).flatten().tolist())
    path = pathlib.Path(__file__).parents[2] / "search" / "supernet" / "testdata" / "darts.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")


def peak_rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row_name(args):
    return f"darts-c{args.channels}-l{args.cells}-b{args.batch}"


def command(channels, cells, batch, layout, threads, warmup=1):
    """The command that serves one layout."""
    return [sys.executable, __file__, "--serve", "--channels", str(channels), "--cells", str(cells), "--batch", str(batch),
            "--layouts", layout, "--threads", str(threads), "--warmup", str(warmup)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--channels", type=int, default=16, help="channels of the first cells (default: %(default)s)")
    p.add_argument("--cells", type=int, default=8, help="default: %(default)s")
    p.add_argument("--batch", type=int, default=64, help="images a step (default: %(default)s)")
    p.add_argument("--layouts", default="nchw,channels_last", help="comma-separated (default: %(default)s)")
    p.add_argument("--threads", type=int, default=2, help="threads (default: %(default)s)")
    p.add_argument("--rounds", type=int, default=7, help="timed steps of each layout (default: %(default)s)")
    p.add_argument("--warmup", type=int, default=1, help="untimed steps (default: %(default)s)")
    p.add_argument("--json", action="store_true", help="one object a line instead of a table")
    p.add_argument("--serve", action="store_true", help="one timed step for each line of the input, of one layout")
    p.add_argument("--fixture", action="store_true", help="write the fixture, and nothing else")
    args = p.parse_args()
    if args.fixture:
        fixture()
        return
    layouts = args.layouts.split(",")
    for layout in layouts:
        if layout not in LAYOUTS:
            p.error(f"no layout {layout}")

    if args.serve:
        if len(layouts) != 1:
            p.error("--serve: one layout")
        torch.set_num_threads(args.threads)
        step = Step(args.channels, args.cells, args.batch, layouts[0], args.warmup)
        about = {"name": row_name(args), "batch": args.batch, "threads": args.threads, "layout": layouts[0]}
        answer(about | {"torch": torch.__version__}, lambda _: {"ms": step.run(), "peak_rss_mb": peak_rss_mb()})
        return

    served = [Served(command(args.channels, args.cells, args.batch, layout, args.threads, args.warmup)) for layout in layouts]
    times, rss = [[] for _ in served], [0.0] * len(served)
    for _ in range(args.rounds):
        for i, s in enumerate(served):
            answered = s.round()
            times[i].append(answered["ms"])
            rss[i] = answered["peak_rss_mb"]
    for s, ms, mb in zip(served, times, rss):
        s.close()
        if args.json:
            fields = {k: v for k, v in s.about.items() if k != "torch"}
            mid = median(ms)
            print(json.dumps(fields | {"median_ms": round(mid, 3), "images_per_s": round(args.batch / mid * 1e3, 1),
                                       "peak_rss_mb": round(mb, 1)}))
        else:
            print(f"{row_name(args)} {s.about['layout']:>13} {spread(ms)} ms, {mb:.0f} MB")


if __name__ == "__main__":
    main()
