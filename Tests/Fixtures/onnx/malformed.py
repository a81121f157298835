#!/usr/bin/env python3
"""Writes malformed model files, each of which must be refused with a reason: malformed.py OUT

    OUT/manifest.json         [{"file": "models/….onnx", "why": "…"}, …]
    OUT/models/               the files, the same bytes each time
    OUT/secret.bin            a file outside models/ that no model may read

All are made from raw_data/model.onnx beside this script: input → conv → norm → relu → output.
Needs onnx and numpy, as Tests/requirements.txt pins them.
"""
import json
import sys
from pathlib import Path

from onnx import load

import malformed_bytes
import malformed_graphs
import malformed_tensors

FOLDER = Path(__file__).resolve().parent
GOOD = FOLDER / "raw_data" / "model.onnx"
SECRET_BYTE_COUNT = 4096


def write_malformed(out, good=GOOD):
    """Writes every file and the manifest to the folder `out`; returns the manifest."""
    out = Path(out)
    (out / "models").mkdir(parents=True, exist_ok=True)
    (out / "secret.bin").write_bytes(b"\0" * SECRET_BYTE_COUNT)
    malformed_tensors.write_links(out / "models")
    manifest = []
    for name, why, content in contents(good):
        file = f"models/{name}.onnx"
        assert all(entry["file"] != file for entry in manifest), f"{name} twice"
        (out / file).write_bytes(content)
        manifest.append({"file": file, "why": why})
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def contents(good):
    """Yields (name, why, bytes)."""
    yield from malformed_bytes.contents(good.read_bytes())
    for change, name, why in [*malformed_graphs.CHANGES, *malformed_tensors.CHANGES]:
        model = load(str(good), load_external_data=False)
        change(model)
        yield name, why, model.SerializeToString(deterministic=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(len(write_malformed(sys.argv[1])), "files written")
