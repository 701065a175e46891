"""Writes models/testdata/cells.json: a training step and an evaluation, in PyTorch, of networks of cells.

    python bench/peers/fixture_cells.py           (written with torch 2.15.0, in double precision)

Three networks: "derived", a DARTS network with an auxiliary head whose cells hold every operation of the space; "supernet",
all candidates of the DARTS space added up without weights; "nb201", a cell of NAS-Bench-201. Weights, running statistics and
images come from a formula of a tensor's name and the place of an element, rounded to single precision, so the file holds
results alone. Of each gradient it holds the length and the first elements, of some running statistics all; tensors are in
PyTorch's order. Modules bear the names of the released codes.
"""

import json
import math
import pathlib

import torch
from torch import nn
from torch.nn import functional

CLASSES, BATCH, KEPT = 5, 3, 2
PRIMITIVES = "none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5".split()
NORMAL = [("sep_conv_3x3", 1), ("dil_conv_5x5", 0), ("max_pool_3x3", 2), ("skip_connect", 0), ("sep_conv_5x5", 3), ("avg_pool_3x3", 1),
          ("dil_conv_3x3", 4), ("skip_connect", 2)]
REDUCE = [("skip_connect", 1), ("sep_conv_5x5", 0), ("max_pool_3x3", 0), ("avg_pool_3x3", 1), ("dil_conv_3x3", 0), ("none", 2),
          ("dil_conv_5x5", 1), ("sep_conv_3x3", 4)]
NB201 = [("nor_conv_3x3", 0, 1), ("skip_connect", 0, 2), ("avg_pool_3x3", 1, 2), ("nor_conv_1x1", 0, 3), ("none", 1, 3), ("nor_conv_3x3", 2, 3)]


class Sum(nn.Module):
    """Modules whose outputs are added."""

    def __init__(self, modules):
        super().__init__()
        self._ops = nn.ModuleList(modules)

    def forward(self, x):
        return sum(o(x) for o in self._ops)


class Op(nn.Module):
    """Modules in a row, in a list called op."""

    def __init__(self, *modules):
        super().__init__()
        self.op = nn.Sequential(*modules)

    def forward(self, x):
        return self.op(x)


class Reduce(nn.Module):
    """Factorized reduction."""

    def __init__(self, inputs, outputs, affine):
        super().__init__()
        self.conv_1 = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False)
        self.conv_2 = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, affine=affine)

    def forward(self, x):
        x = functional.relu(x)
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], 1))


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return 0 * x[:, :, :: self.stride, :: self.stride]


def relu_conv_norm(inputs, outputs, kernel, stride, affine):
    return Op(nn.ReLU(), nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs, affine=affine))


def depthwise(c, kernel, stride, dilation, affine):
    pad = dilation * (kernel // 2)
    return [nn.ReLU(), nn.Conv2d(c, c, kernel, stride, pad, dilation, groups=c, bias=False), nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c, affine=affine)]


def operation(name, c, stride, affine, pool_norm):
    kernel = int(name[-1]) if name[-1].isdigit() else 0
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Reduce(c, c, affine)
    if "pool" in name:
        pool = nn.MaxPool2d(3, stride, 1) if name[0] == "m" else nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        return nn.Sequential(pool, nn.BatchNorm2d(c, affine=affine)) if pool_norm else pool
    if name.startswith("nor"):
        return relu_conv_norm(c, c, kernel, stride, affine)
    if name.startswith("dil"):
        return Op(*depthwise(c, kernel, stride, 2, affine))
    return Op(*depthwise(c, kernel, stride, 1, affine), *depthwise(c, kernel, 1, 1, affine))


class Cell(nn.Module):
    """A cell of DARTS; without a genotype, one of all candidates."""

    def __init__(self, genotype, c0, c1, c, reduce, reduced):
        super().__init__()
        affine = genotype is not None
        self.preprocess0 = Reduce(c0, c, affine) if reduced else relu_conv_norm(c0, c, 1, 1, affine)
        self.preprocess1 = relu_conv_norm(c1, c, 1, 1, affine)
        self.edges, ops = [], []
        for node in range(2, 6):
            edges = genotype[2 * node - 4 : 2 * node - 2] if genotype else [(None, j) for j in range(node)]
            for name, source in edges:
                stride = 2 if reduce and source < 2 else 1
                self.edges.append((source, node))
                if name:
                    ops.append(operation(name, c, stride, True, False))
                else:
                    ops.append(Sum([operation(p, c, stride, False, True) for p in PRIMITIVES]))
        self._ops = nn.ModuleList(ops)

    def forward(self, s0, s1):
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        for node in range(2, 6):
            states.append(sum(o(states[i]) for o, (i, j) in zip(self._ops, self.edges) if j == node))
        return torch.cat(states[2:], 1)


