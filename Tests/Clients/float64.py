"""ONNX files evaluated in Float64 by ONNX's reference evaluator: the judge of what Float32 and folding lose.

Every floating tensor of the file becomes Float64, its value kept. The operators below are the reference's own by another
way: it walks windows and groups in Python, and knows no groups in ConvTranspose.
"""
import functools

import numpy
import onnx
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

FLOATING = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)


class Judge:
    """A file's outputs by name, for inputs by name."""

    def __init__(self, path):
        model = onnx.load(path)
        widen(model.graph)
        for function in model.functions:
            widen_nodes(function.node)
        self.names = [port.name for port in model.graph.output]
        self.evaluator = ReferenceEvaluator(model, new_ops=[AveragePool, Conv, ConvTranspose, MaxPool])

    def __call__(self, feeds):
        feeds = {name: x.astype(numpy.float64) if x.dtype.kind == "f" else x for name, x in feeds.items()}
        with numpy.errstate(all="ignore"):
            outputs = self.evaluator.run(None, feeds)
        for name, output in zip(self.names, outputs, strict=True):
            assert output.dtype.kind != "f" or output.dtype == numpy.float64, f"{name} is {output.dtype}"
        return dict(zip(self.names, outputs))


def widen(graph):
    for tensor in graph.initializer:
        widen_tensor(tensor)
    for port in [*graph.input, *graph.output]:
        if port.type.tensor_type.elem_type in FLOATING:
            port.type.tensor_type.elem_type = TensorProto.DOUBLE
    del graph.value_info[:]
    widen_nodes(graph.node)


def widen_nodes(nodes):
    for node in nodes:
        for attribute in node.attribute:
            widen_attribute(node, attribute)


def widen_attribute(node, attribute):
    if attribute.type == onnx.AttributeProto.TENSOR:
        widen_tensor(attribute.t)
    elif attribute.type == onnx.AttributeProto.GRAPH:
        widen(attribute.g)
    elif node.op_type == "Cast" and attribute.name == "to" and attribute.i in FLOATING:
        attribute.i = TensorProto.DOUBLE
    elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
        values = attribute.f if attribute.name == "value_float" else list(attribute.floats)
        tensor = numpy_helper.from_array(numpy.array(values, numpy.float64))
        attribute.CopyFrom(onnx.helper.make_attribute("value", tensor))


def widen_tensor(tensor):
    if tensor.data_type in FLOATING:
        values = numpy_helper.to_array(tensor).astype(numpy.float64)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def windows(extents, kernel, strides, dilations):
    """For each tap its index and the strided slices at which `extents` many windows see it."""
    for tap in numpy.ndindex(*kernel):
        starts = [t * d for t, d in zip(tap, dilations)]
        yield tap, tuple(slice(s, s + (n - 1) * step + 1, step) for s, n, step in zip(starts, extents, strides))


def geometry(rank, kernel, auto_pad, strides, dilations, pads):
    assert auto_pad in ("NOTSET", None), f"auto_pad is {auto_pad}"
    ones = [1] * rank
    return list(kernel), list(strides or ones), list(dilations or ones), list(pads or [0] * (2 * rank))


def padded(x, pads, fill):
    rank = len(pads) // 2
    widths = [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:])]
    return numpy.pad(x, widths, constant_values=fill)


def window_counts(x, kernel, strides, dilations):
    return [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, strides, dilations)]


def by_tap(weight):
    """The kernel's axes first, so that a tap is a matrix."""
    return numpy.ascontiguousarray(numpy.moveaxis(weight, (0, 1), (-2, -1)))


def multiply(weight, x):
    """weight [groups, outputs, inputs] times x [N, groups, inputs, positions]."""
    return weight * x if weight.shape[2] == 1 else weight @ x


class Conv(OpRun):
    op_domain = ""

    def _run(self, x, weight, bias=None, auto_pad=None, dilations=None, group=None, kernel_shape=None, pads=None,
             strides=None):
        kernel, strides, dilations, pads = geometry(x.ndim - 2, weight.shape[2:], auto_pad, strides, dilations, pads)
        x, group = padded(x, pads, 0), group or 1
        count, outputs, extents = len(x), len(weight), window_counts(x, kernel, strides, dilations)
        y, weight = numpy.zeros((count, group, outputs // group, numpy.prod(extents, dtype=int))), by_tap(weight)
        for tap, at in windows(extents, kernel, strides, dilations):
            part = weight[tap].reshape(group, outputs // group, -1)
            y += multiply(part, x[(..., *at)].reshape(count, group, part.shape[2], -1))
        y = y.reshape(count, outputs, *extents)
        return (y if bias is None else y + bias.reshape(-1, *[1] * len(extents)),)


class ConvTranspose(OpRun):
    op_domain = ""

    def _run(self, x, weight, bias=None, auto_pad=None, dilations=None, group=None, kernel_shape=None,
             output_padding=None, output_shape=None, pads=None, strides=None):
        assert not output_shape
        extents, group = x.shape[2:], group or 1
        rank, count, outputs = len(extents), len(x), weight.shape[1]
        kernel, strides, dilations, pads = geometry(rank, weight.shape[2:], auto_pad, strides, dilations, pads)
        more = list(output_padding or [0] * rank)
        whole = [(n - 1) * s + (k - 1) * d + 1 + m for n, s, k, d, m in zip(extents, strides, kernel, dilations, more)]
        y, weight = numpy.zeros((count, group * outputs, *whole)), by_tap(weight)
        x = x.reshape(count, group, x.shape[1] // group, -1)
        for tap, at in windows(extents, kernel, strides, dilations):
            part = weight[tap].reshape(group, -1, outputs).swapaxes(1, 2)
            y[(..., *at)] += multiply(part, x).reshape(count, group * outputs, *extents)
        y = y[(..., *(slice(a, n - b) for n, a, b in zip(whole, pads[:rank], pads[rank:])))]
        return (y if bias is None else y + bias.reshape(-1, *[1] * rank),)


def pool(x, fill, combine, kernel_shape, auto_pad, ceil_mode, strides, dilations, pads):
    assert not ceil_mode
    kernel, strides, dilations, pads = geometry(x.ndim - 2, kernel_shape, auto_pad, strides, dilations, pads)
    x = padded(x, pads, fill)
    extents = window_counts(x, kernel, strides, dilations)
    return functools.reduce(combine, (x[(..., *at)] for _, at in windows(extents, kernel, strides, dilations)))


class MaxPool(OpRun):
    op_domain = ""

    def _run(self, x, auto_pad=None, ceil_mode=None, dilations=None, kernel_shape=None, pads=None, storage_order=None,
             strides=None):
        return (pool(x, -numpy.inf, numpy.maximum, kernel_shape, auto_pad, ceil_mode, strides, dilations, pads),)


class AveragePool(OpRun):
    op_domain = ""

    def _run(self, x, auto_pad=None, ceil_mode=None, count_include_pad=None, dilations=None, kernel_shape=None, pads=None,
             strides=None):
        options = kernel_shape, auto_pad, ceil_mode, strides, dilations, pads
        sums = pool(x, 0, numpy.add, *options)
        return (sums / pool(numpy.ones_like(x), count_include_pad or 0, numpy.add, *options),)
