"""What OpenVINO's CPU plugin computes after all its transformations, as an ONNX graph that count_affines.py can read.

The blob that a compiled model exports holds the transformed graph as OpenVINO's own XML; a cache codec that changes nothing
shows it. The ONNX graph is a skeleton to count in, not to run: Multiply, Add, Subtract, Divide and MatMul become their ONNX
namesakes, constants become initializers, and every other layer keeps its type in the domain `openvino`. Two things are
translated so that the definition of an affine fits:
- OpenVINO's convolutions have no bias, so the first Add of a vector along the channels behind one is its bias.
- PowerStatic with power 1, x·scale + shift, becomes a Mul or Add by a scalar (both if both are there).
Snippets are off, for they only put elementwise layers into subgraphs, where these would be hidden. An affine that the
plugin runs as the end of another kernel (a post-operation) is still computed, and counts.
"""
import struct
from xml.etree import ElementTree

import numpy
import onnx
from onnx import helper, numpy_helper

NAMES = {"Multiply": "Mul", "Add": "Add", "Subtract": "Sub", "Divide": "Div", "MatMul": "MatMul", "ShapeOf": "Shape",
         "FullyConnected": "Gemm"}
CONVOLUTIONS = {"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData"}
TYPES = {"f32": numpy.float32, "f16": numpy.float16, "f64": numpy.float64, "i64": numpy.int64, "i32": numpy.int32,
         "i8": numpy.int8, "u8": numpy.uint8, "boolean": numpy.bool_}


def compiled(network):
    """The graph that the CPU plugin made of the network, and the outputs."""
    import openvino
    texts = []

    def keep(text):
        texts.append(text)
        return text
    model = openvino.Core().compile_model(str(network.path), "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "SNIPPETS_MODE": "DISABLE",
        "CACHE_ENCRYPTION_CALLBACKS": [keep, lambda text: text]})
    outputs = {port.get_any_name(): values for port, values in model(network.inputs).items()}
    blob = bytes(model.export_model().getvalue())
    return skeleton(ElementTree.fromstring(texts[-1]), constants(blob, texts[-1])), outputs


def constants(blob, text):
    """The blob's bytes of constants: behind a magic of 8 bytes, a version and the metadata come six offsets and sizes."""
    (metadata_size,) = struct.unpack_from("<Q", blob, 12)
    start = 20 + metadata_size
    _, _, offset, size, text_offset, text_size = struct.unpack_from("<6Q", blob, start)
    if blob[start + text_offset:start + text_offset + text_size] != text:
        raise ValueError("OpenVINO's blob has another layout")
    return blob[start + offset:start + offset + size]


def skeleton(root, bytes_of_constants):
    sources = {(edge.get("to-layer"), edge.get("to-port")): f'{edge.get("from-layer")}:{edge.get("from-port")}'
               for edge in root.find("edges")}
    nodes, initializers, inputs, outputs = [], [], [], []
    for layer in root.find("layers"):
        if layer.find("body") is not None:
            raise ValueError(f"OpenVINO's {layer.get('type')} has a body, in which nothing is counted")
        identifier, kind, data = layer.get("id"), layer.get("type"), layer.find("data")
        read = [sources[identifier, port.get("id")] for port in layer.findall("input/port")
                if (identifier, port.get("id")) in sources]
        made = [f'{identifier}:{port.get("id")}' for port in layer.findall("output/port")]
        if kind == "Const":
            initializers.append(numpy_helper.from_array(elements(data, bytes_of_constants), made[0]))
        elif kind == "Parameter":
            inputs.append(onnx.ValueInfoProto(name=made[0]))
        elif kind == "Result":
            outputs.append(onnx.ValueInfoProto(name=read[0]))
        elif kind == "PowerStatic" and float(data.get("power")) == 1:
            nodes += scale_and_shift(layer.get("name"), data, read, made, initializers)
        else:
            domain = "" if kind in NAMES else "openvino"
            nodes.append(helper.make_node(NAMES.get(kind, kind), read, made, name=layer.get("name"), domain=domain))
    graph = helper.make_graph(ordered(nodes, initializers, inputs), "openvino", inputs, outputs, initializers)
    take_biases(graph)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("openvino", 1)])


def elements(data, bytes_of_constants):
    shape = [int(extent) for extent in data.get("shape").split(",") if extent.strip()]
    dtype = TYPES.get(data.get("element_type"))
    if dtype is None:
        return numpy.zeros(0, numpy.int64)
    count = int(numpy.prod(shape, dtype=numpy.int64))
    return numpy.frombuffer(bytes_of_constants, dtype, count, int(data.get("offset"))).reshape(shape)


def scale_and_shift(name, data, read, made, initializers):
    steps = [("Mul", float(data.get("scale")), 1.0), ("Add", float(data.get("shift")), 0.0)]
    steps = [(kind, value) for kind, value, neutral in steps if value != neutral]
    nodes, value_name = [], read[0]
    for position, (kind, value) in enumerate(steps):
        constant = f"{made[0]}/{kind}"
        initializers.append(numpy_helper.from_array(numpy.float32(value), constant))
        result = made[0] if position == len(steps) - 1 else f"{made[0]}/scaled"
        nodes.append(helper.make_node(kind, [value_name, constant], [result], name=name))
        value_name = result
    return nodes or [helper.make_node("Identity", read[:1], made, name=name)]


def ordered(nodes, initializers, inputs):
    """The nodes, each behind those that it reads: OpenVINO numbers layers in another order."""
    known, result = {value.name for value in (*initializers, *inputs)}, []
    while nodes:
        ready = [node for node in nodes if known.issuperset(node.input)]
        if not ready:
            raise ValueError("OpenVINO's graph has a cycle")
        result += ready
        known.update(name for node in ready for name in node.output)
        nodes = [node for node in nodes if not known.issuperset(node.output)]
    return result


def take_biases(graph):
    """Gives each convolution the Add behind it, where that is a vector along the channels and its only consumer."""
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    consumers = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    for node in [node for node in graph.node if node.op_type in CONVOLUTIONS]:
        following = consumers.get(node.output[0], [])
        if len(following) != 1 or following[0].op_type != "Add":
            continue
        (constant,) = [name for name in following[0].input if name != node.output[0]] or [None]
        shape = shapes.get(constant)
        if shape is not None and len(shape) > 1 and all(extent == 1 for axis, extent in enumerate(shape) if axis != 1):
            node.input.append(constant)
            node.output[0] = following[0].output[0]
            graph.node.remove(following[0])
