"""Well-formed protobuf whose graph does not hold together. Each change edits a good model in place."""
from onnx import TensorProto, TypeProto, helper

CHANGES = []
CONV, NORM, RELU = range(3)


def change(why):
    def register(function):
        CHANGES.append((function, function.__name__, why))
        return function
    return register


def variants(prefix, edit, cases):
    """Registers edit(model, value) for each (name, why, value)."""
    for name, why, value in cases:
        CHANGES.append((lambda model, value=value: edit(model, value), f"{prefix}_{name}", why))


def set_attribute(node, name, value):
    kept = [attribute for attribute in node.attribute if attribute.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])


def after_relu(model, operator, inputs=(), **attributes):
    """Puts one more node before the output; its shape is not declared."""
    model.graph.node[RELU].output[0] = "positive"
    node = helper.make_node(operator, ["positive", *inputs], ["output"], name="added", **attributes)
    model.graph.node.append(node)
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    model.graph.output[0].type.tensor_type.ClearField("shape")


def remove_initializer(model, name):
    kept = [tensor for tensor in model.graph.initializer if tensor.name != name]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


# The model around the graph.

@change("no graph")
def no_graph(model):
    model.ClearField("graph")


@change("a graph without nodes or outputs")
def empty_graph(model):
    model.graph.Clear()


@change("no operator set")
def no_opset(model):
    del model.opset_import[:]


def set_opset(model, version):
    model.opset_import[0].version = version


variants("opset", set_opset, [
    ("zero", "operator set 0", 0), ("negative", "operator set -1", -1),
    ("future", "operator set 9999", 9999), ("int64_max", "operator set 2⁶³−1", (1 << 63) - 1)])


@change("two versions of one operator set")
def opset_twice(model):
    model.opset_import.append(helper.make_opsetid("", 9))


@change("IR version 0")
def ir_version_zero(model):
    model.ir_version = 0


@change("IR version 999")
def ir_version_future(model):
    model.ir_version = 999


# Names and edges.

@change("an operator that does not exist")
def unknown_operator(model):
    model.graph.node[RELU].op_type = "Rellu"


@change("an operator without a name")
def empty_operator(model):
    model.graph.node[RELU].op_type = ""


@change("a domain that is not imported")
def unknown_domain(model):
    model.graph.node[RELU].domain = "com.example"


@change("a node that reads its own output")
def cycle_of_one(model):
    model.graph.node[RELU].input[0] = "output"


@change("two nodes that read each other")
def cycle_of_two(model):
    model.graph.node[CONV].input[0] = "normal"


@change("a weight that is not in the file")
def initializer_missing(model):
    remove_initializer(model, "conv.weight")


@change("a node that reads a value nobody makes")
def undefined_input(model):
    model.graph.node[NORM].input[0] = "nowhere"


@change("an output that nobody makes")
def undefined_output(model):
    model.graph.output[0].name = "nowhere"


@change("no outputs")
def no_outputs(model):
    del model.graph.output[:]


@change("nodes before what they read")
def order_reversed(model):
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


@change("two nodes that make the same value")
def output_twice(model):
    model.graph.node[NORM].output[0] = "filtered"
    model.graph.node[RELU].input[0] = "filtered"


@change("two inputs of one name")
def input_twice(model):
    model.graph.input.append(model.graph.input[0])


@change("two initializers of one name")
def initializer_twice(model):
    model.graph.initializer.append(model.graph.initializer[0])


@change("a node that makes a value that is an initializer")
def initializer_made_again(model):
    model.graph.node[CONV].output[0] = "norm.mean"
    model.graph.node[NORM].input[0] = "norm.mean"


@change("an input without a name")
def input_unnamed(model):
    model.graph.input[0].name = ""


# Declared inputs.

@change("an input without a type")
def input_untyped(model):
    model.graph.input[0].ClearField("type")


@change("an input that is a sequence")
def input_sequence(model):
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, [2])
    model.graph.input[0].type.CopyFrom(TypeProto(sequence_type=TypeProto.Sequence(elem_type=tensor)))


def set_element_type(model, value):
    model.graph.input[0].type.tensor_type.elem_type = value


variants("input_type", set_element_type, [
    ("undefined", "an input of element type 0", 0), ("unknown", "an input of element type 999", 999),
    ("string", "an input of strings into a convolution", TensorProto.STRING),
    ("int64", "an input of integers into a convolution of floats", TensorProto.INT64)])


def set_input_dims(model, dims):
    model.graph.input[0].type.CopyFrom(helper.make_tensor_type_proto(TensorProto.FLOAT, dims))


variants("input_dims", set_input_dims, [
    ("channels", "an input of 3 channels into weights for 2", [2, 3, 5, 6]),
    ("rank", "an input of rank 3 into a convolution of two axes", [2, 2, 5]),
    ("overflow", "an input of 2⁶⁴ elements", [1 << 31, 2, 1 << 31, 2]),
    ("negative", "a dimension of -7", [2, 2, -7, 6])])


# Attributes and operands of nodes.

def set_conv(model, pair):
    set_attribute(model.graph.node[CONV], *pair)


