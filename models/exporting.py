"""Writes a trained PyTorch network as a model of the repository: the file, its golden tensors and its card.

    <name>/1/model.onnx           BatchNormalization nodes kept, so that the server has something to fold
    <name>/2/model.pt2            the same network as torch.export.save writes it, where a model has this version
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


class Named(torch.nn.Module):
    """The network with a name for its output: the key under which it is returned."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input):
        return {"output": self.model(input)}


def export_program(model, example, path):
    """Saves `model` in evaluation mode as an exported program with an open batch axis; its normalizations stay calls."""
    path.parent.mkdir(parents=True, exist_ok=True)
    program = torch.export.export(
        Named(model).eval(), (example,), dynamic_shapes=({0: torch.export.Dim("N")},))
    # Where each call stands in the sources is a path of this machine.
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    # Sample inputs would be pickled.
    program.example_inputs = None
    torch.export.save(program, path)
    calls = sum(node.target == torch.ops.aten.batch_norm.default for node in program.graph.nodes)
    check_count(path, model, calls)


def check_count(path, model, count):
    """Each normalization of `model` must be in the file, and the file small."""
    modules = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    assert count == len(modules), f"{path}: {len(modules)} normalizations, {count} in the file"
    assert path.stat().st_size < MODEL_BYTE_LIMIT, f"{path}: {path.stat().st_size} bytes"


def check_export(path, model):
    """Every normalization of `model` must be a node in the file, in inference mode, and the file small."""
    graph = onnx.load(path).graph
    onnx.checker.check_model(str(path), full_check=True)
    nodes = [node for node in graph.node if node.op_type == "BatchNormalization"]
    for node in nodes:
        modes = [attribute.i for attribute in node.attribute if attribute.name == "training_mode"]
        assert modes in ([], [0]) and len(node.output) == 1, f"{path}: {node.name} is in training mode"
    check_count(path, model, len(nodes))


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


def publish_program(folder, model, items):
    """Writes the network as version 2, an exported program of PyTorch."""
    folder = Path(folder)
    export_program(model, items[:2], folder / "2" / "model.pt2")
    write_golden(model, items, folder / "2" / "golden")
