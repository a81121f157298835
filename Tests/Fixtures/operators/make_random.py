"""Writes random.json and random.bin, as storing.py describes them: small random nodes with what ONNX Runtime makes of them.

They cover what the published test vectors lack: groups, dilations, odd pads, auto_pad, ceil_mode, more axes than two, the
attributes of older operator sets, and the modes of sampling, attention and transforms together.

    pip install onnx==1.23.2 onnxruntime==1.31.1 numpy && python make_random.py
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime

from storing import convert_attribute, store

HERE = pathlib.Path(__file__).parent
random = np.random.default_rng(20)


def reals(*shape, type=np.float32):
    return random.standard_normal(shape).astype(type)


def positive(*shape):
    return random.uniform(0.5, 2, shape).astype(np.float32)


def integers(*values):
    return np.array(values, np.int64)


def pick(*choices):
    return choices[random.integers(len(choices))]


def window(rank, kernel, dilated=True):
    """The attributes of a window over `rank` spatial axes."""
    attributes = {"kernel_shape": kernel, "strides": [int(random.integers(1, 4)) for _ in range(rank)]}
    if dilated:
        attributes["dilations"] = [int(random.integers(1, 3)) for _ in range(rank)]
    padding = pick("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    if padding == "NOTSET":
        # No pad reaches past the kernel: ONNX Runtime refuses those of pools.
        begins = [int(random.integers(0, extent)) for extent in kernel]
        ends = [int(random.integers(0, extent)) for extent in kernel]
        attributes["pads"] = begins + ends
    else:
        attributes["auto_pad"] = padding
        if padding != "VALID" and dilated:
            attributes["dilations"] = [1] * rank
    return attributes


def convolutions():
    for _ in range(40):
        rank = pick(1, 2, 2, 2, 3)
        group = pick(1, 1, 2, 3)
        inner, outer = pick(1, 2), pick(1, 3)
        kernel = [int(random.integers(1, 4)) for _ in range(rank)]
        extents = [int(random.integers(5, 7 if rank == 3 else 10)) for _ in range(rank)]
        x, weight = reals(2, group * inner, *extents), reals(group * outer, inner, *kernel)
        inputs = [x, weight] + ([reals(group * outer)] if pick(0, 1) else [])
        yield "Conv", pick(7, 11, 21), {"group": group, **window(rank, kernel)}, inputs


def transposed_convolutions():
    for _ in range(40):
        rank = pick(1, 2, 2, 3)
        group = pick(1, 1, 2, 3)
        inner, outer = pick(1, 2), pick(1, 3)
        kernel = [int(random.integers(2, 5)) for _ in range(rank)]
        x = reals(2, group * inner, *[int(random.integers(2, 4 if rank == 3 else 6)) for _ in range(rank)])
        weight = reals(group * inner, outer, *kernel)
        inputs = [x, weight] + ([reals(group * outer)] if pick(0, 1) else [])
        attributes = {"group": group, **window(rank, kernel)}
        if pick(0, 1):
            attributes["output_padding"] = [
                int(random.integers(0, stride)) for stride in attributes["strides"]
            ]
        # Where a stride is greater than the kernel, ONNX Runtime makes less than the D·stride that SAME asks for.
        same = attributes.get("auto_pad", "").startswith("SAME")
        if same and any(step > extent for step, extent in zip(attributes["strides"], kernel)):
            continue
        yield "ConvTranspose", pick(7, 11, 21), attributes, inputs


def pools():
    for _ in range(60):
        rank = pick(1, 2, 2, 3)
        kernel = [int(random.integers(1, 4)) for _ in range(rank)]
        x = reals(1, 2, *[int(random.integers(5, 6 if rank == 3 else 9)) for _ in range(rank)])
        kind = pick("MaxPool", "AveragePool", "LpPool")
        opset = pick(7, 11, 19, 21)
        attributes = window(rank, kernel, dilated=opset >= 19 or (kind == "MaxPool" and opset >= 10))
        if opset >= 19 or (kind != "LpPool" and opset >= 10):
            attributes["ceil_mode"] = pick(0, 1) if "pads" in attributes else 0
        if kind == "AveragePool":
            attributes["count_include_pad"] = pick(0, 1)
        if kind == "LpPool":
            attributes["p"] = pick(1, 2, 3)
        yield kind, opset, attributes, [x]


def older_forms():
    x = reals(2, 3, 4, 5)
    one = reals(2, 1, 4, 1)
    yield "Clip", 7, {"min": -0.5, "max": 0.75}, [x]
    yield "Clip", 10, {"max": 0.0}, [x]
    yield "Clip", 12, {}, [x, None, np.float32(0.5)]
    yield "Squeeze", 7, {"axes": [1, 3]}, [one]
    yield "Squeeze", 11, {"axes": [-1]}, [one]
    yield "Squeeze", 11, {}, [one]
    yield "Squeeze", 13, {}, [one]
    yield "Unsqueeze", 7, {"axes": [0, 3]}, [x]
    yield "Unsqueeze", 11, {"axes": [-1]}, [x]
    for name in ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSumExp"]:
        yield f"Reduce{name}", 7, {"axes": [1, 3], "keepdims": 0}, [x]
        yield f"Reduce{name}", 11, {"axes": [-2]}, [x]
        yield f"Reduce{name}", 12, {}, [x]
    yield "ReduceMean", 13, {"axes": [2, 3]}, [x]
    yield "ReduceLogSum", 11, {"axes": [0]}, [positive(3, 4)]
    yield "Slice", 7, {"starts": [0, -3], "ends": [2, 1000], "axes": [1, 2]}, [x]
    yield "Slice", 9, {"starts": [1], "ends": [-1]}, [reals(6)]
    yield "Slice", 10, {}, [x, integers(-1, 3), integers(-1000, 0), integers(3, 2), integers(-2, -1)]
    yield "Dropout", 7, {"ratio": 0.3}, [x]
    yield "Dropout", 10, {"ratio": 0.3}, [x]
    for axis in [0, 1, 2, 3]:
        yield "Softmax", 7, {"axis": axis}, [x]
        yield "LogSoftmax", 11, {"axis": -axis - 1}, [x]
        yield "Softmax", 13, {"axis": axis}, [x]
    yield "Softmax", 11, {}, [x]
    yield "Softmax", 13, {}, [x]
    for mode in ["constant", "reflect", "edge"]:
        yield "Pad", 7, {"pads": [0, 1, 2, 1, 0, 0, 3, 2], "mode": mode, "value": 1.5}, [x]
        yield "Pad", 11, {"mode": mode}, [x, integers(0, 0, -1, 2, 0, 0, 2, -2), np.float32(2.5)]
    yield "Pad", 18, {}, [x, integers(1, -1, 0, 2), np.float32(2.5), integers(-1, 1)]
    yield "Pad", 19, {"mode": "wrap"}, [x, integers(0, 2, 0, 6, 0, 1, 5, 0)]
    yield "Split", 7, {"axis": 3, "split": [2, 3]}, [x], 2
    yield "Split", 11, {"axis": -2}, [x], 2
    yield "Split", 13, {"axis": 3}, [x, integers(1, 0, 4)], 3
    yield "Split", 18, {"axis": 3, "num_outputs": 3}, [x], 3
    yield "Upsample", 7, {"mode": "nearest", "scales": [1.0, 1.0, 2.0, 1.5]}, [x]
    yield "Upsample", 9, {"mode": "linear"}, [x, np.array([1, 1, 2, 3], np.float32)]
    yield "Upsample", 9, {"mode": "nearest"}, [x, np.array([1, 1, 2.5, 3], np.float32)]
    yield "BatchNormalization", 7, {"epsilon": 0.01, "spatial": 1}, [x, reals(3), reals(3), reals(3), positive(3)]
    yield "BatchNormalization", 9, {}, [reals(4, 3), reals(3), reals(3), reals(3), positive(3)]
    yield "BatchNormalization", 15, {"epsilon": 0.1}, [reals(2, 3, 4), reals(3), reals(3), reals(3), positive(3)]
    yield "Gemm", 7, {"alpha": 0.5, "beta": 2.0, "transA": 1}, [reals(4, 3), reals(4, 5), reals(3, 1)]
    yield "Gemm", 9, {"transB": 1}, [reals(3, 4), reals(5, 4), reals(5)]
    yield "Gemm", 11, {"transA": 1, "transB": 1}, [reals(40, 9), reals(37, 40)]
    yield "Gemm", 13, {}, [reals(3, 0), reals(0, 5), reals(1)]
    yield "MatMul", 7, {}, [reals(2, 1, 5, 40), reals(3, 40, 7)]
    yield "MatMul", 9, {}, [reals(40), reals(2, 40, 3)]
    yield "MatMul", 13, {}, [reals(2, 3, 4), reals(4)]
    yield "MatMul", 13, {}, [np.arange(6, dtype=np.int64).reshape(2, 3), np.arange(12, dtype=np.int64).reshape(3, 4)]
    yield "Flatten", 9, {"axis": 0}, [x]
    yield "Flatten", 11, {"axis": -1}, [x]
    yield "ArgMax", 11, {"axis": 2}, [x]
    yield "ArgMin", 7, {"axis": 1, "keepdims": 0}, [x]
    yield "DepthToSpace", 7, {"blocksize": 2}, [reals(1, 8, 2, 3)]
    yield "SpaceToDepth", 7, {"blocksize": 2}, [reals(1, 2, 4, 6)]
    yield "Concat", 7, {"axis": 1}, [x, reals(2, 2, 4, 5)]
    yield "PRelu", 9, {}, [x, reals(3, 1, 1)]
    yield "GroupNormalization", 21, {"num_groups": 2}, [reals(2, 4, 3, 3), reals(4), reals(4)]
    yield "InstanceNormalization", 7, {"epsilon": 0.01}, [x, reals(3), reals(3)]
    yield "LayerNormalization", 17, {"axis": 2}, [x, reals(4, 5), reals(4, 5)]
    yield "LRN", 13, {"size": 5, "alpha": 0.5, "bias": 2.0}, [reals(2, 7, 3)]
    yield "Reshape", 13, {}, [x, integers(0, -1, 2, 5)]
    yield "Cast", 9, {"to": 7}, [x * 10]
    yield "Div", 7, {}, [integers(-7, 7, -6), integers(2, -2, 3)]
    yield "Shape", 13, {}, [x]
    yield "Shape", 15, {"start": -3, "end": -1}, [x]


def resizes():
    empty = np.array([], np.float32)
    for coordinates in ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]:
        for mode in ["nearest", "linear", "cubic"]:
            for sizes in [(7, 9), (3, 2), (1, 11)]:
                attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
                if mode == "nearest":
                    attributes["nearest_mode"] = pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
                opset = pick(11, 13, 18)
                absent = empty if opset == 11 else None
                yield "Resize", opset, attributes, [reals(1, 2, 4, 5), absent, absent, integers(1, 2, *sizes)]
    for mode in ["nearest", "linear"]:
        yield "Resize", 10, {"mode": mode}, [reals(1, 2, 4, 5), np.array([1, 1, 2, 1.5], np.float32)]
        yield "Resize", 13, {"mode": mode}, [reals(1, 2, 4, 5), None, np.array([1, 1, 2, 0.5], np.float32)]
    yield "Resize", 18, {"mode": "linear", "antialias": 1}, [reals(1, 2, 9, 8), None, None, integers(1, 2, 4, 3)]
    yield "Resize", 18, {"mode": "cubic", "antialias": 1}, [reals(1, 2, 9, 8), None, None, integers(1, 2, 4, 3)]


def pool_indices():
    for _ in range(30):
        rank = pick(1, 2, 2, 3)
        kernel = [int(random.integers(1, 4)) for _ in range(rank)]
        x = reals(2, 2, *[int(random.integers(5, 6 if rank == 3 else 9)) for _ in range(rank)])
        attributes = {**window(rank, kernel), "storage_order": pick(0, 1) if rank > 1 else 0}
        attributes["ceil_mode"] = pick(0, 1) if "pads" in attributes else 0
        yield "MaxPool", pick(10, 12, 22), attributes, [x], 2


def samples():
    for _ in range(50):
        opset = pick(16, 20, 22)
        rank = 2 if opset < 20 else pick(2, 3)
        modes = ["bilinear", "nearest", "bicubic"] if opset < 20 else ["linear", "nearest", "cubic"]
        extents = [int(random.integers(2, 6)) for _ in range(rank)]
        attributes = {
            "mode": pick(*modes[:2]) if rank == 3 else pick(*modes),
            "padding_mode": pick("zeros", "border", "reflection"), "align_corners": pick(0, 1),
        }
        grid = random.uniform(-2.5, 2.5, (2, *[int(random.integers(1, 5)) for _ in range(rank)], rank))
        yield "GridSample", opset, attributes, [reals(2, 3, *extents), grid.astype(np.float32)]
    for _ in range(6):
        rank = pick(2, 3)
        size = integers(2, 1, *[int(random.integers(2, 5)) for _ in range(rank)])
        yield "AffineGrid", 20, {"align_corners": pick(0, 1)}, [reals(2, rank, rank + 1), size]


def rearrangements():
    for _ in range(30):
        # Over other numbers of axes ONNX Runtime takes other columns where there are dilations or uneven pads.
        attributes = window(2, [int(random.integers(1, 4)) for _ in range(2)])
        kernel = attributes.pop("kernel_shape")
        pads = attributes.setdefault("pads", [0] * 4)
        attributes.pop("auto_pad", None)
        image = [int(random.integers(5, 9)) for _ in range(2)]
        positions = 1
        for axis in range(2):
            span = (kernel[axis] - 1) * attributes["dilations"][axis] + 1
            positions *= (image[axis] + pads[axis] + pads[2 + axis] - span) // attributes["strides"][axis] + 1
        x = reals(2, 2 * int(np.prod(kernel)), positions)
        yield "Col2Im", 18, attributes, [x, integers(*image), integers(*kernel)]
    for _ in range(10):
        shape = [int(random.integers(1, 7)) for _ in range(2)]
        yield "CenterCropPad", 18, {"axes": [-1, 1]}, [reals(2, 4, 5), integers(*shape)]
    for _ in range(30):
        group, offset_group = pick(1, 2), pick(1, 2)
        kernel = [int(random.integers(1, 4)) for _ in range(2)]
        attributes = {"group": group, "offset_group": offset_group, **window(2, kernel)}
        attributes.pop("auto_pad", None)
        pads = attributes.setdefault("pads", [0] * 4)
        extents = [int(random.integers(6, 9)) for _ in range(2)]
        places = [
            (extents[axis] + pads[axis] + pads[axis + 2] - (kernel[axis] - 1) * attributes["dilations"][axis] - 1)
            // attributes["strides"][axis] + 1
            for axis in range(2)
        ]
        taps = kernel[0] * kernel[1] * offset_group
        inputs = [
            reals(2, 4, *extents), reals(2, 4 // group, *kernel), 2 * reals(2, 2 * taps, *places),
            pick(None, reals(2)), pick(None, positive(2, taps, *places)),
        ]
        while inputs[-1] is None:
            inputs.pop()
        yield "DeformConv", 19, attributes, inputs


def transforms():
    for length in [1, 2, 3, 5, 6, 7, 8, 9, 15, 16]:
        yield "DFT", 17, {"onesided": pick(0, 1), "axis": 1}, [reals(2, length, 3, 1, type=np.float64)]
        yield "DFT", 20, {"inverse": pick(0, 1)}, [reals(2, length, 2, type=np.float64), None, np.int64(-2)]
        yield "DFT", 20, {"onesided": 1}, [reals(2, 7, 1, type=np.float64), np.int64(length)]
        yield "DFT", 17, {"axis": -2}, [reals(2, 9, 2, type=np.float64), np.int64(length)]
    for length in [4, 5, 8, 11]:
        step, attributes = np.int64(random.integers(1, 5)), {"onesided": pick(0, 1)}
        signal, window = reals(2, 23, 1, type=np.float64), reals(length, type=np.float64)
        yield "STFT", 17, attributes, [signal, step, window, np.int64(length)]
        yield "STFT", 17, attributes, [signal, step, window]
        yield "STFT", 17, attributes, [signal, step, None, np.int64(length)]
    for kind in ["HannWindow", "HammingWindow", "BlackmanWindow"]:
        yield kind, 17, {"periodic": 0, "output_datatype": pick(1, 11)}, [np.int64(random.integers(2, 20))]
    for _ in range(5):
        bins, length = np.int64(random.integers(4, 12)), np.int64(random.integers(16, 64))
        edges = np.float32(random.uniform(0, 500)), np.float32(3500)
        yield "MelWeightMatrix", 17, {}, [bins, length, np.int64(8000), *edges]


def attentions():
    for _ in range(60):
        opset = pick(23, 24)
        kv, share, queries, keys, past = pick(1, 2), pick(1, 2, 3), pick(1, 3, 4), pick(1, 4, 5), pick(0, 0, 2)
        size, value_size, heads = pick(2, 4), pick(2, 3), kv * share
        attributes = {
            "is_causal": pick(0, 1), "softcap": pick(0.0, 1.5), "qk_matmul_output_mode": pick(0, 1, 2, 3),
            **pick({}, {"scale": 0.3}),
        }
        if pick(0, 1):
            attributes |= {"q_num_heads": heads, "kv_num_heads": kv}
            inputs = [reals(2, queries, heads * size), reals(2, keys, kv * size), reals(2, keys, kv * value_size)]
        else:
            inputs = [reals(2, heads, queries, size), reals(2, kv, keys, size), reals(2, kv, keys, value_size)]
        if queries == 1:
            # ONNX Runtime lets a single query attend to all keys.
            attributes["is_causal"] = 0
        shape = pick((queries, past + keys), (1, heads, queries, past + keys), (2, 1, queries, past + keys))
        mask = pick(None, reals(*shape), random.uniform(size=shape) < 0.7)
        inputs.append(mask)
        if attributes["is_causal"] or (mask is not None and mask.dtype == bool):
            # For −∞ ONNX Runtime stores the least finite number.
            attributes["qk_matmul_output_mode"] = pick(0, 1, 3)
        if past:
            inputs += [reals(2, kv, past, size), reals(2, kv, past, value_size)]
        while inputs[-1] is None:
            inputs.pop()
        yield "Attention", opset, attributes, inputs, 4
    for _ in range(12):
        interleaved, rotated = pick(0, 1), pick(0, 4)
        half = (rotated or 8) // 2
        attributes = {"interleaved": interleaved, "rotary_embedding_dim": rotated, "num_heads": 3}
        x = pick(reals(2, 3, 5, 8), reals(2, 5, 24))
        if pick(0, 1):
            positions = random.integers(0, 9, (2, 5))
            yield "RotaryEmbedding", 23, attributes, [x, reals(9, half), reals(9, half), positions]
        else:
            yield "RotaryEmbedding", 23, attributes, [x, reals(2, 5, half), reals(2, 5, half)]


def normalizations():
    x = reals(2, 3, 4, 5)
    for axis in [-1, 1, 2]:
        yield "RMSNormalization", 23, {"axis": axis}, [x, reals(*x.shape[axis:])]
        yield "LpNormalization", 22, {"axis": axis, "p": pick(1, 2)}, [x]
    yield "MeanVarianceNormalization", 13, {"axes": [1, 3]}, [x]
    yield "LayerNormalization", 17, {"axis": -2}, [x, reals(4, 5)], 3
    yield "Det", 22, {}, [reals(3, 2, 4, 4)]
    yield "Shrink", 9, {"lambd": 0.7, "bias": 0.2}, [x]
    for reduction in ["none", "sum", "mean"]:
        labels = random.integers(0, 3, (2, 4, 5))
        attributes = {"reduction": reduction, **pick({}, {"ignore_index": 1})}
        yield "NegativeLogLikelihoodLoss", 13, attributes, [x, labels, positive(3)]
        yield "SoftmaxCrossEntropyLoss", 13, attributes, [x, labels, positive(3)], 2


ACTIVATIONS = [
    "Relu", "Tanh", "Sigmoid", "Affine", "LeakyRelu", "ThresholdedRelu", "ScaledTanh", "HardSigmoid", "Elu", "Softsign",
    "Softplus",
]


def recurrent_layers():
    for _ in range(72):
        kind, opset = pick("LSTM", "GRU", "RNN"), pick(7, 14, 21)
        gates, functions = {"LSTM": (4, 3), "GRU": (3, 2), "RNN": (1, 1)}[kind]
        steps, batch, inner, hidden = (int(random.integers(1, 6)) for _ in range(4))
        direction = pick("forward", "reverse", "bidirectional")
        directions = 2 if direction == "bidirectional" else 1
        attributes = {"hidden_size": hidden, "direction": direction}
        if pick(0, 1):
            attributes["activations"] = [pick(*ACTIVATIONS) for _ in range(functions * directions)]
            attributes["activation_alpha"] = [float(value) for value in random.uniform(0.1, 1, 6)]
            attributes["activation_beta"] = [float(value) for value in random.uniform(0.1, 1, 6)]
        if pick(0, 0, 1):
            attributes["clip"] = 0.5
        if kind == "GRU":
            attributes["linear_before_reset"] = pick(0, 1)
        if kind == "LSTM":
            attributes["input_forget"] = pick(0, 0, 1)
        lengths = random.integers(1, steps + 1, batch).astype(np.int32)
        # ONNX Runtime wants one of them as long as X.
        lengths[int(random.integers(batch))] = steps
        inputs = [
            reals(steps, batch, inner), reals(directions, gates * hidden, inner), reals(directions, gates * hidden, hidden),
            pick(0, 1) and reals(directions, 2 * gates * hidden), pick(0, 1) and lengths,
            pick(0, 1) and reals(directions, batch, hidden),
        ]
        if kind == "LSTM":
            inputs += [pick(0, 1) and reals(directions, batch, hidden), pick(0, 1) and reals(directions, 3 * hidden)]
        inputs = [value if isinstance(value, np.ndarray) else None for value in inputs]
        while inputs[-1] is None:
            inputs.pop()
        yield kind, opset, attributes, inputs, 3 if kind == "LSTM" else 2


def label_sums():
    extents = {"i": 2, "j": 3, "k": 4, "b": 2, "h": 3, "A": 2, "z": 5}
    for equation in [
        "ij,jk", "ij,jk->ik", "ij -> ji", "ii", "ii->i", "iij->j", "ij->", "i,i->", "i,j->ij", "bij,bjk->bik",
        "bhij,bhjk->bhik", "bihk,bjhk->bhij", "ij,jk,kz->iz", "ij,ij,ij->j", "ijk,jz,kh->izh", "ij,z->ij", "A,i", "bA",
        "i j , j k -> k i", "bii->b", "iAi,Aj->jA", ",ij->ij", "ij,,j->i", "b,bi,bij,bijk->bk",
    ]:
        terms = equation.replace(" ", "").split("->")[0].split(",")
        yield "Einsum", 12, {"equation": equation}, [reals(*[extents[label] for label in term]) for term in terms]
    for equation, *shapes in [
        ("...ij,...jk->...ik", (5, 2, 3), (5, 3, 4)), ("...i,...i->...", (2, 3, 4), (2, 3, 4)),
        ("i...->...i", (2, 3, 4)), ("...", (2, 3)), ("b...,b...", (2, 3), (2, 3)), ("...ii->...i", (4, 2, 2)),
        ("i...j,j->i...", (2, 5, 3), (3,)), ("...ij,...jk", (1, 2, 3), (5, 3, 4)),
    ]:
        yield "Einsum", 13, {"equation": equation}, [reals(*shape) for shape in shapes]
    yield "Einsum", 12, {"equation": "ij,jk->ik"}, [
        random.integers(-9, 9, (3, 4)).astype(np.int64), random.integers(-9, 9, (4, 2)).astype(np.int64)]


def regions():
    for index in range(24):
        x = reals(2, 3, 9, 7)
        corners = random.uniform(-2, 9, (4, 4)).astype(np.float32)
        corners[:3, 2:] = corners[:3, :2] + random.uniform(0.5, 8, (3, 2)).astype(np.float32)
        attributes = {
            "output_height": int(random.integers(1, 4)), "output_width": int(random.integers(1, 4)),
            "sampling_ratio": pick(0, 0, 1, 2, 3), "spatial_scale": pick(1.0, 0.5, 1.25), "mode": pick("avg", "avg", "max"),
        }
        opset = pick(10, 16, 21)
        if opset >= 16 and pick(0, 1):
            attributes["coordinate_transformation_mode"] = pick("half_pixel", "output_half_pixel")
        yield "RoiAlign", opset, attributes, [x, corners, random.integers(0, 2, 4)]
    for _ in range(12):
        corners = random.uniform(-2, 9, (4, 4)).astype(np.float32)
        rois = np.concatenate([random.integers(0, 2, (4, 1)).astype(np.float32), corners], axis=1)
        attributes = {
            "pooled_shape": [int(random.integers(1, 5)), int(random.integers(1, 5))], "spatial_scale": pick(1.0, 0.5)}
        yield "MaxRoiPool", 7, attributes, [reals(2, 3, 9, 7), rois]


def suppressions():
    for _ in range(24):
        count = int(random.integers(1, 12))
        boxes = random.uniform(0, 1, (2, count, 4)).astype(np.float32)
        scores = (random.integers(0, 6, (2, 3, count)) / 8).astype(np.float32)
        inputs = [boxes, scores, integers(pick(1, 3, 20)), np.array([pick(0.0, 0.2, 0.5)], np.float32)]
        if pick(0, 1):
            inputs.append(np.array([pick(0.0, 0.25)], np.float32))
        yield "NonMaxSuppression", pick(10, 11), {"center_point_box": pick(0, 1)}, inputs


def quantized():
    def whole(kind, *shape):
        limits = np.iinfo(kind)
        # Without VNNI, ONNX Runtime saturates the sum of two products of uint8 and int8 at 16 bits.
        least, greatest = (-64, 63) if kind == np.int8 else (limits.min, limits.max)
        return random.integers(least, greatest + 1, shape).astype(kind)

    for _ in range(12):
        group = pick(1, 2)
        one, other = np.uint8, pick(np.uint8, np.int8)
        kernel = [int(random.integers(1, 4)) for _ in range(2)]
        attributes = {"group": group, **window(2, kernel)}
        x, weight = whole(one, 2, 2 * group, 7, 8), whole(other, 3 * group, 2, *kernel)
        yield "ConvInteger", 10, attributes, [x, weight, whole(one), whole(other)]
        scales = positive(3 * group) if pick(0, 1) else positive(1)[0]
        inputs = [
            x, positive(1)[0], whole(one), weight, scales, np.zeros(scales.shape, other), np.float32(random.uniform(50, 300)),
            whole(one)]
        yield "QLinearConv", 10, attributes, inputs + ([whole(np.int32, 3 * group) // 2**20] if pick(0, 1) else [])
    for _ in range(12):
        one, other = np.uint8, pick(np.uint8, np.int8)
        a, b = whole(one, 2, 3, 5), whole(other, 5, 4)
        yield "MatMulInteger", 10, {}, [a, b, whole(one), whole(other, 4) if pick(0, 1) else whole(other)]
        yield "QLinearMatMul", pick(10, 21), {}, [
            a, positive(1)[0], whole(one), b, positive(1)[0], whole(other), np.float32(random.uniform(50, 300)), whole(one)]


def run(kind, opset, attributes, inputs, outputs):
    """Makes the node and gives it with what ONNX Runtime computes."""
    names = [f"x{index}" if value is not None else "" for index, value in enumerate(inputs)]
    results = [f"y{index}" for index in range(outputs)]
    node = onnx.helper.make_node(kind, names, results, **attributes)
    given = {name: np.asarray(value) for name, value in zip(names, inputs) if name}
    ports = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in given.items()
    ]
    graph = onnx.helper.make_graph(
        [node], "case", ports, [onnx.ValueInfoProto(name=name) for name in results])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return node, session.run(None, given)


def main():
    onnxruntime.set_default_logger_severity(4)
    cases, blob, refused = [], bytearray(), 0
    generators = [
        convolutions(), transposed_convolutions(), pools(), older_forms(), resizes(), pool_indices(), samples(),
        rearrangements(), transforms(), attentions(), normalizations(), recurrent_layers(), label_sums(), regions(),
        suppressions(), quantized(),
    ]
    for number, case in enumerate(case for generator in generators for case in generator):
        kind, opset, attributes, inputs, *outputs = case
        try:
            node, results = run(kind, opset, attributes, inputs, outputs[0] if outputs else 1)
        except Exception as error:
            print(f"{number} {kind}-{opset} {attributes}: left out, {str(error)[:160]}")
            refused += 1
            continue
        cases.append(
            {
                "name": f"{kind}-{opset} #{number}",
                "type": kind,
                "opset": opset,
                "attributes": {item.name: convert_attribute(item, blob) for item in node.attribute},
                "inputs": [None if value is None else store(value, blob) for value in inputs],
                "outputs": [store(value, blob) for value in results],
            })
    (HERE / "random.bin").write_bytes(blob)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "random.json").write_text(f"[\n{lines}\n]\n")
    print(f"{len(cases)} cases, {len(blob)} bytes, {refused} left out")


if __name__ == "__main__":
    main()