class Auxiliary(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.features = nn.Sequential(
            nn.ReLU(), nn.AvgPool2d(5, 3, 0, count_include_pad=False), nn.Conv2d(c, 128, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False), nn.BatchNorm2d(768), nn.ReLU())
        self.classifier = nn.Linear(768, CLASSES)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Darts(nn.Module):
    def __init__(self, normal, reduce, c, layers, auxiliary):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 3 * c, 3, padding=1, bias=False), nn.BatchNorm2d(3 * c))
        self.at, c0, c1, reduced, cells = 2 * layers // 3, 3 * c, 3 * c, False, []
        for k in range(layers):
            reducing = k in (layers // 3, 2 * layers // 3)
            c *= 2 if reducing else 1
            cells.append(Cell(reduce if reducing else normal, c0, c1, c, reducing, reduced))
            c0, c1, reduced = c1, 4 * c, reducing
            if k == self.at and auxiliary:
                self.auxiliary_head = Auxiliary(c1)
        self.cells = nn.ModuleList(cells)
        self.classifier = nn.Linear(c1, CLASSES)

    def forward(self, x):
        s0 = s1 = self.stem(x)
        second = None
        for k, cell in enumerate(self.cells):
            s0, s1 = s1, cell(s0, s1)
            if k == self.at and hasattr(self, "auxiliary_head") and self.training:
                second = self.auxiliary_head(s1)
        return self.classifier(s1.mean((2, 3))), second


class Cell201(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.layers = nn.ModuleList([operation(name, c, 1, True, False) for name, _, _ in NB201])

    def forward(self, x):
        states = [x]
        for node in range(1, 4):
            states.append(sum(o(states[i]) for o, (_, i, j) in zip(self.layers, NB201) if j == node))
        return states[3]


class Block201(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv_a, self.conv_b = relu_conv_norm(c // 2, c, 3, 2, True), relu_conv_norm(c, c, 3, 1, True)
        self.downsample = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(c // 2, c, 1, bias=False))

    def forward(self, x):
        return self.conv_b(self.conv_a(x)) + self.downsample(x)


class Net201(nn.Module):
    def __init__(self, c, n):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, c, 3, padding=1, bias=False), nn.BatchNorm2d(c))
        cells = [Cell201(c) for _ in range(n)]
        for _ in range(2):
            c *= 2
            cells += [Block201(c)] + [Cell201(c) for _ in range(n)]
        self.cells = nn.ModuleList(cells)
        self.lastact = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU())
        self.classifier = nn.Linear(c, CLASSES)

    def forward(self, x):
        x = self.stem(x)
        for cell in self.cells:
            x = cell(x)
        return self.classifier(self.lastact(x).mean((2, 3))), None


def wave(name, count):
    """Elements of size at most 1: sin(a + 12.9898·i), a a tenth of the sum of the name's bytes."""
    start = sum(name.encode()) / 10
    return torch.tensor([math.sin(start + 12.9898 * i) for i in range(count)], dtype=torch.float64)


def fill(name, tensor):
    """Sets a tensor to its formula."""
    values = wave(name, tensor.numel())
    if name.endswith("running_var"):
        values = 1 + 0.5 * values
    elif name.endswith("running_mean"):
        values = 0.1 * values
    elif tensor.dim() > 1:
        values = values * math.sqrt(3 / tensor[0].numel())
    elif name.endswith("weight"):
        values = 1 + 0.3 * values
    else:
        values = 0.2 * values
    tensor.copy_(values.float().view(tensor.shape))


def short(value):
    """Ten digits of a number, or of each in a list."""
    return [short(v) for v in value] if isinstance(value, list) else float(f"{value:.10g}")


def run(net, side):
    net = net.double()
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                fill(name, tensor)
    images = wave("images", BATCH * 3 * side * side).float().double().view(BATCH, 3, side, side)
    labels = torch.arange(BATCH) % CLASSES
    logits, second = net(images)
    loss = functional.cross_entropy(logits, labels)
    if second is not None:
        loss = loss + 0.4 * functional.cross_entropy(second, labels)
    loss.backward()
    result = {
        "loss": short(loss.item()),
        "gradients": {
            name: {"length": short(p.grad.norm().item()), "first": short(p.grad.flatten()[:KEPT].tolist())}
            for name, p in net.named_parameters()
        },
        "statistics": {name: short(b.tolist()) for name, b in net.named_buffers() if name.startswith("cells.1.preprocess") and "running" in name},
    }
    net.eval()
    with torch.no_grad():
        logits, _ = net(images)
    result["eval_logits"] = short(logits.flatten().tolist())
    result["eval_loss"] = short(functional.cross_entropy(logits, labels).item())
    return result


if __name__ == "__main__":
    path = pathlib.Path(__file__).parents[2] / "models" / "testdata" / "cells.json"
    results = {
        "derived": run(Darts(NORMAL, REDUCE, 4, 4, True), 32),
        "supernet": run(Darts(None, None, 4, 3, False), 8),
        "nb201": run(Net201(4, 1), 8),
    }
    counted = sum(p.numel() for p in Darts(None, None, 16, 8, False).parameters())
    results["supernet"]["weights"] = counted + 5 * (16 * 4 * 4 + 1)  # ten classes instead of five
    path.write_text(json.dumps(results, separators=(",", ":")) + "\n")
