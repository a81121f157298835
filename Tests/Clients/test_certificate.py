"""Folded files with their certificates: `verify`, ONNX Runtime and check_certificate.py agree that they are right, and
refuse each when something in them is made wrong."""
import json
import subprocess
import sys

import numpy
import onnx
import pytest
from onnx import helper, numpy_helper

import networks
from command import DATA, ROOT, run
from test_onnxruntime import TOLERANCE, reference

CHECKER = ROOT / "Tests" / "check_certificate.py"


class Builder:
    """Chains nodes with random parameters; each method returns the name of what its node makes."""

    def __init__(self, seed):
        self.random = numpy.random.default_rng(seed)
        self.nodes, self.constants = [], {}

    def constant(self, *shape, low=None):
        name = f"c{len(self.constants)}"
        values = self.random.standard_normal(shape) if low is None else self.random.uniform(low, 2, shape)
        self.constants[name] = values.astype(numpy.float32)
        return name

    def node(self, type, *inputs, **attributes):
        name = f"{type}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(type, inputs, [f"{name}_out"], name=name, **attributes))
        return f"{name}_out"

    def norm(self, value, channels):
        parameters = [self.constant(channels) for _ in range(3)]
        return self.node("BatchNormalization", value, *parameters, self.constant(channels, low=0.2))

    def model(self, output, shape):
        ports = [helper.make_tensor_value_info("x", 1, shape)]
        outputs = [helper.make_tensor_value_info(output, 1, None)]
        tensors = [numpy_helper.from_array(values, name) for name, values in self.constants.items()]
        graph = helper.make_graph(self.nodes, "random", ports, outputs, tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def stack(build):
    """Groups, strides, dilations, copies, a transposed convolution and a dense end."""
    value = build.node("Conv", "x", build.constant(8, 2, 3, 3), build.constant(8), group=2, pads=[1, 1, 1, 1])
    value = build.node("Dropout", build.node("Relu", build.norm(build.node("Identity", value), 8)))
    weight = build.constant(8, 3, 3, 2)
    value = build.node("ConvTranspose", value, weight, group=2, strides=[2, 1], pads=[1, 0, 0, 1])
    value = build.node("Relu", build.norm(value, 6))
    value = build.node("Conv", value, build.constant(6, 1, 3, 3), group=6, dilations=[2, 1], strides=[2, 2])
    value = build.node("GlobalAveragePool", build.node("Relu", build.norm(value, 6)))
    weight = build.constant(5, 6)
    value = build.node("Gemm", build.node("Flatten", value), weight, build.constant(5), transB=1, alpha=0.5, beta=2.0)
    return build.model(build.norm(value, 5), ["N", 4, 9, 8])


def dense(build):
    """A normalization before a product, and products with square weights."""
    value = build.node("Gemm", build.norm("x", 6), build.constant(6, 6), build.constant(6))
    value = build.node("Relu", build.norm(value, 6))
    value = build.node("Add", build.node("MatMul", value, build.constant(6, 6)), build.constant(6))
    return build.model(build.norm(value, 6), ["N", 6])


def forward(build):
    """Normalizations before convolutions, padded and not, a residual and a concatenation."""
    value = build.node("Conv", build.norm("x", 3), build.constant(4, 3, 3, 3), build.constant(4))
    first = build.node("Relu", value)
    value = build.node("Conv", build.norm(first, 4), build.constant(4, 4, 3, 3), pads=[1, 1, 1, 1])
    value = build.node("Add", build.node("Relu", build.norm(value, 4)), first)
    value = build.node("Concat", value, first, axis=1)
    return build.model(build.node("Conv", value, build.constant(2, 8, 1, 1), build.constant(2)), ["N", 3, 10, 10])


RANDOM = (stack, dense, forward)


class Folded:
    """A model, what `fold` makes of it, and the report."""

    def __init__(self, path, folder):
        self.path, self.out, self.report = path, folder / "out.onnx", folder / "report.json"
        completed = run("fold", path, "-o", self.out, "--report", self.report)
        assert completed.status == 0, completed.errors
        self.certificate = json.loads(self.report.read_text())["certificate"]

    def verify(self, out=None):
        return run("verify", self.path, out or self.out)

    def check(self, out=None, report=None):
        return subprocess.run(
            [sys.executable, CHECKER, self.path, out or self.out, report or self.report], capture_output=True, text=True)


@pytest.fixture(scope="module")
def folds(tmp_path_factory):
    """Folds each model once."""
    known = {}

    def fold(model):
        name = model.__name__ if model in RANDOM else model.name
        if name not in known:
            folder = tmp_path_factory.mktemp(name)
            path = folder / "model.onnx"
            if model in RANDOM:
                onnx.save(model(Builder(RANDOM.index(model))), path)
            known[name] = Folded(path if model in RANDOM else model.path, folder)
        return known[name]
    return fold


def inputs(folded):
    (port,) = onnx.load(folded.path).graph.input
    shape = [dimension.dim_value or 3 for dimension in port.type.tensor_type.shape.dim]
    return {port.name: numpy.random.default_rng(7).standard_normal(shape).astype(numpy.float32)}


@pytest.mark.parametrize("model", [*networks.NETWORKS, *RANDOM], ids=lambda m: getattr(m, "__name__", str(m)))
def test_a_folded_file_is_right_three_ways(model, folds):
    folded = folds(model)
    feeds = inputs(folded) if model in RANDOM else model.inputs
    actual = reference(folded.out, feeds)
    for name, expected in reference(folded.path, feeds).items():
        networks.assert_close(actual[name], expected, TOLERANCE, name)
    verified, checked = folded.verify(), folded.check()
    assert verified.status == 0 and "proven" in verified.output, verified.errors
    assert checked.returncode == 0 and "checked" in checked.stdout, checked.stderr
    if model in RANDOM:
        assert folded.certificate["pieces"], "something is to be proven"


# What is wrong


def target(model, folded, types):
    """The first node of the folded file that is of a changed piece, with its weight."""
    changed = {name for piece in folded.certificate["pieces"] for name in piece["nodesAfter"]}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    node = next(n for n in model.graph.node if n.op_type in types and n.name in changed and n.input[1] in constants)
    return node, constants[node.input[1]]


def rewrite(tensor, change):
    values = numpy_helper.to_array(tensor).copy()
    tensor.CopyFrom(numpy_helper.from_array(change(values), tensor.name))


def perturb(node, weight, _):
    def change(values):
        values.flat[numpy.flatnonzero(values)[-1]] *= 1.001
        return values
    rewrite(weight, change)


def drop_bias(node, *_):
    assert len(node.input) == 3
    del node.input[2]


def flip_sign(node, weight, _):
    rewrite(weight, lambda values: numpy.concatenate([-values[:1], values[1:]]))


def swap_channels(node, weight, _):
    rewrite(weight, lambda values: values[[1, 0, *range(2, len(values))]])


def shift_pads(node, *_):
    pads = next(attribute for attribute in node.attribute if attribute.name == "pads")
    half = len(pads.ints) // 2
    pads.ints[0], pads.ints[half] = pads.ints[0] - 1, pads.ints[half] + 1


MUTANTS = [
    *((stack, "Conv", mutation) for mutation in (perturb, drop_bias, flip_sign, swap_channels, shift_pads)),
    *((stack, "ConvTranspose", mutation) for mutation in (perturb, drop_bias, flip_sign, swap_channels, shift_pads)),
    *((stack, "Gemm", mutation) for mutation in (perturb, drop_bias, swap_channels)),
    *((dense, "Gemm", mutation) for mutation in (perturb, drop_bias, flip_sign, swap_channels)),
    *((forward, "Conv", mutation) for mutation in (perturb, flip_sign, swap_channels)),
]


@pytest.mark.parametrize("model, type, mutation", MUTANTS, ids=lambda x: getattr(x, "__name__", str(x)))
def test_a_wrong_file_is_refused_by_both(model, type, mutation, folds, tmp_path):
    folded = folds(model)
    mutant = onnx.load(folded.out)
    node, weight = target(mutant, folded, {type})
    mutation(node, weight, mutant)
    path = tmp_path / "out.onnx"
    onnx.save(mutant, path)
    verified, checked = folded.verify(path), folded.check(out=path)
    assert verified.status == DATA, verified.output
    if mutation is not drop_bias:
        assert node.name in verified.errors
    assert checked.returncode == 1 and "WRONG" in checked.stderr, checked.stdout + checked.stderr


def shrink_error(piece, _):
    piece["coefficients"][0]["relativeError"] /= 8


def shrink_bias_error(piece, _):
    piece["shiftError"] = 0


def scale_factors(piece, _):
    factors = piece["coefficients"][0]["rowFactors"]
    factors[0], factors[1] = factors[1], factors[0]


def claim_other_nodes(piece, _):
    piece["nodesBefore"].pop()


def claim_other_inputs(piece, _):
    piece["inputs"] = ["elsewhere"]


def remove(piece, certificate):
    certificate["pieces"].remove(piece)


@pytest.mark.parametrize(
    "change", [shrink_error, shrink_bias_error, scale_factors, claim_other_nodes, claim_other_inputs, remove],
    ids=lambda change: change.__name__)
def test_a_wrong_certificate_is_refused(change, folds, tmp_path):
    folded = folds(stack)
    certificate = json.loads(json.dumps(folded.certificate))
    change(next(piece for piece in certificate["pieces"] if "Conv_0" in piece["nodesAfter"]), certificate)
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"certificate": certificate}))
    checked = folded.check(report=path)
    assert checked.returncode == 1 and "WRONG" in checked.stderr, checked.stdout + checked.stderr


def test_a_certificate_of_another_file_is_refused(folds):
    assert folds(dense).check(report=folds(stack).report).returncode == 1
    assert folds(dense).check(out=folds(stack).out).returncode == 1
