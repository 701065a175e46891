"""Writes python.safetensors, with Python's safetensors 0.8.0: python make.py

With an argument, reads that file, which the Go package wrote, and prints it.
"""
import pathlib
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

if len(sys.argv) > 1:
    with safe_open(sys.argv[1], "np") as f:
        print(f.metadata())
        for name in f.keys():
            print(name, f.get_tensor(name).dtype, f.get_tensor(name).shape, f.get_tensor(name).tolist())
else:
    save_file(
        {
            "layer1.0.conv1.weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
            "bn1.num_batches_tracked": np.array(7, dtype=np.int64),
            "scores": np.array([-1.5, 1e300]),
            "targets": np.array([3, -4], dtype=np.int32),
            "mask": np.array([1, 0, 1], dtype=np.uint8),
            "none": np.zeros((0, 2), dtype=np.float16),
        },
        pathlib.Path(__file__).with_name("python.safetensors"),
        metadata={"model": '{"name":"a<b> ü"}'},
    )
