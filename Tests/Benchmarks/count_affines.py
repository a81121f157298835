#!/usr/bin/env python3
"""Counts the affines by constants that an ONNX file still computes on its data.

    count_affines.py [--json] [--nodes] FILE.onnx …

One definition for the output of every folding tool:

- A constant is an initializer that no graph input of that name can override, a Constant node, or what is computed from
  those and from the shapes of data alone. Everything else is data.
- An affine is a node that computes y = a·x + b on data x, where a and b are constants that differ along at most one axis
  (by their elements, so an expanded copy counts as what it copies): BatchNormalization in inference; Mul, Add, Sub, Div
  and the two-operand Sum in either order (k / x is none); the addend of ONNX Runtime's fused forms (BiasGelu, FastGelu,
  SkipLayerNormalization, FusedConv). Integer arithmetic is none.
- A bias map, Add or Sub of a constant that differs along several axes, counts too: a shift behind a padded convolution
  may be spelled so. So do the other ways to spell a scale: a depthwise convolution with one tap, and a product with a
  diagonal matrix.
- The Add of a vector along the columns directly behind a MatMul by a constant is that dense layer's bias, for MatMul
  has no input for one. Conv and Gemm have: an Add behind them counts. Cast and Identity do not stand between two nodes.
- LayerNormalization and its kin depend on the data and are no affines. Those whose own scale and bias are not ones and
  zeros are counted apart (`normalizations`): a dense layer or a convolution may take these two.
- A Pad with a finite value other than zero is counted apart too (`pads`): a shift ahead of a padded convolution may become
  one, as a value for the border or as a channel of ones that the convolution multiplies.
- Bodies of If, Loop and Scan count, and functions of the model are inlined first.

Two figures: `affines` counts nodes; `runs` counts maximal chains of nodes in which each is the only consumer of the one
before, so that one BatchNormalization and the Mul and Add that spell it are the same. Scalars are affines; `scalars` says how
many nodes have nothing but a scalar, as half of GELU does.
"""
import argparse
import itertools
import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy
import onnx
from onnx import TensorProto, inliner, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

# What a value is computed from: constants alone, constants and shapes, data.
CONSTANT, SHAPE, DATA = range(3)
TRANSPARENT = ("Cast", "Identity")
ARITHMETIC = ("Mul", "Add", "Sub", "Div", "Sum")
RANDOM = (
    "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial", "Dropout")
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
# Of the fused forms, the data operand and the addend.
FUSED_ADDENDS = {"BiasGelu": (0, 1), "FastGelu": (0, 1), "SkipLayerNormalization": (0, 4), "FusedConv": (0, 3)}
# The operands that scale and shift what was normalized.
NORMALIZATIONS = {
    "LayerNormalization": (1, 2), "GroupNormalization": (1, 2), "InstanceNormalization": (1, 2),
    "RMSNormalization": (1, None), "SimplifiedLayerNormalization": (1, None), "SkipLayerNormalization": (2, 3),
    "SkipSimplifiedLayerNormalization": (2, None)}


@dataclass
class Value:
    """What is known of a tensor: its level, its elements if it is constant, whether a dense layer computes it."""
    level: int = DATA
    array: numpy.ndarray | None = None
    # A product with a constant matrix on the right.
    is_dense: bool = False


@dataclass
class Count:
    """The affines of a model as (kind, form, node name), and by name what is counted apart."""
    affines: list = field(default_factory=list)
    runs: int = 0
    normalizations: list = field(default_factory=list)
    pads: list = field(default_factory=list)

    def summary(self, nodes=False):
        result = {
            "affines": len(self.affines), "runs": self.runs,
            "scalars": sum(form == "scalar" for _, form, _ in self.affines),
            "normalizations": len(self.normalizations), "pads": len(self.pads),
            "byKind": dict(sorted(Counter(kind for kind, _, _ in self.affines).items()))}
        if nodes:
            result["nodes"] = [dict(zip(("kind", "form", "node"), affine)) for affine in self.affines]
            result["normalizationNodes"] = self.normalizations
            result["padNodes"] = self.pads
        return result


