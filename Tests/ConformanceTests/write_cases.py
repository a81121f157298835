"""Writes the ONNX project's backend tests as folders, and says of each test what it needs.

    python write_cases.py OUTPUT TESTDATA

TESTDATA is the data folder of Debian's libonnx-testdata, which is used where it lies. OUTPUT gets the node tests that the
onnx package generates (`node/`), its light networks (`light/`) and index.json, a list of

    {"set", "name", "folder", "rtol", "atol", "operators": [...], "outside": [...], "multiplications"}

`operators` are the types of the nodes, those of subgraphs included; `multiplications` counts those of convolutions and
dense layers. `outside` says why a runtime for numbers in default
domains' operators may refuse the test; it is worked out from the file and the operators' schemas, with nothing of
foldserve. Nothing is written when OUTPUT is of this script, onnx version and TESTDATA already.
"""

import hashlib
import importlib.metadata
import json
import math
import pathlib
import shutil
import sys
import warnings

# The tolerance of the ONNX project's own backend runner.
RTOL, ATOL = 1e-3, 1e-7
OPSETS = range(7, 27)
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
# A test of an operator has fewer nodes.
SMALLEST_NETWORK = 15
STORED_SETS = ["node", "pytorch-converted", "pytorch-operator", "simple"]


def main():
    output, testdata = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    stamp = output / "stamp"
    key = "\n".join([
        hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest(),
        importlib.metadata.version("onnx"),
        f"{testdata} {testdata.stat().st_ctime}",
    ])
    if stamp.exists() and stamp.read_text() == key:
        return
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    warnings.filterwarnings("ignore")
    cases = []
    for name in STORED_SETS:
        cases += stored_cases(testdata / name, f"libonnx-testdata {name}")
    cases += node_cases(output / "node", "onnx node")
    cases += light_cases(output / "light", "onnx light")
    (output / "index.json").write_text(json.dumps(cases, indent=0))
    stamp.write_text(key)


def stored_cases(folder, set_name):
    """The tests in `folder`, as they are."""
    import onnx

    for path in sorted(folder.iterdir()):
        data = path / "data.json"
        tolerances = json.loads(data.read_text()) if data.exists() else {}
        yield describe(set_name, path, onnx.load(path / "model.onnx"), path / "test_data_set_0", tolerances)


def node_cases(folder, set_name):
    """The tests of single operators, as the onnx package makes them."""
    import onnx.backend.test.case.node

    for case in onnx.backend.test.case.node.collect_testcases(None):
        path = folder / case.name
        path.mkdir(parents=True)
        (path / "model.onnx").write_bytes(case.model.SerializeToString())
        for index, (inputs, outputs) in enumerate(case.data_sets):
            data = path / f"test_data_set_{index}"
            data.mkdir()
            for role, ports, values in [
                ("input", case.model.graph.input, inputs), ("output", case.model.graph.output, outputs),
            ]:
                for number, (port, value) in enumerate(zip(ports, values, strict=True)):
                    (data / f"{role}_{number}.pb").write_bytes(encode(port, value))
        tolerances = {"rtol": case.rtol, "atol": case.atol}
        yield describe(set_name, path, case.model, path / "test_data_set_0", tolerances)


def light_cases(folder, set_name):
    """Whole networks with constant weights: the package has the outputs, for the inputs of its own runner."""
    import onnx
    from onnx.backend.test.runner import Runner

    source = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"
    for model_file in sorted(source.glob("*.onnx")):
        model = onnx.load(model_file)
        path = folder / model_file.stem
        data = path / "test_data_set_0"
        data.mkdir(parents=True)
        shutil.copy(model_file, path / "model.onnx")
        initializers = {tensor.name for tensor in model.graph.initializer}
        inputs = [port for port in model.graph.input if port.name not in initializers]
        for number, port in enumerate(inputs):
            (data / f"input_{number}.pb").write_bytes(encode(port, Runner.generate_dummy_data(port)))
        for number in range(len(model.graph.output)):
            shutil.copy(source / f"{model_file.stem}_output_{number}.pb", data / f"output_{number}.pb")
        yield describe(set_name, path, model, data, {})


