"""Convolution and normalization: ways to store constants, to declare dimensions, and to share tensors."""
import numpy
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from building import FOLDER, case


def conv_norm_relu(net, dims=None, out_dims=None):
    net.input("input", (2, 2, 5, 6), dims)
    net.conv("input", "filtered", 2, 4, pads=[1, 1, 1, 1])
    net.norm("filtered", "normal", 4)
    net.node("Relu", ["normal"], "output", "relu")
    net.output("output", out_dims or [2, 4, 5, 6])
    return net.model()


# How constants are stored.

@case("weights in raw_data", norm="folds")
def raw_data(net):
    return conv_norm_relu(net)


@case("weights in float_data and int64_data, the typed fields", norm="folds")
def typed_fields(net):
    model = conv_norm_relu(net)
    shape = numpy_helper.from_array(numpy.array([2, -1], numpy.int64), "shape")
    model.graph.node[-1].output[0] = "positive"
    model.graph.node.append(helper.make_node("Reshape", ["positive", "shape"], ["output"], name="reshape"))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("output", TensorProto.FLOAT, [2, 120]))
    for tensor in [*model.graph.initializer, shape]:
        values = numpy_helper.to_array(tensor).flatten()
        tensor.CopyFrom(helper.make_tensor(tensor.name, tensor.data_type, tensor.dims, values))
    model.graph.initializer.append(shape)
    return model


@case("weights in Constant nodes, as value and as value_floats", norm="folds")
def constant_nodes(net):
    model = conv_norm_relu(net)
    for index, tensor in enumerate(list(model.graph.initializer)):
        values = numpy_helper.to_array(tensor)
        attribute = {"value": tensor} if values.ndim > 1 else {"value_floats": values.tolist()}
        node = helper.make_node("Constant", [], [tensor.name], name=f"constant{index}", **attribute)
        model.graph.node.insert(index, node)
    del model.graph.initializer[:]
    return model


@case("each weight behind one Identity, the scale behind two", norm="folds")
def identity_weights(net):
    model = conv_norm_relu(net)
    for index, tensor in enumerate(model.graph.initializer):
        name, tensor.name = tensor.name, tensor.name + ".stored"
        chain = [tensor.name, name + ".again", name] if name == "norm.scale" else [tensor.name, name]
        for source, target in zip(chain, chain[1:]):
            node = helper.make_node("Identity", [source], [target], name=f"identity.{target}")
            model.graph.node.insert(len(model.graph.node) - 3, node)
    return model


@case("IR 3, where every initializer has to be listed among the graph's inputs", norm="folds")
def listed_inputs_ir3(net):
    net.ir_version, net.opset = 3, 8
    return list_initializers(conv_norm_relu(net))


@case("IR 8 with initializers among the inputs: defaults that a request may override", norm="stays")
def overridable_weights(net):
    return list_initializers(conv_norm_relu(net))


def list_initializers(model):
    for tensor in model.graph.initializer:
        info = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        model.graph.input.append(info)
    return model


@case("weights in weights.bin beside the model, by offset and length, with gaps between", norm="folds")
def external_data(net):
    model = conv_norm_relu(net)
    content = bytearray(b"\xff" * 12)
    for tensor in model.graph.initializer:
        data, offset = tensor.raw_data, len(content)
        external_data_helper.set_external_data(tensor, "weights.bin", offset=offset, length=len(data))
        tensor.ClearField("raw_data")
        content += data + b"\xff" * 20
    (FOLDER / "external_data").mkdir(exist_ok=True)
    (FOLDER / "external_data" / "weights.bin").write_bytes(content)
    return model


@case("fp16 weights behind Cast to float", norm="folds")
def fp16_weights_cast(net):
    model = conv_norm_relu(net)
    for tensor in model.graph.initializer:
        name = tensor.name
        half = numpy_helper.to_array(tensor).astype(numpy.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, name + ".half"))
        node = helper.make_node("Cast", [tensor.name], [name], name=f"cast.{name}", to=TensorProto.FLOAT)
        model.graph.node.insert(len(model.graph.node) - 3, node)
    return model


# Dimensions.

@case("symbolic dimensions", norm="folds")
def symbolic_dims(net):
    return conv_norm_relu(net, ["N", 2, "H", "W"], ["N", 4, "H", "W"])


