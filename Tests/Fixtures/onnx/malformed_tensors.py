"""Initializers whose shape, type, bytes or place is a lie. Each change edits a good model in place."""
import numpy
from onnx import StringStringEntryProto, TensorProto, helper, numpy_helper

CHANGES = []
LARGEST_INT64 = (1 << 63) - 1


def write_links(folder):
    """Places in `folder` what the external-data cases point to: a link out of it, and a folder."""
    link = folder / "link.bin"
    link.unlink(missing_ok=True)
    link.symlink_to("../secret.bin")
    (folder / "folder.bin").mkdir(exist_ok=True)
    (folder / "short.bin").write_bytes(b"\0" * 100)


def tensor(model, name="conv.weight"):
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def variants(prefix, edit, cases):
    for name, why, value in cases:
        CHANGES.append((lambda model, value=value: edit(tensor(model), value), f"{prefix}_{name}", why))


def set_dims(weight, dims):
    del weight.dims[:]
    weight.dims.extend(dims)


variants("dims", set_dims, [
    ("negative", "a weight with a dimension of -3", [4, 2, -3, 3]),
    ("both_negative", "dimensions of -3 and -3, whose product is right", [4, 2, -3, -3]),
    ("int64_min", "a dimension of -2⁶³", [4, 2, -(1 << 63), 3]),
    ("overflow_to_zero", "dimensions whose product is 2⁶⁴, 0 in 64 bits", [1 << 32, 1 << 32, 1, 1]),
    ("overflow_to_right", "dimensions whose product is 72 modulo 2⁶⁴", [(1 << 61) + 9, 8, 1, 1]),
    ("overflow_bytes", "a product that fits, and bytes that do not", [1 << 62, 1, 1, 1]),
    ("int64_max", "a dimension of 2⁶³−1", [LARGEST_INT64, 1, 1, 1]),
    ("more", "more elements than bytes", [4, 2, 3, 4]),
    ("fewer", "fewer elements than bytes", [4, 2, 3, 2]),
    ("rank_huge", "a weight of rank 100000", [4, 2, 3, 3] + [1] * 99_996),
    ("rank_low", "a weight of rank 1", [72]),
    ("zero", "a weight without outputs", [0, 2, 3, 3]),
    ("channels", "weights for 1 channel where the input has 2", [8, 1, 3, 3])])


def set_raw(weight, content):
    weight.raw_data = content


variants("raw_data", set_raw, [
    ("short", "raw_data one byte short", b"\0" * 287), ("long", "raw_data one byte long", b"\0" * 289),
    ("empty", "raw_data of no bytes", b"")])


def set_claim(weight, dims):
    set_dims(weight, dims)
    weight.ClearField("raw_data")


variants("claim", set_claim, [
    ("no_data", "a weight with no data at all", [4, 2, 3, 3]),
    ("terabyte", "a terabyte of weights and no data", [1 << 20, 1 << 18, 1, 1])])


def set_type(weight, data_type):
    weight.data_type = data_type


variants("type", set_type, [
    ("undefined", "element type 0", 0), ("unknown", "element type 999", 999),
    ("negative", "element type -1", -1), ("string", "strings in raw_data", TensorProto.STRING),
    ("double", "bytes for half as many", TensorProto.DOUBLE)])


def set_values(weight, values):
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))


variants("weight", set_values, [
    ("double", "weights of doubles for an input of floats", numpy.zeros((4, 2, 3, 3), numpy.float64)),
    ("int64", "weights of integers for an input of floats", numpy.zeros((4, 2, 3, 3), numpy.int64))])


def set_floats(weight, count):
    weight.ClearField("raw_data")
    weight.float_data.extend([0.0] * count)


variants("float_data", set_floats, [
    ("short", "71 floats for 72 elements", 71), ("long", "73 floats for 72 elements", 73)])


def set_other_field(weight, _):
    weight.ClearField("raw_data")
    weight.int64_data.extend([0] * 72)


variants("int64_data", set_other_field, [("for_floats", "floats in the field for integers", None)])


def set_both(weight, _):
    weight.float_data.extend([0.0] * 72)


variants("data", set_both, [("twice", "raw_data and float_data", None)])


def external(weight, entries):
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.extend(
        StringStringEntryProto(key=key, value=value) for key, value in entries.items())


variants("external", external, [
    ("parent", "weights in ../secret.bin, which exists", {"location": "../secret.bin"}),
    ("parent_hidden", "the same by way of a folder", {"location": "folder.bin/../../secret.bin"}),
    ("absolute", "weights in /dev/zero", {"location": "/dev/zero", "length": "288"}),
    ("symlink", "weights in a link that leads out of the folder", {"location": "link.bin"}),
    ("missing", "weights in a file that is not there", {"location": "nowhere.bin"}),
    ("folder", "weights in a folder", {"location": "folder.bin"}),
    ("itself", "the model's folder as weights", {"location": "."}),
    ("no_location", "external weights without a location", {}),
    ("empty_location", "an empty location", {"location": ""}),
    ("nul", "a location with a zero byte", {"location": "short.bin\0.txt"}),
    ("file_short", "100 bytes for 288", {"location": "short.bin"}),
    ("offset_past_end", "an offset past the end",
     {"location": "short.bin", "offset": "101", "length": "288"}),
    ("offset_negative", "a negative offset", {"location": "short.bin", "offset": "-1", "length": "288"}),
    ("offset_text", "an offset that is not a number", {"location": "short.bin", "offset": "ten"}),
    ("offset_overflow", "an offset past 64 bits",
     {"location": "short.bin", "offset": "18446744073709551617"}),
    ("offset_wraps", "offset + length wraps",
     {"location": "short.bin", "offset": str(LARGEST_INT64), "length": "288"}),
    ("length_other", "a length that is not the tensor's", {"location": "short.bin", "length": "4"}),
    ("length_negative", "a negative length", {"location": "short.bin", "length": "-288"})])


def other_tensor(name, why, target, values):
    CHANGES.append((
        lambda model: tensor(model, target).CopyFrom(numpy_helper.from_array(values, target)), name, why))


other_tensor("conv_bias_count", "3 biases for 4 channels", "conv.bias", numpy.zeros(3, numpy.float32))
other_tensor("conv_bias_rank", "a bias of rank 2", "conv.bias", numpy.zeros((1, 4), numpy.float32))
other_tensor("norm_scale_count", "5 scales for 4 channels", "norm.scale", numpy.ones(5, numpy.float32))
other_tensor("norm_mean_count", "1 mean for 4 channels", "norm.mean", numpy.zeros(1, numpy.float32))
other_tensor("norm_variance_rank", "variances of rank 2", "norm.variance", numpy.ones((4, 1), numpy.float32))
other_tensor("norm_bias_type", "shifts of integers", "norm.bias", numpy.zeros(4, numpy.int64))


def add_sparse(model):
    weight = tensor(model)
    values = helper.make_tensor("conv.weight", TensorProto.FLOAT, [2], [1.0, 2.0])
    indices = helper.make_tensor("indices", TensorProto.INT64, [2], [0, 1000])
    model.graph.initializer.remove(weight)
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4, 2, 3, 3]))


CHANGES.append((add_sparse, "sparse_index", "a sparse weight with an index past its end"))
