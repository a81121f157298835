"""The form in which random.json and random.bin hold cases.

The JSON file is a list of {name, type, opset, attributes, inputs, outputs}; an input or output is null (absent) or
{type, shape, offset} with its elements at `offset` in the binary file, C order, little-endian.
"""

import numpy as np
import onnx

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
