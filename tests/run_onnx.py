#!/usr/bin/env python3
"""Runs the ONNX graphs that the tests left in onnxruntime, and compares what they give with what the library gave.

    python3 tests/run_onnx.py target/tmp/onnx      (needs numpy, onnx and onnxruntime)
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

# The largest difference as a part of the largest value: of f32, and of weights in f16.
F32, F16 = 1e-5, 1e-2


def worst(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


def check(folder):
    shapes = json.loads((folder / "shapes.json").read_text())
    n, side, width, classes = (shapes[key] for key in ("images", "side", "features", "classes"))
    pixels = np.fromfile(folder / "pixels.u8", np.uint8).reshape(n, side, side, 3)
    features = np.fromfile(folder / "features.f32", np.float32).reshape(n, width)
    probabilities = np.fromfile(folder / "probabilities.f32", np.float32).reshape(n, classes)
    apart = {}
    for name, most in [("images", F32), ("pixels", F32), ("half", F16)]:
        path = folder / f"{name}.onnx"
        onnx.checker.check_model(str(path), full_check=True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        said = session.get_modelmeta().custom_metadata_map
        assert said["simclr.encoder"] == shapes["encoder"], said
        assert json.loads(said["simclr.class_names"]) == ["ant", "bee", '"wasp"'], said
        inputs = pixels
        if name == "images":
            transform = json.loads(said["simclr.evaluation_transform"])
            assert transform["size"] == side, transform
            mean, std = (np.float32(transform["normalization"][key]) for key in ("mean", "std"))
            inputs = ((pixels / np.float32(255) - mean) / std).transpose(0, 3, 1, 2).copy()
        # Any number of images at once: all, one, and the last three.
        for rows in [slice(0, n), slice(0, 1), slice(n - 3, n)]:
            found = session.run(
                ["features", "probabilities"], {session.get_inputs()[0].name: inputs[rows]}
            )
            for what, found, expected in zip(
                ["features", "probabilities"], found, [features[rows], probabilities[rows]]
            ):
                assert found.shape == expected.shape, (folder.name, name, found.shape)
                difference = worst(found, expected)
                assert difference <= most, f"{folder.name} {name} {what}: {difference:.2e}"
                apart[name] = max(apart.get(name, 0.0), difference)
                if what == "probabilities":
                    assert (found.argmax(1) == expected.argmax(1)).all(), (folder.name, name)
    print(f"{folder.name:<24}", *(f"{name} {value:.1e}" for name, value in apart.items()))


folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*/shapes.json"))
assert len(folders) >= 14, f"expected the graphs of fourteen encoders, found {len(folders)}"
for folder in folders:
    check(folder)
print(f"{len(folders)} passed, 0 failed")
