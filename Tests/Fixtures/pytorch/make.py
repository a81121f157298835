#!/usr/bin/env python3
"""Writes the exported programs beside it: make.py [NAME ...]

For each network of Tests/Clients/make_pytorch_exports.py that is named here `<name>.pt2`, its inputs `<name>.input0.npy` … and
what PyTorch answers, `<name>.expected0.npy` …. Needs what Tests/Benchmarks/requirements.txt pins.
"""
import sys
import warnings
from pathlib import Path

import numpy

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1] / "Clients"))
import make_pytorch_exports

NAMES = ("strided", "preact", "shapes", "norms", "recurrent", "attention", "dictionary", "windows", "contexts")
BYTE_LIMIT = 100_000


def main():
    warnings.simplefilter("ignore")
    for name in sys.argv[1:] or NAMES:
        make_pytorch_exports.write(name, FOLDER)
        arrays = FOLDER / f"{name}.npz"
        with numpy.load(arrays) as tensors:
            for key, tensor in tensors.items():
                numpy.save(FOLDER / f"{name}.{key}.npy", numpy.ascontiguousarray(tensor))
        arrays.unlink()
        size = (FOLDER / f"{name}.pt2").stat().st_size
        assert size < BYTE_LIMIT, f"{name}: {size} bytes"


if __name__ == "__main__":
    main()