variants("conv", set_conv, [
    ("strides_zero", "strides of 0", ("strides", [0, 0])),
    ("strides_negative", "strides of -1", ("strides", [-1, -1])),
    ("strides_count", "three strides for two axes", ("strides", [1, 1, 1])),
    ("strides_type", "strides is a string", ("strides", "1,1")),
    ("dilations_zero", "dilations of 0", ("dilations", [0, 0])),
    ("dilations_huge", "dilations of 2⁶³−1", ("dilations", [(1 << 63) - 1] * 2)),
    ("pads_count", "three pads for two axes", ("pads", [1, 1, 1])),
    ("pads_negative", "pads past the input", ("pads", [-9, -9, -9, -9])),
    ("pads_huge", "pads of 2⁶³−1", ("pads", [(1 << 63) - 1] * 4)),
    ("pads_type", "pads are floats", ("pads", [1.0, 1.0, 1.0, 1.0])),
    ("kernel_zero", "a kernel of 0", ("kernel_shape", [0, 0])),
    ("kernel_other", "kernel_shape is not the weight's", ("kernel_shape", [5, 5])),
    ("group_zero", "no groups", ("group", 0)),
    ("group_negative", "-2 groups", ("group", -2)),
    ("group_uneven", "3 groups of 4 channels", ("group", 3)),
    ("group_channels", "2 groups of weights for 1", ("group", 2)),
    ("auto_pad_unknown", "an auto_pad that does not exist", ("auto_pad", "SAME_LEFT")),
    ("attribute_unknown", "an attribute that Conv does not have", ("colour", 3))])


@change("an attribute whose type is not the field that is set")
def attribute_type_lies(model):
    attribute = model.graph.node[CONV].attribute[0]
    attribute.type = attribute.GRAPH


@change("one attribute twice")
def attribute_twice(model):
    node = model.graph.node[CONV]
    node.attribute.extend(list(node.attribute))


@change("a convolution without weights")
def conv_operands_few(model):
    del model.graph.node[CONV].input[1:]


@change("a convolution with four operands")
def conv_operands_many(model):
    model.graph.node[CONV].input.append("norm.mean")


@change("a required operand left empty")
def conv_weight_empty(model):
    model.graph.node[CONV].input[1] = ""


@change("a Relu with two results")
def relu_results_many(model):
    model.graph.node[RELU].output.append("more")


@change("BatchNormalization without its statistics")
def norm_operands_few(model):
    del model.graph.node[NORM].input[3:]


@change("epsilon is an integer")
def norm_epsilon_type(model):
    set_attribute(model.graph.node[NORM], "epsilon", 1)


variants("added", lambda model, node: after_relu(model, node[0], node[1], **node[2]), [
    ("concat_axis_missing", "Concat without its axis", ("Concat", ["filtered"], {})),
    ("concat_axis_range", "Concat along axis 9 of 4", ("Concat", ["filtered"], {"axis": 9})),
    ("concat_rank", "Concat of ranks 4 and 1", ("Concat", ["norm.mean"], {"axis": 1})),
    ("cast_to_missing", "Cast without its type", ("Cast", [], {})),
    ("cast_to_unknown", "Cast to type 999", ("Cast", [], {"to": 999})),
    ("transpose_rank", "Transpose of rank 4 by 3 axes", ("Transpose", [], {"perm": [2, 1, 0]})),
    ("transpose_twice", "Transpose with one axis twice", ("Transpose", [], {"perm": [0, 1, 1, 3]})),
    ("flatten_axis", "Flatten at axis 5 of 4", ("Flatten", [], {"axis": 5})),
    ("add_shapes", "Add of shapes that do not broadcast", ("Add", ["conv.weight"], {})),
    ("add_types", "Add of floats and integers", ("Add", ["integers"], {})),
    ("gemm_rank", "Gemm of rank 4", ("Gemm", ["conv.weight"], {})),
    ("matmul_inner", "MatMul of 6 columns with 3 rows", ("MatMul", ["conv.weight"], {})),
    ("reshape_count", "Reshape of 240 elements to 7", ("Reshape", ["seven"], {})),
    ("reshape_two_unknown", "Reshape with -1 twice", ("Reshape", ["two_unknown"], {})),
    ("gather_range", "Gather at index 100 of 2", ("Gather", ["hundred"], {"axis": 0})),
    ("pool_kernel_missing", "MaxPool without its kernel", ("MaxPool", [], {})),
    ("pool_strides_zero", "MaxPool with strides of 0",
     ("MaxPool", [], {"kernel_shape": [2, 2], "strides": [0, 0]})),
    ("pool_kernel_large", "MaxPool of 50×50 over 5×6", ("MaxPool", [], {"kernel_shape": [50, 50]}))])


def with_integers(function):
    """Adds the integer constants that some of the added nodes read."""
    def changed(model):
        function(model)
        constants = {"integers": [1], "seven": [7], "two_unknown": [-1, -1], "hundred": [100]}
        for name, values in constants.items():
            if any(name in node.input for node in model.graph.node):
                model.graph.initializer.append(
                    helper.make_tensor(name, TensorProto.INT64, [len(values)], values))
    return changed


CHANGES[:] = [(with_integers(function), name, why) for function, name, why in CHANGES]
