"""Functions that the model defines."""
from onnx import AttributeProto, helper

from cases import case, draw, info, model, node, tensor
from control_flow import branch

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]


def function(name, inputs, outputs, nodes, attributes=(), defaults=(), domain="own"):
    return helper.make_function(domain, name, inputs, outputs, nodes, OPSETS, attributes, list(defaults))


def referring(operator, inputs, outputs, kind=AttributeProto.FLOAT, domain="", **references):
    """A node whose attributes are those of the function around it, by name."""
    made = node(operator, inputs, outputs, domain=domain)
    for name, reference in references.items():
        attribute = made.attribute.add()
        attribute.name, attribute.ref_attr_name, attribute.type = name, reference, kind
    return made


SCALED = function("Scaled", ["x", "w"], ["y"], [
    node("MatMul", ["x", "w"], ["inner"]), referring("LeakyRelu", ["inner"], ["y"], alpha="slope")],
    ["slope"])


@case
def function_attributes(random):
    """Defaults, attributes that are passed on, and one that is left out everywhere."""
    block = function("Block", ["x", "w"], ["y", "inner"], [
        referring("Scaled", ["x", "w"], ["inner"], domain="own", slope="outer_slope"),
        referring("Scaled", ["inner", "w"], ["second"], domain="own", slope="missing"),
        referring("Elu", ["second"], ["y"], alpha="scale")],
        ["missing"], [helper.make_attribute("outer_slope", 0.25), helper.make_attribute("scale", 2.0)])
    nodes = [node("Block", ["x", "w"], ["a", "unused"], domain="own", name="first"),
             node("Block", ["a", "w"], ["b", "c"], domain="own", name="second", scale=0.5, missing=0.75),
             node("Scaled", ["c", "w"], ["d"], domain="own", slope=0.125)]
    made = model(nodes, [info("x", ["N", 3])], [info("b", ["N", 3]), info("d", ["N", 3])],
                 [tensor("w", draw(random, 3, 3))], functions=[block, SCALED], domains=["own"])
    return made, {"x": draw(random, 2, 3)}


@case
def function_inputs(random):
    """An absent input, an input that is an output, and names that the model uses too."""
    clamp = function("Clamp", ["x", "low", "high"], ["y", "same"], [
        node("Clip", ["x", "low", "high"], ["h"]), node("Neg", ["h"], ["y"]), node("Identity", ["x"], ["same"])])
    nodes = [node("Relu", ["x"], ["h"]), node("Clamp", ["h", "", "limit"], ["y", ""], domain="own", name="clamp"),
             node("Clamp", ["x", "limit"], ["z", "same"], domain="own", name="clamp_again")]
    made = model(nodes, [info("x", ["N", 3])], [info("y", ["N", 3]), info("z", ["N", 3]), info("same", ["N", 3])],
                 [tensor("limit", 0.5)], functions=[clamp], domains=["own"])
    return made, {"x": draw(random, 2, 3)}


@case
def function_with_branches(random):
    """A branch in a function reads the function's values, which have the names of other values in the caller."""
    choose = function("Choose", ["flag", "a"], ["y"], [
        node("Neg", ["a"], ["x"]),
        node("If", ["flag"], ["y"],
             then_branch=branch("then", [referring("Elu", ["x"], ["h"], alpha="slope")], ["h"]),
             else_branch=branch("else", [node("Scaled", ["x", "a"], ["h"], domain="own")], ["h"]))], ["slope"])
    nodes = [node("ReduceSum", ["x"], ["sum"], keepdims=0), node("Greater", ["sum", "zero"], ["flag"]),
             node("Not", ["flag"], ["other"]),
             node("Choose", ["flag", "x"], ["h"], domain="own", slope=0.5, name="one"),
             node("Choose", ["other", "h"], ["y"], domain="own", slope=0.25, name="two")]
    made = model(nodes, [info("x", [3, 3])], [info("y", [3, 3])], [tensor("zero", 0)],
                 functions=[choose, SCALED], domains=["own"])
    return made, {"x": draw(random, 3, 3)}


@case
def function_norm(random):
    """A convolution and its normalization as a function that is called twice."""
    parameters = ["scale", "bias", "mean", "variance"]
    block = function("ConvNorm", ["x", "weight", *parameters], ["y"], [
        node("Conv", ["x", "weight"], ["filtered"], name="conv"),
        node("BatchNormalization", ["filtered", *parameters], ["normal"], name="norm"),
        node("Relu", ["normal"], ["y"], name="relu")])
    initializers, nodes = [], []
    for index, (source, target) in enumerate([("x", "h"), ("h", "y")]):
        names = [f"{name}_{index}" for name in ("weight", *parameters)]
        arrays = [draw(random, 2, 2, 2, 2), *(draw(random, 2) for _ in range(3)), draw(random, 2) * 0.5 + 1]
        initializers += [tensor(name, array) for name, array in zip(names, arrays, strict=True)]
        nodes.append(node("ConvNorm", [source, *names], [target], domain="own", name=f"block{index}"))
    made = model(nodes, [info("x", ["N", 2, 5, 5])], [info("y", ["N", 2, 3, 3])], initializers,
                 functions=[block], domains=["own"])
    return made, {"x": draw(random, 2, 2, 5, 5)}
