#!/usr/bin/env python3
"""Writes the fixtures of what ONNX files may hold beside plain nodes: make.py [CASE ...]

    <case>/model.onnx         one small graph each
    <case>/golden/*.npy       inputs and the outputs that ONNX Runtime computes, in the graph's order

Needs onnx, onnxruntime and numpy, as Tests/requirements.txt pins them.
"""
import sys
import zlib
from pathlib import Path

import numpy
import onnxruntime
from onnx import save_model

import control_flow, functions, storage  # noqa: each registers its cases
from cases import CASES

FOLDER = Path(__file__).resolve().parent


def write(name):
    model, feeds = CASES[name](numpy.random.default_rng(zlib.crc32(name.encode())))
    folder = FOLDER / name
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    path = str(folder / "model.onnx")
    save_model(model, path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, feeds)
    for role, arrays in [("input", feeds.values()), ("output", outputs)]:
        for index, array in enumerate(arrays):
            numpy.save(folder / "golden" / f"{role}_{index}.npy", array)


def main(names):
    unknown = set(names) - set(CASES)
    if unknown:
        sys.exit(f"unknown case: {', '.join(sorted(unknown))}")
    for name in names or CASES:
        write(name)


if __name__ == "__main__":
    main(sys.argv[1:])
