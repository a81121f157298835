#!/usr/bin/env python3
"""Writes the ONNX fixtures: make.py [CASE ...]

    <case>/model.onnx         one small graph each, made by hand
    <case>/golden/*.npy       inputs, and outputs in Float64 by onnx's reference evaluator; none if refused
    cases.json                what each case is about, and what becomes of its normalizations (README.md)

Needs onnx and numpy, as Tests/requirements.txt pins them.
"""
import json
import sys

import convolutions, dense, traps  # noqa: each registers its cases
from building import CASES, FOLDER, Network, write


def main(names):
    unknown = set(names) - set(CASES)
    if unknown:
        sys.exit(f"unknown case: {', '.join(sorted(unknown))}")
    for name in names or CASES:
        function, _, golden, _ = CASES[name]
        net = Network(name)
        write(function(net), net.feeds, FOLDER / name, golden)
    index = {
        name: {"about": about, "golden": golden, "normalizations": expected}
        for name, (_, about, golden, expected) in CASES.items()}
    (FOLDER / "cases.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
