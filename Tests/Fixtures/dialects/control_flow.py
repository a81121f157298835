"""If, Loop and Scan."""
import numpy

from cases import BOOL, INT64, case, draw, graph, info, model, node, tensor


def branch(name, nodes, outputs, initializers=()):
    return graph(nodes, name, [], [info(output, None) for output in outputs], list(initializers))


@case
def if_by_data(random):
    """Two Ifs with opposite conditions; the branches capture the input and weights around them."""
    taken = branch("taken", [node("MatMul", ["x", "w"], ["product"]), node("Relu", ["product"], ["a"])], ["a"])
    other = branch("other", [node("MatMul", ["x", "w"], ["product"]), node("Neg", ["product"], ["b"])], ["b"])
    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Greater", ["sum", "zero"], ["positive"]),
        node("Not", ["positive"], ["negative"]),
        node("If", ["positive"], ["y"], then_branch=taken, else_branch=other),
        node("If", ["negative"], ["z"], then_branch=taken, else_branch=other)]
    made = model(nodes, [info("x", ["N", 4])], [info("y", ["N", 3]), info("z", ["N", 3])],
                 [tensor("w", draw(random, 4, 3)), tensor("zero", 0)])
    return made, {"x": draw(random, 2, 4)}


@case
def if_constant(random):
    """The branch that always runs holds a convolution and its normalization, with names that the graph has too."""
    values = {"scale": draw(random, 4), "bias": draw(random, 4), "mean": draw(random, 4),
              "variance": draw(random, 4) * 0.5 + 1}
    taken = branch("taken", [
        node("Conv", ["x", "weight"], ["inner"], name="conv"),
        node("BatchNormalization", ["inner", *values], ["normal"], name="norm"),
        node("Relu", ["normal"], ["a"], name="relu")], ["a"],
        [tensor(name, value) for name, value in values.items()])
    other = branch("other", [node("Conv", ["x", "weight"], ["inner"], name="conv")], ["inner"])
    nodes = [
        node("If", ["always"], ["h"], name="if", then_branch=taken, else_branch=other),
        node("If", ["always"], ["y"], name="second_if", then_branch=branch(
            "second", [node("Relu", ["h"], ["b"], name="relu")], ["b"]), else_branch=branch(
            "third", [node("Neg", ["h"], ["b"])], ["b"]))]
    made = model(nodes, [info("x", ["N", 2, 5, 5])], [info("y", ["N", 4, 3, 3])],
                 [tensor("always", True, bool), tensor("weight", draw(random, 4, 2, 3, 3))])
    return made, {"x": draw(random, 2, 2, 5, 5)}


@case
def if_by_shape(random):
    """What exporters write for squeeze: the axis goes when its extent is one."""
    nodes = [
        node("Shape", ["x"], ["shape"]), node("Gather", ["shape", "axis"], ["extent"], axis=0),
        node("Equal", ["extent", "one"], ["single"]),
        node("If", ["single"], ["y"],
             then_branch=branch("squeeze", [node("Squeeze", ["x", "axis"], ["a"])], ["a"]),
             else_branch=branch("keep", [node("Identity", ["x"], ["b"])], ["b"]))]
    made = model(nodes, [info("x", ["N", 3, 1])], [info("y", None)],
                 [tensor("axis", [2], numpy.int64), tensor("one", [1], numpy.int64)])
    return made, {"x": draw(random, 2, 3, 1)}


@case
def if_shapes_differ(random):
    """The output's rank depends on data."""
    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Less", ["sum", "large"], ["small"]),
        node("If", ["small"], ["h"],
             then_branch=branch("flat", [node("Reshape", ["x", "flat"], ["a"])], ["a"]),
             else_branch=branch("keep", [node("Identity", ["x"], ["b"])], ["b"])),
        node("Relu", ["h"], ["y"])]
    made = model(nodes, [info("x", ["N", 3, 2])], [info("y", None)],
                 [tensor("flat", [-1], numpy.int64), tensor("large", 100)])
    return made, {"x": draw(random, 2, 3, 2)}


@case
def if_nested(random):
    """Branches in branches capture over two levels, and use the same names."""
    def inner(name, operator):
        return branch(name, [node(operator, ["x", "w"], ["value"])], ["value"])
    outer = branch("outer", [
        node("Add", ["x", "w"], ["sum"]),
        node("ReduceMax", ["sum"], ["top"], keepdims=0),
        node("Greater", ["top", "zero"], ["positive"]),
        node("If", ["positive"], ["chosen"], then_branch=inner("one", "Sub"), else_branch=inner("two", "Mul")),
        node("Mul", ["chosen", "sum"], ["result"])], ["result"])
    nodes = [
        node("ReduceMin", ["x"], ["bottom"], keepdims=0),
        node("Less", ["bottom", "zero"], ["negative"]),
        node("If", ["negative"], ["y"], then_branch=outer, else_branch=inner("three", "Div"))]
    made = model(nodes, [info("x", [2, 3])], [info("y", [2, 3])],
                 [tensor("w", draw(random, 3) + 1.5), tensor("zero", 0)])
    return made, {"x": draw(random, 2, 3)}


