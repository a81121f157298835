"""How files store weights, compute them, and name and declare values."""
import numpy
from onnx import TensorProto, helper, numpy_helper

from cases import FLOAT, INT64, case, draw, info, model, node, tensor


def sparse(name, indices, values, dims):
    return helper.make_sparse_tensor(tensor(name, values), tensor(name + "_indices", indices, numpy.int64), dims)


@case
def sparse_weights(random):
    """Sparse initializers by position and by coordinates, and a sparse constant."""
    nodes = [node("MatMul", ["x", "by_position"], ["a"]), node("MatMul", ["a", "by_coordinates"], ["b"]),
             node("Constant", [], ["c"], sparse_value=sparse("", [1], [3], [3])), node("Add", ["b", "c"], ["y"])]
    made = model(nodes, [info("x", ["N", 4])], [info("y", ["N", 3])])
    made.graph.sparse_initializer.extend([
        sparse("by_position", [0, 5, 11], [1, -2, 0.5], [4, 3]),
        sparse("by_coordinates", [[0, 1], [1, 0], [2, 2]], [2, 3, -1], [3, 3])])
    return made, {"x": draw(random, 2, 4)}


@case
def typed_elements(random):
    """Elements of every type in the field that ONNX has for it."""
    values = {
        "FLOAT": [1.5, -2], "UINT8": [7, 255], "INT8": [-128, 127], "UINT16": [9, 65535], "INT16": [-32768, 5],
        "INT32": [-7, 1 << 20], "INT64": [-(1 << 40), 3], "BOOL": [True, False], "FLOAT16": [0.5, -65504],
        "DOUBLE": [0.25, -3], "UINT32": [5, 1 << 31], "UINT64": [1 << 40, 2], "BFLOAT16": [2.5, -0.125]}
    initializers, nodes = [], []
    for name, elements in values.items():
        initializers.append(helper.make_tensor(name, getattr(TensorProto, name), [2], elements))
        nodes.append(node("Cast", [name], [name + "_float"], to=FLOAT))
    nodes += [node("Concat", [name + "_float" for name in values], ["all"], axis=0),
              node("Mul", ["all", "x"], ["y"])]
    made = model(nodes, [info("x", [1])], [info("y", [2 * len(values)])], initializers)
    return made, {"x": numpy.array([0.5], numpy.float32)}


@case
def constant_kinds(random):
    """Constant with each attribute that holds numbers."""
    attributes = [("value", numpy_helper.from_array(numpy.array([1, 2], numpy.float32))), ("value_float", 0.5),
                  ("value_floats", [1.5, -1.0]), ("value_int", 3), ("value_ints", [4, -5])]
    nodes, names = [], []
    for index, (name, value) in enumerate(attributes):
        nodes += [node("Constant", [], [f"c{index}"], **{name: value}),
                  node("Cast", [f"c{index}"], [f"f{index}"], to=FLOAT),
                  node("Reshape", [f"f{index}", "flat"], [f"r{index}"])]
        names.append(f"r{index}")
    nodes += [node("Concat", names, ["all"], axis=0), node("Add", ["all", "x"], ["y"])]
    made = model(nodes, [info("x", [1])], [info("y", [8])], [tensor("flat", [-1], numpy.int64)])
    return made, {"x": draw(random, 1)}


@case
def computed_parameters(random):
    """A bias by Shape, Expand and CastLike, pads by a chain of constants: all of it is constant."""
    nodes = [
        node("Shape", ["weight"], ["weight_shape"]), node("Slice", ["weight_shape", "zero", "one"], ["channels"]),
        node("Expand", ["half", "channels"], ["wide"]), node("CastLike", ["wide", "weight"], ["bias"]),
        node("Concat", ["pair", "pair"], ["spatial"], axis=0), node("Reshape", ["spatial", "two_two"], ["square"]),
        node("Transpose", ["square"], ["turned"], perm=[1, 0]), node("Reshape", ["turned", "flat"], ["ends"]),
        node("Cast", ["ends"], ["ends64"], to=INT64),
        node("Concat", ["zeros", "one_one", "zeros", "one_one"], ["fixed"], axis=0),
        node("Sub", ["fixed", "fixed"], ["none"]), node("Add", ["none", "fixed"], ["pads"]),
        node("Pad", ["x", "pads"], ["padded"]),
        node("Conv", ["padded", "weight", "bias"], ["filtered"], name="conv"),
        node("BatchNormalization", ["filtered", "s", "b", "m", "v"], ["y"], name="norm")]
    initializers = [
        tensor("weight", draw(random, 3, 2, 3, 3)), tensor("half", [0.5], numpy.float64),
        tensor("zero", [0], numpy.int64), tensor("one", [1], numpy.int64), tensor("pair", [0, 1], numpy.int32),
        tensor("two_two", [2, 2], numpy.int64), tensor("flat", [-1], numpy.int64),
        tensor("zeros", [0, 0], numpy.int64), tensor("one_one", [1, 1], numpy.int64),
        *(tensor(name, draw(random, 3)) for name in "sbm"), tensor("v", draw(random, 3) * 0.5 + 1)]
    made = model(nodes, [info("x", ["N", 2, 4, 4])], [info("y", ["N", 3, 4, 4])], initializers)
    return made, {"x": draw(random, 2, 2, 4, 4)}


