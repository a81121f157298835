"""Small valid graphs that are known to come out wrong from careless folding."""
import numpy

from building import case


@case("k − conv: the kernel changes its sign", subtract="folds")
def constant_minus_conv(net):
    return conv_arithmetic(net, "Sub", "subtract", net.draw(4, 1, 1), constant_first=True)


@case("k / conv is not affine", divide="stays")
def constant_divided_by_conv(net):
    return conv_arithmetic(net, "Div", "divide", net.draw(4, 1, 1) + 2, constant_first=True, offset=20)


@case("conv / k, one k for each channel", divide="folds")
def conv_divided_by_constant(net):
    return conv_arithmetic(net, "Div", "divide", net.draw(1, 4, 1, 1) + 2)


@case("Mul by (W) with W = output channels: along the width, not the channels", multiply="stays")
def multiply_along_width(net):
    return conv_arithmetic(net, "Mul", "multiply", net.draw(4))


@case("Mul by (1, 1, 1, W) with W = output channels", multiply="stays")
def multiply_along_width_rank4(net):
    return conv_arithmetic(net, "Mul", "multiply", net.draw(1, 1, 1, 4))


def conv_arithmetic(net, operator, name, constant, constant_first=False, offset=0):
    """A convolution to [2, 4, 3, 4], then `operator` with a constant. `offset` keeps it away from zero."""
    net.input("input", (2, 2, 5, 6))
    weight, bias = net.draw(4, 2, 3, 3), net.draw(4) + numpy.float32(offset)
    net.node("Conv", ["input", net.tensor("weight", weight), net.tensor("bias", bias)], "filtered", "conv")
    net.tensor("constant", constant)
    operands = ["constant", "filtered"] if constant_first else ["filtered", "constant"]
    net.node(operator, operands, "output", name)
    net.output("output", [2, 4, 3, 4])
    return net.model()


@case("Mul by a map (1, 1, 3, 3) before a padded 3×3 convolution of 3×3: not the kernel", multiply="stays")
def multiply_map_before_conv(net):
    net.input("input", (2, 2, 3, 3))
    net.node("Mul", ["input", net.tensor("map", net.draw(1, 1, 3, 3))], "weighted", "multiply")
    net.conv("weighted", "output", 2, 4, pads=[1, 1, 1, 1])
    net.output("output", [2, 4, 3, 3])
    return net.model()


@case("a Gemm with a second consumer, then Reshape and Mul", multiply="not in place")
def gemm_second_consumer(net):
    net.input("input", (3, 5))
    net.node("Gemm", ["input", net.tensor("weight", net.draw(5, 4)), net.tensor("bias", net.draw(4))],
             "product", "gemm")
    net.tensor("shape", numpy.array([3, 2, 2], numpy.int64))
    net.node("Reshape", ["product", "shape"], "shaped", "reshape")
    net.node("Mul", ["shaped", net.tensor("factor", net.draw(1, 2, 1))], "scaled", "multiply")
    net.node("Relu", ["product"], "positive", "relu")
    net.output("scaled", [3, 2, 2])
    net.output("positive", [3, 4])
    return net.model()


@case("Relu between convolution and normalization", norm="stays")
def relu_between(net):
    net.input("input", (2, 2, 5, 6))
    net.conv("input", "filtered", 2, 4)
    net.node("Relu", ["filtered"], "positive", "relu")
    net.norm("positive", "output", 4)
    net.output("output", [2, 4, 3, 4])
    return net.model()


@case("normalization, then a convolution without padding", norm="folds")
def norm_before_conv(net):
    return norm_then_conv(net, [0, 0, 0, 0])


@case("normalization, then a padded convolution: the shift stops at the border", norm="not in place")
def norm_before_padded_conv(net):
    return norm_then_conv(net, [1, 1, 1, 1])


@case("normalization, then a convolution with auto_pad SAME_UPPER: padded as well", norm="not in place")
def norm_before_same_conv(net):
    return norm_then_conv(net, None)


def norm_then_conv(net, pads):
    net.input("input", (2, 4, 5, 6))
    net.norm("input", "normal", 4)
    padding = {"auto_pad": "SAME_UPPER"} if pads is None else {"pads": pads}
    net.conv("normal", "output", 4, 4, **padding)
    side = [3, 4] if pads == [0, 0, 0, 0] else [5, 6]
    net.output("output", [2, 4, *side])
    return net.model()


@case("a convolution whose output is also an output of the graph", norm="not in place")
def conv_is_output(net):
    net.input("input", (2, 2, 5, 6))
    net.conv("input", "filtered", 2, 4)
    net.norm("filtered", "output", 4)
    net.output("filtered", [2, 4, 3, 4])
    net.output("output", [2, 4, 3, 4])
    return net.model()


@case("fp16 throughout; folded weights would pass 90000, where 65504 is the largest", norm="stays")
def fp16_overflow(net):
    half = numpy.float16
    net.input("input", (2, 1, 3, 3), dtype=half)
    net.feeds["input"] = (net.feeds["input"] / half(512)).astype(half)
    weight = (net.draw(2, 1, 1, 1) + 300).astype(half)
    net.node("Conv", ["input", net.tensor("weight", weight)], "filtered", "conv")
    bias, mean = net.draw(2, dtype=half), net.draw(2, dtype=half)
    net.norm("filtered", "output", 2, values=(numpy.array([300, 320], half), bias, mean, numpy.ones(2, half)))
    net.output("output", [2, 2, 3, 3], dtype=half)
    return net.model()