def attribute(node, name, default):
    return next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def form_of(array):
    """scalar, channel (differs along one axis) or map; channel where the elements are not known."""
    if array is None:
        return "channel"
    axes = [axis for axis in range(array.ndim) if (array != array.take([0], axis)).any()] if array.size else []
    return ("scalar", "channel")[len(axes)] if len(axes) < 2 else "map"


class GraphCounter:
    """Walks the graphs of a model in order."""

    def __init__(self, model):
        self.opsets = model.opset_import
        self.types = {}
        self.count = Count()

    def walk(self, graph, outer):
        self.types.update((value.name, value.type.tensor_type.elem_type) for value in (*graph.value_info, *graph.output)
                          if value.type.tensor_type.elem_type)
        values = dict(outer)
        values.update((value.name, Value()) for value in graph.input)
        overridable = {value.name for value in graph.input}
        for tensor in graph.initializer:
            if tensor.name not in overridable:
                values[tensor.name] = Value(CONSTANT, numpy_helper.to_array(tensor))
        uses = self.uses(graph)
        # The outputs of affines that one node alone reads, also behind Cast and Identity.
        continuing = set()
        for node in graph.node:
            operands = [values.get(name, Value()) if name else None for name in node.input]
            for body in (a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH):
                self.walk(body, values)
            affine = self.affine(node, operands)
            if affine:
                kind, form, position = affine
                self.count.affines.append((kind, form, node.name or node.output[0]))
                if node.input[position] not in continuing:
                    self.count.runs += 1
            passes_on = node.op_type in TRANSPARENT and node.input[0] in continuing
            if (affine or passes_on) and uses[node.output[0]] == 1:
                continuing.add(node.output[0])
            if self.is_scaled_normalization(node, operands):
                self.count.normalizations.append(node.name or node.output[0])
            if self.is_filled_pad(node, operands):
                self.count.pads.append(node.name or node.output[0])
            values.update(self.outputs(node, operands))
        return self.count

    @staticmethod
    def uses(graph):
        """How often each name is read, by nodes, by their bodies and as a graph's output."""
        counts = defaultdict(int)

        def visit(graph):
            for name in itertools.chain((o.name for o in graph.output), *(node.input for node in graph.node)):
                counts[name] += 1
            for node in graph.node:
                for body in (a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH):
                    visit(body)
        visit(graph)
        return counts

    def affine(self, node, operands):
        """(kind, form, position of the data operand), or None."""
        kind = node.op_type
        if kind == "BatchNormalization":
            is_affine = not attribute(node, "training_mode", 0) and operands[0].level == DATA \
                and all(operand.level != DATA for operand in operands[1:])
            return (kind, "channel", 0) if is_affine else None
        if kind in ("Conv", "MatMul", "Gemm"):
            return self.spelled_as_product(node, operands)
        if kind in FUSED_ADDENDS:
            position, addend = FUSED_ADDENDS[kind]
            if addend >= len(operands) or not operands[addend] or operands[addend].level == DATA:
                return None
            return None if self.is_dense_bias(operands[position], operands[addend].array) \
                else (kind, form_of(operands[addend].array), position)
        if kind not in ARITHMETIC or len(operands) != 2 or None in operands:
            return None
        position = 0 if operands[0].level == DATA else 1
        value, constant = operands[position], operands[1 - position]
        if value.level != DATA or constant.level == DATA or kind == "Div" and position == 1:
            return None
        if self.types.get(node.output[0], TensorProto.FLOAT) not in FLOATS:
            return None
        form = form_of(constant.array)
        if form == "map" and kind in ("Mul", "Div"):
            return None
        return None if kind == "Add" and self.is_dense_bias(value, constant.array) else (kind, form, position)

    @staticmethod
    def is_dense_bias(value, array):
        """Whether a vector along the columns is added to a product with a constant matrix."""
        if not value.is_dense or array is None:
            return False
        return array.ndim == 0 or array.size == array.shape[-1]

    def spelled_as_product(self, node, operands):
        """A convolution of one tap a channel, or a product with a diagonal matrix: a scale by another name."""
        weight = operands[1]
        if weight is None or weight.level != CONSTANT or weight.array is None or operands[0].level != DATA:
            return None
        shape = weight.array.shape
        if node.op_type == "Conv":
            one_tap = attribute(node, "group", 1) == shape[0] > 1 and set(shape[1:]) == {1} \
                and not any(attribute(node, "pads", [])) and set(attribute(node, "strides", [1])) == {1}
            return ("Conv with one tap", "channel", 0) if one_tap else None
        is_diagonal = len(shape) == 2 and shape[0] == shape[1] > 1 \
            and numpy.count_nonzero(weight.array) == numpy.count_nonzero(numpy.diagonal(weight.array))
        return (f"{node.op_type} by a diagonal", "channel", 0) if is_diagonal else None

    @staticmethod
    def is_scaled_normalization(node, operands):
        scale, bias = NORMALIZATIONS.get(node.op_type, (None, None))

        def differs(position, neutral):
            if position is None or position >= len(operands) or operands[position] is None:
                return False
            operand = operands[position]
            return operand.level == CONSTANT and (operand.array is None or bool((operand.array != neutral).any()))
        return differs(scale, 1) or differs(bias, 0)

    @staticmethod
    def is_filled_pad(node, operands):
        if node.op_type != "Pad" or operands[0].level != DATA or len(operands) < 3 or operands[2] is None:
            return False
        value = operands[2].array
        return attribute(node, "mode", b"constant") == b"constant" \
            and (value is None or bool((numpy.isfinite(value) & (value != 0)).any()))

    def outputs(self, node, operands):
        """What is known of a node's outputs."""
        given = [o for o in operands if o is not None]
        level = max((o.level for o in given), default=CONSTANT)
        if node.op_type in ("Shape", "Size"):
            level = min(level, SHAPE)
        if node.op_type in RANDOM or any(a.type == onnx.AttributeProto.GRAPH for a in node.attribute):
            level = DATA
        arrays = self.evaluate(node, operands) if level == CONSTANT else None
        is_dense = operands[0].is_dense if node.op_type in TRANSPARENT else \
            node.op_type in ("MatMul", "FusedMatMul") and operands[1].level == CONSTANT
        return {name: Value(level, arrays[i] if arrays else None, is_dense) for i, name in enumerate(node.output) if name}

    def evaluate(self, node, operands):
        """The elements of a node of constants, or None if they cannot be computed here."""
        if any(o is not None and o.array is None for o in operands):
            return None
        feeds = {name: o.array for name, o in zip(node.input, operands) if o is not None}
        graph = onnx.helper.make_graph(
            [node], "constant", [onnx.ValueInfoProto(name=name) for name in feeds],
            [onnx.ValueInfoProto(name=name) for name in node.output if name])
        try:
            results = ReferenceEvaluator(onnx.helper.make_model(graph, opset_imports=self.opsets)).run(None, feeds)
        except Exception:  # noqa: BLE001  An operator of another domain, or one that the evaluator lacks.
            return None
        results = iter(numpy.asarray(result) for result in results)
        return [next(results) if name else None for name in node.output]


