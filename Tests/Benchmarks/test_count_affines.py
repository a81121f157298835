"""What count_affines.py counts, on graphs written out: pytest Tests/Benchmarks"""
import numpy
import pytest
from onnx import numpy_helper, parser

import count_affines

HEADER = '<ir_version: 9, opset_import: ["": 17, "com.microsoft": 1]> g '
IMAGE = "(float[N,4,8,8] x) => (float[N,4,8,8] y) "
ROWS = "(float[N,4] x) => (float[N,4] y) "
CHOICE = "(bool c, float[N,4] x) => (float[N,4] y) "


def filled(*shape):
    return numpy.random.default_rng(0).random(shape, numpy.float32)


VECTORS = {name: filled(4) for name in "abcd"}
CHANNELS = {name: filled(4, 1, 1) for name in "ab"}
DENSE = {"w": filled(4, 4), "a": filled(4)}

# Affines, runs, scaled normalizations, and filled pads if there are any; the graph; its initializers.
CASES = {
    "a BatchNormalization": ((1, 1, 0), IMAGE + "{ y = BatchNormalization(x, a, b, c, d) }", VECTORS),
    "none in training": (
        (0, 0, 0), IMAGE + "{ y = BatchNormalization<training_mode = 1>(x, a, b, c, d) }", VECTORS),
    "a BatchNormalization spelled as Mul and Add": (
        (2, 1, 0), IMAGE + "{ t = Mul(x, a) y = Add(b, t) }", CHANNELS),
    "a run across a Cast": (
        (2, 1, 0), IMAGE + "{ t = Mul(x, a) u = Cast<to = 1>(t) y = Add(b, u) }", CHANNELS),
    "no run behind a value with two consumers": (
        (2, 2, 0), IMAGE + "{ t = Mul(x, a) u = Add(t, b) y = Add(u, t) }", CHANNELS),
    "a bias map": ((1, 1, 0), IMAGE + "{ y = Add(x, a) }", {"a": filled(4, 8, 8)}),
    "no map that scales": ((0, 0, 0), IMAGE + "{ y = Mul(x, a) }", {"a": filled(4, 8, 8)}),
    "a vector that was expanded": (
        (1, 1, 0), IMAGE + "{ y = Mul(x, a) }", {"a": numpy.tile(filled(4, 1, 1), (1, 8, 8))}),
    "a constant less the data": ((1, 1, 0), IMAGE + "{ y = Sub(a, x) }", CHANNELS),
    "no constant divided by the data": ((0, 0, 0), IMAGE + "{ y = Div(a, x) }", CHANNELS),
    "what is computed from constants": (
        (1, 1, 0), IMAGE + "{ r = Sqrt(a) s = Add(r, b) y = Mul(x, s) }", CHANNELS),
    "no map that scales and is computed": (
        (0, 0, 0), IMAGE + "{ r = Sqrt(a) y = Mul(x, r) }", {"a": filled(4, 8, 8)}),
    "no input that can be overridden": (
        (0, 0, 0), "(float[N,4,8,8] x, float[4,1,1] a) => (float[N,4,8,8] y) { y = Mul(x, a) }", CHANNELS),
    "a constant that is expanded by a shape": (
        (1, 1, 0), IMAGE + "{ s = Shape(x) e = Expand(a, s) y = Add(e, x) }", CHANNELS),
    "a BatchNormalization of constants that are tiled by a shape": (
        (1, 1, 0), IMAGE + "{ s = Shape<start = 0, end = 1>(x) e = Tile(a, s) y = BatchNormalization(x, e, b, c, d) }",
        VECTORS),
    "no arithmetic on integers": (
        (0, 0, 0), "(int64[N,4] x) => (int64[N,4] y) { y = Add(x, a) }", {"a": numpy.arange(4)}),
    "no arithmetic on shapes": (
        (0, 0, 0), IMAGE + "{ s = Shape(x) f = Cast<to = 1>(s) y = Mul(f, a) }", {"a": filled(4)}),
    "an Add behind Conv": (
        (1, 1, 0), IMAGE + "{ t = Conv(x, w) y = Add(t, a) }", {"w": filled(4, 4, 1, 1), **CHANNELS}),
    "a depthwise convolution with one tap": (
        (1, 1, 0), IMAGE + "{ y = Conv<group = 4>(x, w) }", {"w": filled(4, 1, 1, 1)}),
    "no depthwise convolution with more": (
        (0, 0, 0), IMAGE + "{ y = Conv<group = 4>(x, w) }", {"w": filled(4, 1, 3, 3)}),
    "a product with a diagonal matrix": ((1, 1, 0), ROWS + "{ y = MatMul(x, w) }", {"w": numpy.diag(filled(4))}),
    "no bias of a dense layer": ((0, 0, 0), ROWS + "{ t = MatMul(x, w) u = Cast<to = 1>(t) y = Add(a, u) }", DENSE),
    "what follows that bias": ((1, 1, 0), ROWS + "{ t = MatMul(x, w) u = Add(t, a) y = Add(u, a) }", DENSE),
    "an Add behind a product of data": ((1, 1, 0), ROWS + "{ t = MatMul(x, x) y = Add(t, a) }", DENSE),
    "an addend that was fused": ((1, 1, 0), ROWS + "{ y = com.microsoft.BiasGelu(x, a) }", DENSE),
    "no bias that was fused": ((0, 0, 0), ROWS + "{ t = MatMul(x, w) y = com.microsoft.BiasGelu(t, a) }", DENSE),
    "a layer normalization apart": ((0, 0, 1), ROWS + "{ y = LayerNormalization(x, a) }", DENSE),
    "no plain layer normalization": (
        (0, 0, 0), ROWS + "{ y = LayerNormalization(x, a) }", {"a": numpy.ones(4, numpy.float32)}),
    "a filled pad apart": (
        (0, 0, 0, 1), IMAGE + "{ y = Pad(x, p, a) }", {"p": numpy.zeros(8, numpy.int64), "a": numpy.float32([1])}),
    "no pad of zeros": (
        (0, 0, 0, 0), IMAGE + "{ y = Pad(x, p, a) }", {"p": numpy.zeros(8, numpy.int64), "a": numpy.float32([0])}),
    "a branch's nodes": ((1, 1, 0), CHOICE + """{ y = If(c) <then_branch = t () => (float[N,4] p) { p = Mul(x, a) },
        else_branch = e () => (float[N,4] q) { q = Identity(x) }> }""", DENSE),
}


@pytest.mark.parametrize("name", CASES)
def test_counts(name):
    expected, text, constants = CASES[name]
    model = parser.parse_model(HEADER + text)
    model.graph.initializer.extend(numpy_helper.from_array(array, key) for key, array in constants.items())
    count = count_affines.count(model)
    figures = (len(count.affines), count.runs, len(count.normalizations), len(count.pads))
    assert figures == (*expected, 0)[:4]
