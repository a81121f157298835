"""A small builder of ONNX models, and their answers in Float64 by onnx's reference evaluator."""
import zlib
from pathlib import Path

import numpy
from onnx import AttributeProto, TensorProto, checker, external_data_helper, helper, numpy_helper, save_model
from onnx.reference import ReferenceEvaluator

from conv_transpose import ConvTranspose

FOLDER = Path(__file__).resolve().parent
CASES = {}
TO_DOUBLE = {TensorProto.FLOAT: TensorProto.DOUBLE, TensorProto.FLOAT16: TensorProto.DOUBLE}


def case(about, golden=True, **expected):
    """Registers a function that fills a Network; `expected`: node name to expectation."""
    def register(function):
        CASES[function.__name__] = (function, about, golden, expected)
        return function
    return register


class Network:
    """Collects nodes and tensors; `feeds` are the golden inputs."""

    def __init__(self, name, opset=17, ir_version=8):
        self.name, self.opset, self.ir_version = name, opset, ir_version
        self.random = numpy.random.default_rng(zlib.crc32(name.encode()))
        self.nodes, self.initializers, self.inputs, self.outputs, self.feeds = [], [], [], [], {}

    def draw(self, *shape, dtype=numpy.float32):
        return self.random.uniform(-1, 1, shape).astype(dtype)

    def input(self, name, shape, dims=None, dtype=numpy.float32):
        """Declares an input with `dims` (None: unnamed, a string: symbolic) and draws one of `shape`."""
        self.feeds[name] = self.draw(*shape, dtype=dtype)
        self.inputs.append(value_info(name, dims if dims is not None else list(shape), dtype))
        return name

    def output(self, name, dims, dtype=numpy.float32):
        self.outputs.append(value_info(name, dims, dtype))

    def tensor(self, name, array):
        self.initializers.append(numpy_helper.from_array(numpy.asarray(array), name))
        return name

    def node(self, operator, inputs, output, name=None, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name or output, **attributes))
        return output

    def conv(self, source, output, input_channels, output_channels, kernel=(3, 3), name="conv", **attributes):
        weight = self.tensor(f"{name}.weight", self.draw(output_channels, input_channels, *kernel))
        bias = self.tensor(f"{name}.bias", self.draw(output_channels))
        attributes["kernel_shape"] = list(kernel)
        return self.node("Conv", [source, weight, bias], output, name, **attributes)

    def norm_values(self, channels):
        """Scale, some negative; bias; mean; variance between 0.3 and 1.7."""
        scale = self.draw(channels) * 1.5
        return scale, self.draw(channels), self.draw(channels), self.draw(channels) * numpy.float32(0.7) + 1

    def norm(self, source, output, channels, name="norm", values=None, **attributes):
        parts = zip(("scale", "bias", "mean", "variance"), values or self.norm_values(channels), strict=True)
        inputs = [source] + [self.tensor(f"{name}.{part}", value) for part, value in parts]
        return self.node("BatchNormalization", inputs, output, name, **attributes)

    def model(self):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version, model.producer_name = self.ir_version, "foldserve fixtures"
        return model


def value_info(name, dims, dtype):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(numpy.dtype(dtype)), dims)


def in_double(model, folder):
    """The same model with every floating tensor, declared type and Cast widened to Float64."""
    wide = type(model)()
    wide.CopyFrom(model)
    external_data_helper.load_external_data_for_model(wide, str(folder))
    # The evaluator's older BatchNormalizations fail or blend in the batch; 15 is the same in inference.
    wide.opset_import[0].version = max(wide.opset_import[0].version, 15)
    for tensor in wide.graph.initializer:
        widen(tensor)
    for value in [*wide.graph.input, *wide.graph.output]:
        kind = value.type.tensor_type
        kind.elem_type = TO_DOUBLE.get(kind.elem_type, kind.elem_type)
    for attribute in (attribute for node in wide.graph.node for attribute in node.attribute):
        if attribute.type == AttributeProto.TENSOR:
            widen(attribute.t)
        elif attribute.name == "to":
            attribute.i = TO_DOUBLE.get(attribute.i, attribute.i)
        elif attribute.name == "value_floats":
            values = numpy.array(attribute.floats, numpy.float64)
            attribute.CopyFrom(helper.make_attribute("value", numpy_helper.from_array(values)))
    return wide


def widen(tensor):
    if tensor.data_type in TO_DOUBLE:
        values = numpy_helper.to_array(tensor).astype(numpy.float64)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def write(model, feeds, folder, golden=True):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, str(folder / "model.onnx"))
    checker.check_model(str(folder / "model.onnx"))
    if not golden:
        return
    evaluator = ReferenceEvaluator(in_double(model, folder), new_ops=[ConvTranspose])
    outputs = evaluator.run(None, {name: value.astype(numpy.float64) for name, value in feeds.items()})
    (folder / "golden").mkdir(exist_ok=True)
    for name, value in [*feeds.items(), *zip(evaluator.output_names, outputs, strict=True)]:
        numpy.save(folder / "golden" / f"{name}.npy", value)