def encode(port, value):
    """The protobuf message of a value: a tensor, or what the port's type says."""
    import onnx

    if isinstance(value, onnx.TensorProto):
        return value.SerializeToString()
    encoders = {
        "tensor_type": onnx.numpy_helper.from_array,
        "sequence_type": onnx.numpy_helper.from_list,
        "optional_type": onnx.numpy_helper.from_optional,
        "map_type": onnx.numpy_helper.from_dict,
    }
    return encoders[port.type.WhichOneof("value")](value, port.name).SerializeToString()


def describe(set_name, path, model, data, tolerances):
    nodes = list(all_nodes(model.graph))
    return {
        "set": set_name,
        "name": path.name,
        "folder": str(path),
        "rtol": tolerances.get("rtol", RTOL),
        "atol": tolerances.get("atol", ATOL),
        "operators": sorted({qualified(node) for node in nodes}),
        "outside": list(dict.fromkeys(reasons(model, nodes, data))),
        "multiplications": multiplications(model),
    }


def multiplications(model):
    """What one run of the model's convolutions and dense layers multiplies."""
    import onnx

    if len(model.graph.node) < SMALLEST_NETWORK:
        return 0
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {tensor.name: tensor.dims for tensor in graph.initializer}
    for port in [*graph.input, *graph.value_info, *graph.output]:
        shapes[port.name] = [dimension.dim_value for dimension in port.type.tensor_type.shape.dim]
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            total += math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])
        elif node.op_type == "Gemm":
            total += math.prod(shapes[node.input[1]])
    return total


def qualified(node):
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def all_nodes(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from all_nodes(inner)


def reasons(model, nodes, data):
    """Why a runtime may refuse the model, none for most."""
    import onnx

    for opset in model.opset_import:
        if opset.domain not in ("", "ai.onnx"):
            yield f"domain {opset.domain}"
        elif opset.version not in OPSETS:
            yield f"operator set {opset.version}"
    for node in nodes:
        # It ran batches, and was another operator one set later.
        if node.op_type == "Scan" and any(opset.version == 8 for opset in model.opset_import):
            yield "operator Scan of set 8"
        if node.op_type in RANDOM:
            yield "random numbers"
        if is_training(model, node, data):
            yield "training mode"
    try:
        inferred = onnx.shape_inference.infer_shapes(model).graph
    except Exception:  # Inference is stricter than the tests.
        inferred = model.graph
    for port in [*inferred.input, *inferred.output, *inferred.value_info]:
        yield from type_reasons(port.type)
    tensors = list(model.graph.initializer)
    for node in nodes:
        for attribute in node.attribute:
            tensors += [attribute.t] if attribute.HasField("t") else attribute.tensors
            if node.op_type in ("Cast", "QuantizeLinear") and attribute.name in ("to", "output_dtype"):
                yield from element_reasons(attribute.i)
    for tensor in tensors:
        yield from element_reasons(tensor.data_type)


def type_reasons(type_proto):
    kind = type_proto.WhichOneof("value")
    if kind == "tensor_type":
        yield from element_reasons(type_proto.tensor_type.elem_type)
    elif kind is not None:
        yield {"sequence_type": "sequences", "optional_type": "optionals", "map_type": "maps"}.get(kind, kind)


def element_reasons(number):
    """Strings, and the element types that NumPy does not have."""
    import onnx

    name = onnx.TensorProto.DataType.Name(number).lower()
    if name == "string":
        yield "strings"
    elif name.startswith(("bfloat", "float4", "float6", "float8", "int2", "int4", "uint2", "uint4", "complex")):
        yield f"element type {name}"


def is_training(model, node, data):
    """Whether a node normalizes with the batch's own moments, or drops elements."""
    import onnx

    if node.op_type == "BatchNormalization":
        return any(attribute.name == "training_mode" and attribute.i for attribute in node.attribute)
    if node.op_type != "Dropout" or len(node.input) < 3:
        return False
    names = [port.name for port in model.graph.input]
    if node.input[2] not in names:
        return False
    tensor = onnx.TensorProto.FromString((data / f"input_{names.index(node.input[2])}.pb").read_bytes())
    return bool(onnx.numpy_helper.to_array(tensor))


if __name__ == "__main__":
    main()