def body(name, nodes, inputs, outputs, initializers=()):
    return graph(nodes, name, inputs, outputs, list(initializers))


@case
def loop_counted(random):
    """Three iterations, one state, one stacked output; the body captures a weight."""
    inner = body("body", [
        node("Identity", ["go"], ["go_on"]), node("Mul", ["state", "w"], ["scaled"]),
        node("Cast", ["i"], ["number"], to=1), node("Add", ["scaled", "number"], ["next"]),
        node("Neg", ["next"], ["stacked"])],
        [info("i", [], INT64), info("go", [], BOOL), info("state", None)],
        [info("go_on", [], BOOL), info("next", None), info("stacked", None)])
    made = model([node("Loop", ["count", "", "x"], ["last", "all"], body=inner)], [info("x", ["N", 3])],
                 [info("last", ["N", 3]), info("all", [3, "N", 3])],
                 [tensor("count", 3, numpy.int64), tensor("w", draw(random, 3))])
    return made, {"x": draw(random, 2, 3)}


@case
def loop_while(random):
    """No count: it ends when the data say so, and a body's If decides what is stacked."""
    inner = body("body", [
        node("Add", ["state", "state"], ["next"]),
        node("ReduceSum", ["next"], ["sum"], keepdims=0),
        node("Less", ["sum", "limit"], ["go_on"]),
        node("If", ["go_on"], ["stacked"],
             then_branch=branch("then", [node("Neg", ["next"], ["a"])], ["a"]),
             else_branch=branch("else", [node("Sub", ["next", "x"], ["b"])], ["b"]))],
        [info("i", [], INT64), info("go", [], BOOL), info("state", ["N", 3])],
        [info("go_on", [], BOOL), info("next", ["N", 3]), info("stacked", ["N", 3])])
    made = model([node("Loop", ["", "start", "x"], ["last", "all"], body=inner)], [info("x", ["N", 3])],
                 [info("last", ["N", 3]), info("all", ["K", "N", 3])],
                 [tensor("start", True, bool), tensor("limit", 50)])
    return made, {"x": draw(random, 2, 3) + 1}


@case
def loop_grows(random):
    """The state gets longer in each iteration, and the count is an input."""
    inner = body("body", [
        node("Identity", ["go"], ["go_on"]), node("Concat", ["state", "x"], ["next"], axis=0)],
        [info("i", [], INT64), info("go", [], BOOL), info("state", None)],
        [info("go_on", [], BOOL), info("next", None)])
    made = model([node("Loop", ["count", "", "x"], ["last"], body=inner)],
                 [info("x", ["N", 3]), info("count", [], INT64)], [info("last", ["K", 3])])
    return made, {"x": draw(random, 2, 3), "count": numpy.array(2, numpy.int64)}


@case
def loop_never_runs(random):
    """No iteration: the state stays, the stack is empty."""
    inner = body("body", [
        node("Identity", ["go"], ["go_on"]), node("Neg", ["state"], ["next"]), node("Abs", ["next"], ["stacked"])],
        [info("i", [], INT64), info("go", [], BOOL), info("state", [2, 3])],
        [info("go_on", [], BOOL), info("next", [2, 3]), info("stacked", [2, 3])])
    made = model([node("Loop", ["count", "", "x"], ["last", "all"], body=inner)],
                 [info("x", [2, 3]), info("count", [], INT64)], [info("last", [2, 3]), info("all", ["K", 2, 3])])
    return made, {"x": draw(random, 2, 3), "count": numpy.array(0, numpy.int64)}


@case
def scan_sums(random):
    """A running sum over columns, one sequence backward, one output along its last axis and backward."""
    inner = body("body", [
        node("Add", ["sum", "column"], ["next"]), node("Mul", ["next", "other"], ["product"]),
        node("Identity", ["next"], ["copy"])],
        [info("sum", [3]), info("column", [3]), info("other", [3])],
        [info("next", [3]), info("copy", [3]), info("product", [3])])
    scan = node("Scan", ["start", "x", "z"], ["last", "sums", "products"], body=inner, num_scan_inputs=2,
                scan_input_axes=[1, 0], scan_input_directions=[0, 1], scan_output_axes=[0, -1],
                scan_output_directions=[0, 1])
    made = model([scan], [info("x", [3, "T"]), info("z", ["T", 3])],
                 [info("last", [3]), info("sums", ["T", 3]), info("products", [3, "T"])],
                 [tensor("start", draw(random, 3))])
    return made, {"x": draw(random, 3, 5), "z": draw(random, 5, 3)}
