"""Times whole training steps of CIFAR ResNets in PyTorch.

Needs: pip install torch==2.15.0   (and a C++ compiler for --modes compile)

    python resnet.py                                    ResNet-20 at batch 128: both layouts, eager
    python resnet.py --modes eager,compile              … and compiled (about a minute to compile each)
    python resnet.py --model resnet18 --batch 64 --json

A step is: forward in training mode (running statistics updated), mean cross-entropy, backward, SGD with momentum 0.9 and
weight decay on every parameter, in PyTorch's fused form. The batch is random, fixed and already in the layout. Each pair of a layout and
a mode runs in a process of its own, so that peak_rss_mb is its own; the processes take their steps in turn. The figure is the
median of the rounds.

JSON fields: name, batch, threads, layout, mode, median_ms, images_per_s, peak_rss_mb. ResNet-20 has 272,474 parameters
(shortcuts are 1×1 convolutions with batch norm), ResNet-18 for 32×32 images 11,173,962; both are asserted.
"""

import argparse
import json
import resource
import sys
import time

import torch
from torch import nn

from lines import Served, answer, median, spread

LAYOUTS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
MODELS = {
    # blocks a stage, width of each stage, parameters at 10 classes, default batch, weight decay
    "resnet20": ([3, 3, 3], [16, 32, 64], 272_474, 128, 1e-4),
    "resnet18": ([2, 2, 2, 2], [64, 128, 256, 512], 11_173_962, 64, 5e-4),
}


def conv(inputs, outputs, kernel, stride):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):  # (N,C,H,W)
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, blocks, widths, classes=10):
        super().__init__()
        self.conv1, self.bn1, self.relu = conv(3, widths[0], 3, 1), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        stages, inputs = [], widths[0]
        for i, (n, width) in enumerate(zip(blocks, widths)):
            for j in range(n):
                stages.append(Block(inputs, width, 2 if i > 0 and j == 0 else 1))
                inputs = width
        self.stages = nn.Sequential(*stages)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):  # (N,3,32,32)
        y = self.stages(self.relu(self.bn1(self.conv1(x))))
        return self.fc(y.mean((2, 3)))


class Step:
    """One training step on a fixed batch."""

    def __init__(self, model, batch, layout, mode, warmup):
        blocks, widths, parameters, _, decay = MODELS[model]
        torch.manual_seed(1)
        net = ResNet(blocks, widths).to(memory_format=LAYOUTS[layout])
        count = sum(p.numel() for p in net.parameters())
        assert count == parameters, f"{model} has {count} parameters, want {parameters}"
        self.net = torch.compile(net) if mode == "compile" else net
        self.net.train()
        self.x = torch.randn(batch, 3, 32, 32).contiguous(memory_format=LAYOUTS[layout])
        self.labels = torch.randint(0, 10, (batch,))
        self.sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=decay, fused=True)
        before = net.bn1.running_mean.clone()
        for _ in range(warmup):
            self.run()
        assert not torch.equal(before, net.bn1.running_mean), "running statistics do not move"

    def run(self):
        """Milliseconds of one step."""
        start = time.perf_counter()
        self.sgd.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(self.net(self.x), self.labels)
        loss.backward()
        self.sgd.step()
        return (time.perf_counter() - start) * 1e3


def peak_rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def command(model, batch, layout, mode, threads):
    """The command that serves one variant."""
    return [sys.executable, __file__, "--serve", "--model", model, "--batch", str(batch), "--layouts", layout, "--modes", mode,
            "--threads", str(threads)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", choices=sorted(MODELS), default="resnet20", help="default: %(default)s")
    p.add_argument("--batch", type=int, default=0, help="images a step (default: 128, resnet18: 64)")
    p.add_argument("--layouts", default="nchw,channels_last", help="comma-separated (default: %(default)s)")
    p.add_argument("--modes", default="eager", help="comma-separated: eager, compile (default: %(default)s)")
    p.add_argument("--threads", type=int, default=2, help="threads (default: %(default)s)")
    p.add_argument("--rounds", type=int, default=11, help="timed steps of each variant, at least 7 (default: %(default)s)")
    p.add_argument("--warmup", type=int, default=3, help="untimed steps (default: %(default)s)")
    p.add_argument("--json", action="store_true", help="one object a line instead of a table")
    p.add_argument("--serve", action="store_true", help="one timed step for each line of the input, of one layout and mode")
    args = p.parse_args()
    batch = args.batch or MODELS[args.model][3]
    variants = [(layout, mode) for mode in args.modes.split(",") for layout in args.layouts.split(",")]
    for layout, mode in variants:
        if layout not in LAYOUTS or mode not in ("eager", "compile"):
            p.error(f"no layout {layout} or no mode {mode}")

    if args.serve:
        if len(variants) != 1:
            p.error("--serve: one layout and one mode")
        torch.set_num_threads(args.threads)
        step = Step(args.model, batch, *variants[0], args.warmup)
        about = {"name": args.model, "batch": batch, "threads": args.threads, "layout": variants[0][0], "mode": variants[0][1]}
        answer(about | {"torch": torch.__version__}, lambda _: {"ms": step.run(), "peak_rss_mb": peak_rss_mb()})
        return

    if args.rounds < 7:
        p.error("--rounds: at least 7")
    served = [Served(command(args.model, batch, layout, mode, args.threads)) for layout, mode in variants]
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
            print(json.dumps(fields | {"median_ms": round(mid, 3), "images_per_s": round(batch / mid * 1e3, 1),
                                       "peak_rss_mb": round(mb, 1)}))
        else:
            print(f"{args.model} batch {batch} {s.about['layout']:>13} {s.about['mode']:<7} {spread(ms)} ms, {mb:.0f} MB")


if __name__ == "__main__":
    main()
