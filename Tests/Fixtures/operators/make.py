"""Writes cases.json and cases.bin: the node test cases that the onnx package publishes, for the operators that
OperatorCatalog lists.

cases.json is a list of {name, type, opset, attributes, inputs, outputs}; an input or output is null (absent) or
{type, shape, offset} with its elements at `offset` in cases.bin, C order, little-endian. Left out are cases of more
than one node, of element types that foldserve has not (strings, sequences, 8-bit floats, 4-bit integers) and of more
than MAXIMUM_BYTES.

    pip install onnx==1.23.2 numpy && python make.py
"""

import json
import pathlib
import re
import warnings

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases

MAXIMUM_BYTES = 120_000
HERE = pathlib.Path(__file__).parent
CATALOG = HERE.parents[2] / "Sources/Graph/OperatorCatalog.swift"
ELEMENT_TYPES = {
    onnx.TensorProto.BOOL: "bool",
    onnx.TensorProto.UINT8: "uint8",
    onnx.TensorProto.UINT16: "uint16",
    onnx.TensorProto.UINT32: "uint32",
    onnx.TensorProto.UINT64: "uint64",
    onnx.TensorProto.INT8: "int8",
    onnx.TensorProto.INT16: "int16",
    onnx.TensorProto.INT32: "int32",
    onnx.TensorProto.INT64: "int64",
    onnx.TensorProto.FLOAT16: "float16",
    onnx.TensorProto.BFLOAT16: "bfloat16",
    onnx.TensorProto.FLOAT: "float32",
    onnx.TensorProto.DOUBLE: "float64",
}


class Unsupported(Exception):
    pass


def store(value, blob):
    """Appends a tensor's elements to `blob` and describes it."""
    proto = value if isinstance(value, onnx.TensorProto) else onnx.numpy_helper.from_array(np.asarray(value))
    if proto.data_type not in ELEMENT_TYPES:
        raise Unsupported(f"element type {proto.data_type}")
    data = onnx.numpy_helper.to_array(proto).tobytes()
    description = {"type": ELEMENT_TYPES[proto.data_type], "shape": list(proto.dims), "offset": len(blob)}
    blob += data
    return description


def convert_attribute(attribute, blob):
    value = onnx.helper.get_attribute_value(attribute)
    kind = onnx.AttributeProto.AttributeType.Name(attribute.type)
    if kind == "STRING":
        value = value.decode()
    elif kind == "STRINGS":
        value = [item.decode() for item in value]
    elif kind == "TENSOR":
        value = store(value, blob)
    elif kind in ("FLOAT", "FLOATS", "INT", "INTS"):
        value = list(value) if kind.endswith("S") else value
    else:
        raise Unsupported(f"attribute of kind {kind}")
    return {"kind": kind, "value": value}


def convert(case, blob):
    graph = case.model.graph
    if len(graph.node) != 1 or graph.node[0].domain not in ("", "ai.onnx") or graph.initializer:
        raise Unsupported("not one node")
    node = graph.node[0]
    opset = next(entry.version for entry in case.model.opset_import if entry.domain in ("", "ai.onnx"))
    inputs, outputs = case.data_sets[0]
    if any(isinstance(value, (list, str)) or value is None for value in [*inputs, *outputs]):
        raise Unsupported("a sequence or an optional")
    given = {port.name: value for port, value in zip(graph.input, inputs)}
    results = {port.name: value for port, value in zip(graph.output, outputs)}
    return {
        "name": case.name,
        "type": node.op_type,
        "opset": opset,
        "attributes": {item.name: convert_attribute(item, blob) for item in node.attribute},
        "inputs": [store(given[name], blob) if name else None for name in node.input],
        "outputs": [store(results[name], blob) if name else None for name in node.output],
    }


def main():
    warnings.filterwarnings("ignore")
    operators = set(re.findall(r"(\w+)\.self", CATALOG.read_text()))
    # Swift types that do not have the operator's own name.
    operators = {re.sub("Operator$", "", name) for name in operators}
    cases, blob = [], bytearray()
    for case in collect_testcases(None):
        if case.model.graph.node[0].op_type not in operators:
            continue
        part = bytearray(blob)
        try:
            converted = convert(case, part)
        except Unsupported as reason:
            print(f"{case.name}: left out, {reason}")
            continue
        if len(part) - len(blob) > MAXIMUM_BYTES:
            print(f"{case.name}: left out, {len(part) - len(blob)} bytes")
            continue
        blob = part
        cases.append(converted)
    (HERE / "cases.bin").write_bytes(blob)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n")
    print(f"{len(cases)} cases, {len(blob)} bytes")


if __name__ == "__main__":
    main()
