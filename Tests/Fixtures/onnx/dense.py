"""Gemm, MatMul and transposed convolution before normalization; sizes are square where that hides an axis."""
import numpy

from building import case

ROWS, DEPTH, COLUMNS = 4, 3, 4


def gemm(net, bias_shape, **attributes):
    """Y = alpha·A′B′ + beta·C, [4, 4], then normalization over its columns."""
    transposed_input, transposed_weight = attributes.get("transA", 0), attributes.get("transB", 0)
    net.input("input", (DEPTH, ROWS) if transposed_input else (ROWS, DEPTH))
    net.tensor("weight", net.draw(*((COLUMNS, DEPTH) if transposed_weight else (DEPTH, COLUMNS))))
    inputs = ["input", "weight"]
    if bias_shape is not None:
        inputs.append(net.tensor("bias", net.draw(*bias_shape)))
    net.node("Gemm", inputs, "product", "gemm", **attributes)
    net.norm("product", "output", COLUMNS)
    net.output("output", [ROWS, COLUMNS])
    return net.model()


@case("Gemm without C", norm="folds")
def gemm_no_bias(net):
    return gemm(net, None, alpha=0.5, transB=1)


@case("Gemm, C of shape ()", norm="folds")
def gemm_bias_scalar(net):
    return gemm(net, (), alpha=0.5, beta=-1.5, transB=1)


@case("Gemm, C of shape (1)", norm="folds")
def gemm_bias_1(net):
    return gemm(net, (1,), alpha=-2.0, beta=0.75, transA=1)


@case("Gemm, C of shape (N)", norm="folds")
def gemm_bias_n(net):
    return gemm(net, (COLUMNS,), alpha=1.5, beta=2.0, transA=1, transB=1)


@case("Gemm, C of shape (1, N)", norm="folds")
def gemm_bias_1n(net):
    return gemm(net, (1, COLUMNS), alpha=0.25, beta=-0.5)


@case("Gemm, C of shape (M, 1) with M = N: a bias for each row becomes a whole matrix", norm="folds")
def gemm_bias_m1(net):
    return gemm(net, (ROWS, 1), alpha=0.5, beta=1.25, transB=1)


@case("Gemm, C of shape (M, N)", norm="folds")
def gemm_bias_mn(net):
    return gemm(net, (ROWS, COLUMNS), alpha=0.5, beta=1.25)


@case("Gemm with beta 0: C is ignored, and the shift still arrives", norm="folds")
def gemm_beta_zero(net):
    return gemm(net, (COLUMNS,), alpha=1.0, beta=0.0, transB=1)


@case("MatMul, Add, normalization", norm="folds")
def matmul_add(net):
    net.input("input", (ROWS, DEPTH), ["N", DEPTH])
    net.node("MatMul", ["input", net.tensor("weight", net.draw(DEPTH, COLUMNS))], "product", "matmul")
    net.node("Add", [net.tensor("bias", net.draw(COLUMNS)), "product"], "sum", "add")
    net.norm("sum", "output", COLUMNS)
    net.output("output", ["N", COLUMNS])
    return net.model()


@case("MatMul, Transpose, normalization with M = N: the channels are the rows of the product", norm="stays")
def matmul_transpose(net):
    net.input("input", (ROWS, DEPTH))
    net.node("MatMul", ["input", net.tensor("weight", net.draw(DEPTH, COLUMNS))], "product", "matmul")
    net.node("Transpose", ["product"], "turned", "transpose", perm=[1, 0])
    net.norm("turned", "output", ROWS)
    net.output("output", [COLUMNS, ROWS])
    return net.model()


@case("W·x, the constant on the left, then normalization of axis 1, the rows of W", norm="folds")
def matmul_constant_left(net):
    net.input("input", (2, DEPTH, 5))
    net.node("MatMul", [net.tensor("weight", net.draw(4, DEPTH)), "input"], "product", "matmul")
    net.norm("product", "output", 4)
    net.output("output", [2, 4, 5])
    return net.model()


@case("a MatMul of rank 3 with L = C: normalization is over L, the weight's columns are C", norm="stays")
def matmul_rank3(net):
    net.input("input", (2, 4, DEPTH))
    net.node("MatMul", ["input", net.tensor("weight", net.draw(DEPTH, COLUMNS))], "product", "matmul")
    net.norm("product", "output", 4)
    net.output("output", [2, 4, COLUMNS])
    return net.model()


@case("MatMul, Reshape to (2, 4, 2), normalization: each channel is two columns of one row", norm="folds")
def matmul_reshape(net):
    net.input("input", (2, DEPTH))
    net.node("MatMul", ["input", net.tensor("weight", net.draw(DEPTH, 8))], "product", "matmul")
    net.tensor("shape", numpy.array([2, 4, 2], numpy.int64))
    net.node("Reshape", ["product", "shape"], "shaped", "reshape")
    net.norm("shaped", "output", 4)
    net.output("output", [2, 4, 2])
    return net.model()


def conv_transpose(net, input_channels, group_output_channels, groups, bias, **attributes):
    channels = group_output_channels * groups
    net.input("input", (2, input_channels, 3, 4), ["N", input_channels, 3, 4])
    inputs = ["input", net.tensor("weight", net.draw(input_channels, group_output_channels, 3, 3))]
    if bias:
        inputs.append(net.tensor("bias", net.draw(channels)))
    net.node("ConvTranspose", inputs, "spread", "conv_transpose",
             kernel_shape=[3, 3], group=groups, **attributes)
    net.norm("spread", "output", channels)
    net.output("output", ["N", channels, None, None])
    return net.model()


@case("grouped ConvTranspose, two outputs a group: channels are on axis 1, group after group", norm="folds")
def conv_transpose_grouped(net):
    return conv_transpose(net, 6, 2, 3, True, strides=[2, 1], pads=[1, 0, 1, 0], output_padding=[1, 0])


@case("ConvTranspose with a square weight: axis 0 holds the inputs", norm="folds")
def conv_transpose_square(net):
    return conv_transpose(net, 3, 3, 1, False, strides=[2, 2])


@case("depthwise ConvTranspose", norm="folds")
def conv_transpose_depthwise(net):
    return conv_transpose(net, 4, 1, 4, True, dilations=[2, 1])