@case("dimensions with neither value nor name", norm="folds")
def unnamed_dims(net):
    return conv_norm_relu(net, [None, 2, None, None], [None, 4, None, None])


@case("dimensions written as -1, as some exporters do", norm="folds")
def negative_one_dims(net):
    return conv_norm_relu(net, [-1, 2, -1, -1], [-1, 4, -1, -1])


# Normalization's own forms.

@case("opset 9, before training_mode existed", norm="folds")
def opset9(net):
    net.opset = 9
    return conv_norm_relu(net)


@case("training_mode 1 normalises by the batch: not a function of one item", golden=False, norm="refused")
def training_mode(net):
    model = conv_norm_relu(net)
    model.graph.node[1].output.extend(["running_mean", "running_variance"])
    model.graph.node[1].attribute.append(helper.make_attribute("training_mode", 1))
    return model


@case("one variance + epsilon is negative: the square root is not a number", golden=False, norm="refused")
def variance_negative(net):
    return with_variance(net, [1, -0.5, 1, 1])


@case("one variance + epsilon is exactly zero: a division by zero", golden=False, norm="refused")
def variance_zero(net):
    return with_variance(net, [1, 1, -0.25, 1])


def with_variance(net, variance):
    scale, bias, mean, _ = net.norm_values(4)
    net.input("input", (2, 2, 5, 6))
    net.conv("input", "filtered", 2, 4)
    values = (scale, bias, mean, numpy.array(variance, numpy.float32))
    net.norm("filtered", "output", 4, values=values, epsilon=0.25)
    net.output("output", [2, 4, 3, 4])
    return net.model()


# Sharing.

@case("one convolution read by two normalizations", norm_a="not in place", norm_b="not in place")
def shared_conv_two_norms(net):
    net.input("input", (2, 2, 5, 6))
    net.conv("input", "filtered", 2, 4)
    for branch in "ab":
        net.norm("filtered", f"normal_{branch}", 4, f"norm_{branch}")
        net.node("Relu", [f"normal_{branch}"], f"output_{branch}", f"relu_{branch}")
        net.output(f"output_{branch}", [2, 4, 3, 4])
    return net.model()


@case("one weight and bias read by two convolutions, one of them normalized", norm="folds")
def shared_weight_two_convs(net):
    net.input("input", (2, 2, 5, 6))
    net.conv("input", "filtered", 2, 4)
    net.norm("filtered", "output", 4)
    net.node("Conv", ["input", "conv.weight", "conv.bias"], "plain", "conv_plain", kernel_shape=[3, 3])
    net.output("output", [2, 4, 3, 4])
    net.output("plain", [2, 4, 3, 4])
    return net.model()


# Biases that are constant, but not stored as such.

@case("a bias of 0.25 by Shape, Slice and ConstantOfShape", norm="folds")
def bias_constant_of_shape(net):
    return conv_with_bias(net, lambda: net.node(
        "ConstantOfShape", [weight_channels(net)], "bias",
        value=numpy_helper.from_array(numpy.array([0.25], numpy.float32))))


@case("a zero bias by Shape, Slice, Expand and CastLike, as unoptimised exports have it", norm="folds")
def bias_expand(net):
    def bias():
        net.tensor("zero", numpy.array([0], numpy.int64))
        net.node("Expand", ["zero", weight_channels(net)], "zeros")
        return net.node("CastLike", ["zeros", "weight"], "bias")
    return conv_with_bias(net, bias)


def weight_channels(net):
    net.node("Shape", ["weight"], "weight_shape")
    net.tensor("start", numpy.array([0], numpy.int64))
    net.tensor("end", numpy.array([1], numpy.int64))
    return net.node("Slice", ["weight_shape", "start", "end"], "channels")


def conv_with_bias(net, make_bias):
    net.input("input", (2, 2, 5, 6))
    net.tensor("weight", net.draw(4, 2, 3, 3))
    net.node("Conv", ["input", "weight", make_bias()], "filtered", "conv", kernel_shape=[3, 3])
    net.norm("filtered", "output", 4)
    net.output("output", [2, 4, 3, 4])
    return net.model()
