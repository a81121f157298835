"""What the files of cases share."""
import numpy
from onnx import TensorProto, helper, numpy_helper

CASES = {}
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
node, graph = helper.make_node, helper.make_graph


def case(function):
    """Registers a function that takes a random generator and returns a model and its inputs."""
    CASES[function.__name__] = function
    return function


def info(name, dims, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, dims)


def tensor(name, array, dtype=numpy.float32):
    return numpy_helper.from_array(numpy.asarray(array, dtype), name)


def draw(random, *shape):
    return random.uniform(-1, 1, shape).astype(numpy.float32)


def model(nodes, inputs, outputs, initializers=(), opset=17, ir_version=8, functions=(), domains=(), **more):
    made = helper.make_model(
        graph(nodes, "dialect", inputs, outputs, list(initializers), **more),
        opset_imports=[helper.make_opsetid("", opset), *(helper.make_opsetid(name, 1) for name in domains)],
        functions=list(functions))
    made.ir_version, made.producer_name = ir_version, "foldserve fixtures"
    return made
