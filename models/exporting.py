"""Writes a trained PyTorch network as a model of the repository: the file, its golden tensors and its card.

    <name>/1/model.onnx           BatchNormalization nodes kept, so that the server has something to fold
    <name>/1/golden/input.npy     float32 [items, …]
    <name>/1/golden/output.npy    float64 [items, …], computed in Float64 from the float32 weights
    <name>/model.json             labels and card
"""
import copy
import json
import warnings
from pathlib import Path

import numpy
import onnx
import torch

OPSET_VERSION = 17
MODEL_BYTE_LIMIT = 250_000


def export_network(model, example, path, input_name="input", output_names=("output",)):
    """Exports `model` in evaluation mode with a symbolic batch axis N, and nothing folded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The exporter without dynamo warns that it is deprecated; the other one folds BatchNorm by itself.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(), (example,), str(path), dynamo=False, training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False, opset_version=OPSET_VERSION,
            input_names=[input_name], output_names=list(output_names),
            dynamic_axes={name: {0: "N"} for name in (input_name, *output_names)})
    check_export(path, model)


def check_export(path, model):
    """Every normalization of `model` must be a node in the file, in inference mode, and the file small."""
    graph = onnx.load(path).graph
    onnx.checker.check_model(str(path), full_check=True)
    nodes = [node for node in graph.node if node.op_type == "BatchNormalization"]
    modules = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    assert len(nodes) == len(modules), f"{path}: {len(modules)} normalizations, {len(nodes)} nodes"
    for node in nodes:
        modes = [attribute.i for attribute in node.attribute if attribute.name == "training_mode"]
        assert modes in ([], [0]) and len(node.output) == 1, f"{path}: {node.name} is in training mode"
    assert path.stat().st_size < MODEL_BYTE_LIMIT, f"{path}: {path.stat().st_size} bytes"


def write_golden(model, items, folder, input_name="input", output_names=("output",)):
    """Saves `items` and what the network answers for them, computed in Float64 from its float32 weights."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        outputs = copy.deepcopy(model).eval().double()(items.double())
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    numpy.save(folder / f"{input_name}.npy", items.numpy())
    for name, output in zip(output_names, outputs, strict=True):
        numpy.save(folder / f"{name}.npy", numpy.ascontiguousarray(output.numpy()))


def write_card(folder, labels, card):
    text = json.dumps({"labels": labels, "card": card}, indent=2, ensure_ascii=False)
    (folder / "model.json").write_text(text + "\n", encoding="utf-8")


def publish(folder, model, items, labels, card):
    """Writes everything that the server reads of `<folder>`, as version 1."""
    folder = Path(folder)
    export_network(model, items[:2], folder / "1" / "model.onnx")
    write_golden(model, items, folder / "1" / "golden")
    write_card(folder, labels, card)
