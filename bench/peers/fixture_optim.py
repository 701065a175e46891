"""Writes optim/testdata/torch.json, what PyTorch's optimizers and schedules do to 13 weights in 6 steps.

    python bench/peers/fixture_optim.py          (written with torch 2.15.0, in double precision)
"""
import json
import pathlib

import torch

N, STEPS = 13, 6
GROUPS = [(3, 5, 0.0), (5, 6, 0.0), (9, 12, 0.25)]  # from, to, decay

torch.manual_seed(1)
weights = torch.randn(N).double()
gradients = torch.randn(STEPS, N).double()
gradients[:, 7] = 0
rates = [0.1 / (1 + step) for step in range(STEPS)]


def optimize(make, groups, **options):
    """The weights after each step; groups are the exceptions to weight_decay."""
    parts = [weights[i : i + 1].clone().requires_grad_() for i in range(N)]
    sets = []
    for i, part in enumerate(parts):
        sets.append({"params": [part]})
        for start, end, decay in groups:
            if start <= i < end:
                sets[i]["weight_decay"] = decay
    optimizer = make(sets, lr=1, **options)
    out = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        for i, part in enumerate(parts):
            part.grad = gradients[step, i : i + 1].clone()
        optimizer.step()
        out.append(torch.cat(parts).tolist())
    return out


def schedule(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    s = make(optimizer)
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        s.step()
    return out


def clipped(limit):
    part = torch.zeros(N).double().requires_grad_()
    part.grad = gradients[0].clone()
    norm = torch.nn.utils.clip_grad_norm_([part], limit)
    return {"limit": limit, "norm": norm.item(), "gradient": part.grad.tolist()}


def averaged(decay):
    module = torch.nn.Linear(N, 1, bias=False).double()
    average = torch.optim.swa_utils.AveragedModel(module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay))
    for step in range(STEPS):
        module.weight.data[0] = gradients[step]
        average.update_parameters(module)
    return average.module.weight[0].tolist()


SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
lr = torch.optim.lr_scheduler
out = {
    "weights": weights.tolist(),
    "gradients": gradients.tolist(),
    "rates": rates,
    "groups": GROUPS,
    "optimizers": {
        "descent": optimize(SGD, []),
        "descent, decay": optimize(SGD, GROUPS, weight_decay=0.05),
        "momentum": optimize(SGD, [], momentum=0.9),
        "momentum, decay": optimize(SGD, GROUPS, momentum=0.9, weight_decay=0.05),
        "nesterov": optimize(SGD, [], momentum=0.9, nesterov=True),
        "nesterov, decay": optimize(SGD, GROUPS, momentum=0.8, nesterov=True, weight_decay=0.05),
        "adam": optimize(Adam, []),
        "adam, decay": optimize(Adam, GROUPS, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.05),
        "adamw": optimize(AdamW, []),
        "adamw, decay": optimize(AdamW, GROUPS, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.05),
    },
    "clip": [clipped(limit) for limit in (0.5, 100.0)],
    "average": averaged(0.75),
    "schedules": {
        "cosine": schedule(lambda o: lr.CosineAnnealingLR(o, 10, eta_min=0.004), 10),
        "stairs": schedule(lambda o: lr.MultiStepLR(o, [3, 7], gamma=0.1), 12),
        "onecycle": schedule(lambda o: lr.OneCycleLR(o, 0.4, total_steps=24), 24),
        "onecycle, linear": schedule(
            lambda o: lr.OneCycleLR(o, 0.4, total_steps=25, pct_start=0.23, div_factor=10, final_div_factor=100, anneal_strategy="linear"), 25
        ),
        "warm cosine": schedule(
            lambda o: lr.SequentialLR(o, [lr.LinearLR(o, 1 / 5, total_iters=4), lr.CosineAnnealingLR(o, 10)], milestones=[4]), 14
        ),
    },
}
path = pathlib.Path(__file__).parents[2] / "optim" / "testdata" / "torch.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(out, separators=(",", ":")).replace("],", "],\n") + "\n")