@case
def weight_normalisation(random):
    """g·v/‖v‖ as exporters write it, before a normalization."""
    nodes = [
        node("ReduceL2", ["v"], ["length"], axes=[1, 2, 3], keepdims=1), node("Div", ["v", "length"], ["unit"]),
        node("Mul", ["unit", "g"], ["weight"]), node("Conv", ["x", "weight"], ["filtered"], name="conv"),
        node("BatchNormalization", ["filtered", "s", "b", "m", "var"], ["y"], name="norm")]
    initializers = [tensor("v", draw(random, 3, 2, 3, 3)), tensor("g", draw(random, 3, 1, 1, 1)),
                    *(tensor(name, draw(random, 3)) for name in "sbm"), tensor("var", draw(random, 3) * 0.5 + 1)]
    made = model(nodes, [info("x", ["N", 2, 5, 5])], [info("y", ["N", 3, 3, 3])], initializers)
    return made, {"x": draw(random, 2, 2, 5, 5)}


@case
def spectral_normalisation(random):
    """W/σ, where σ = uᵀWv for the stored vectors, before a normalization."""
    nodes = [
        node("Reshape", ["weight_original", "matrix"], ["flat"]), node("MatMul", ["flat", "right"], ["product"]),
        node("MatMul", ["left", "product"], ["sigma"]), node("Div", ["weight_original", "sigma"], ["weight"]),
        node("Conv", ["x", "weight"], ["filtered"], name="conv"),
        node("BatchNormalization", ["filtered", "s", "b", "m", "var"], ["y"], name="norm")]
    initializers = [
        tensor("weight_original", draw(random, 3, 2, 3, 3)), tensor("matrix", [3, -1], numpy.int64),
        tensor("left", draw(random, 3) + 1), tensor("right", draw(random, 18) + 1),
        *(tensor(name, draw(random, 3)) for name in "sbm"), tensor("var", draw(random, 3) * 0.5 + 1)]
    made = model(nodes, [info("x", ["N", 2, 5, 5])], [info("y", ["N", 3, 3, 3])], initializers)
    return made, {"x": draw(random, 2, 2, 5, 5)}


@case
def odd_names(random):
    """Names with slashes, colons, spaces and letters of any script; nodes without names; domains that nothing uses."""
    nodes = [node("Relu", ["Eingabe/größe:0"], ["隠れ層/出力:0"]), node("Neg", ["隠れ層/出力:0"], ["a b"], name="a/b:c"),
             node("Abs", ["a b"], ["Ausgabe/größe:0"])]
    made = model(nodes, [info("Eingabe/größe:0", ["größe", 3])], [info("Ausgabe/größe:0", ["größe", 3])],
                 domains=["ai.onnx.ml", "com.microsoft", "org.example"])
    return made, {"Eingabe/größe:0": draw(random, 2, 3)}


@case
def wrong_shapes(random):
    """An intermediate value and outputs whose declared shapes are not those that the nodes compute."""
    nodes = [node("Relu", ["x"], ["h"]), node("Neg", ["h"], ["y"]), node("Abs", ["h"], ["z"]),
             node("Exp", ["h"], ["w"])]
    made = model(nodes, [info("x", ["N", 3])], [info("y", ["N", 7]), info("z", [1, 3]), info("w", [3])],
                 value_info=[info("h", [9, 9, 9])])
    return made, {"x": draw(random, 2, 3)}


@case
def listed_weights(random):
    """IR version 3: initializers are listed among the inputs and are constants all the same."""
    made = model([node("MatMul", ["x", "w"], ["y"])], [info("w", [3, 2]), info("x", [None, 3])],
                 [info("y", [None, 2])], [tensor("w", draw(random, 3, 2))], opset=8, ir_version=3)
    return made, {"x": draw(random, 2, 3)}
