"""Writes models/testdata/torch.json, one training step and one evaluation of ResNet-8 in PyTorch.

    python bench/peers/fixture_resnet.py          (written with torch 2.15.0, in double precision)

Four images of 8×8×3, five classes, label smoothing 0.1, both kinds of shortcut. Weights, running statistics and images come
from a formula of a tensor's name and the place of an element, so the file holds results alone. Of each gradient it holds
the length and the first elements, of each running statistic all; tensors are in PyTorch's order.
"""

import json
import math
import pathlib

import torch
from torch import nn
from torch.nn import functional

CLASSES, BATCH, SIDE, SMOOTHING, KEPT = 5, 4, 8, 0.1, 6


def wave(name, count):
    """Elements of size at most 1: sin(a + 12.9898·i), a a tenth of the sum of the name's bytes."""
    start = sum(name.encode()) / 10
    return torch.tensor([math.sin(start + 12.9898 * i) for i in range(count)], dtype=torch.float64)


def conv(inputs, outputs, kernel, stride):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, shortcut):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs)
        self.pad = outputs - inputs
        if stride > 1 and shortcut == "conv":
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
            self.pad = 0

    def short(self, x):
        if hasattr(self, "downsample"):
            return self.downsample(x)
        if self.pad:
            before = self.pad // 2
            return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, before, self.pad - before))
        return x

    def forward(self, x):  # (N,C,H,W)
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + self.short(x))


class ResNet8(nn.Module):
    def __init__(self, shortcut):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 16, 3, 1), nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1, shortcut))
        self.layer2 = nn.Sequential(Block(16, 32, 2, shortcut))
        self.layer3 = nn.Sequential(Block(32, 64, 2, shortcut))
        self.fc = nn.Linear(64, CLASSES)

    def forward(self, x):  # (N,3,8,8)
        y = functional.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(y))).mean((2, 3)))


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
    tensor.copy_(values.view(tensor.shape))


def run(shortcut):
    net = ResNet8(shortcut).double()
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                fill(name, tensor)
    images = wave("images", BATCH * 3 * SIDE * SIDE).view(BATCH, 3, SIDE, SIDE)
    labels = torch.arange(BATCH) % CLASSES
    loss = functional.cross_entropy(net(images), labels, label_smoothing=SMOOTHING)
    loss.backward()
    result = {
        "loss": loss.item(),
        "gradients": {
            name: {"length": p.grad.norm().item(), "first": p.grad.flatten()[:KEPT].tolist()}
            for name, p in net.named_parameters()
        },
        "statistics": {name: b.tolist() for name, b in net.named_buffers() if "running" in name and "layer2" in name},
    }
    net.eval()
    with torch.no_grad():
        logits = net(images)
    result["eval_logits"] = logits.flatten().tolist()
    result["eval_loss"] = functional.cross_entropy(logits, labels).item()
    return result


if __name__ == "__main__":
    path = pathlib.Path(__file__).parents[2] / "models" / "testdata" / "torch.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({s: run(s) for s in ("conv", "pad")}, indent=0) + "\n")