def count(model):
    """The Count of a ModelProto."""
    if model.functions:
        model = inliner.inline_local_functions(model)
    # Only for the element types; what it does not know is taken for a float.
    model = shape_inference.infer_shapes(model)
    return GraphCounter(model).walk(model.graph, {})


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--nodes", action="store_true", help="name every node")
    parser.add_argument("files", nargs="+", metavar="FILE.onnx")
    options = parser.parse_args(arguments)
    summaries = {file: count(onnx.load(file)).summary(options.nodes) for file in options.files}
    if options.json:
        print(json.dumps(summaries, indent=2))
        return 0
    for file, summary in summaries.items():
        kinds = ", ".join(f"{kind} {number}" for kind, number in summary["byKind"].items())
        print(f"{file}: {summary['affines']} affines in {summary['runs']} runs ({kinds or 'none'}); "
              f"{summary['scalars']} scalar; {summary['normalizations']} normalizations with scale or bias; "
              f"{summary['pads']} filled pads")
        for affine in summary.get("nodes", ()):
            print(f"    {affine['kind']:20} {affine['form']:8} {affine['node']}")
        for name in summary.get("normalizationNodes", ()):
            print(f"    {'(normalization)':29} {name}")
        for name in summary.get("padNodes", ()):
            print(f"    {'(filled pad)':29} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
