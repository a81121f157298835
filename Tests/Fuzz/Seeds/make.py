#!/usr/bin/env python3
"""Writes what the seeds of the model formats are made of: make.py [keras] [pytorch]

    keras.json      a small model for each layer, its configuration as Keras states it, without what nobody reads
    pytorch.json    a small program for each family of operators, as torch.export.save states it, and its weights' lists

Of weights only the shapes are kept: seeds.py fills them. Needs what Tests/Benchmarks/requirements.txt pins.
"""
import json
import os
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
FOLDER = Path(__file__).resolve().parent

# Settings of training, and what states the same again.
UNREAD = {
    "registered_name", "build_config", "compile_config", "trainable", "seed", "noise_shape", "autocast", "synchronized",
    "momentum", "stddev", "rate", "shared_object_id"}
UNREAD_ENDINGS = ("initializer", "regularizer", "constraint")


def write_lines(name, entries):
    lines = [json.dumps({"name": name, **entry}, separators=(",", ":")) for name, entry in entries]
    (FOLDER / f"{name}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


# Keras

def keras_models():
    import keras
    from keras import layers

    def chain(shape, *stack, **options):
        return keras.Sequential([layers.Input(shape, **options), *stack])

    def joined(shape, count, function):
        inputs = [keras.Input(shape) for _ in range(count)]
        return keras.Model(inputs, function(*inputs))

    image, series, volume = (6, 5, 2), (8, 3), (4, 5, 4, 2)
    bn = layers.BatchNormalization
    yield "classifier", chain(
        image, layers.Rescaling(0.5, offset=-1.0), layers.Conv2D(3, 3, strides=2, padding="same", use_bias=False), bn(),
        layers.ReLU(6.0), layers.Dropout(0.2), layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dense(2, activation="softmax"))
    yield "conv1d", chain(series, layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="elu"), bn(axis=-1))
    yield "conv2d_groups", chain((6, 6, 4), layers.Conv2D(4, 2, groups=2, activation="gelu"), bn(scale=False))
    yield "conv3d", chain(volume, layers.Conv3D(2, 2, padding="same"), bn(center=False), layers.GlobalMaxPooling3D())
    yield "transpose1d", chain(series, layers.Conv1DTranspose(2, 4, strides=2, padding="same"), layers.LeakyReLU())
    yield "transpose2d", chain(image, layers.Conv2DTranspose(2, 3, strides=2), bn(), layers.Activation("hard_sigmoid"))
    yield "transpose3d", chain(volume, layers.Conv3DTranspose(2, 2, strides=2), layers.AveragePooling3D(2))
    yield "depthwise", chain(
        image, layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2), bn(), layers.Activation("swish"))
    yield "depthwise1d", chain(series, layers.DepthwiseConv1D(3), layers.GlobalAveragePooling1D(keepdims=True))
    yield "separable", chain(image, layers.SeparableConv2D(3, 3, activation=layers.LeakyReLU(negative_slope=0.1)))
    yield "separable1d", chain(series, layers.SeparableConv1D(2, 3, dilation_rate=2, padding="same"))
    yield "paddings", chain(
        image, layers.ZeroPadding2D(((1, 2), (0, 1))), layers.Cropping2D((1, 1)), layers.UpSampling2D(2),
        layers.UpSampling2D(2, interpolation="bilinear"))
    yield "paddings1d", chain(series, layers.ZeroPadding1D((1, 2)), layers.Cropping1D(1), layers.UpSampling1D(2))
    yield "paddings3d", chain(volume, layers.ZeroPadding3D(1), layers.Cropping3D((1, 0, (0, 1))), layers.UpSampling3D(1))
    yield "pools", chain(
        image, layers.AveragePooling2D((2, 3), strides=1, padding="same"), layers.MaxPooling2D(3, strides=2, padding="same"),
        layers.GlobalAveragePooling2D())
    yield "pools1d", chain(series, layers.MaxPooling1D(2), layers.AveragePooling1D(2), layers.GlobalMaxPooling1D())
    yield "shapes", chain(
        image, layers.Permute((3, 1, 2)), layers.Reshape((2, -1)), layers.Flatten(), layers.RepeatVector(2))
    yield "normalizations", chain(
        image, layers.LayerNormalization(), layers.GroupNormalization(-1), layers.UnitNormalization(),
        layers.PReLU(shared_axes=[1, 2]))
    yield "group_norm", chain((4, 4, 4), layers.GroupNormalization(2), layers.LayerNormalization(axis=[1, 2, 3]))
    yield "spectral", chain(image, layers.SpectralNormalization(layers.Conv2D(2, 2)))
    yield "features", chain((3,), layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]), layers.ELU(0.5))
    yield "activations", chain(
        (4,), layers.Dense(3, activation="selu"), bn(), *map(layers.Activation, (
            "softplus", "softsign", "tanh", "mish", "hard_silu", "exponential", "log_softmax", "celu", "relu6")),
        layers.Softmax())
    yield "embedding", chain((4,), layers.Embedding(5, 3), layers.GRU(2, reset_after=False), dtype="int32")
    yield "lstm", chain(series, layers.Bidirectional(layers.LSTM(2, return_sequences=True)), bn())
    yield "gru", chain(series, layers.Bidirectional(layers.GRU(2), merge_mode="sum"))
    yield "rnn", chain(series, layers.SimpleRNN(2, go_backwards=True, return_sequences=True))
    yield "distributed", chain((2, 4, 4, 2), layers.TimeDistributed(layers.Conv2D(2, 2, activation="relu")))
    yield "distributed_norm", chain((3, 4), layers.TimeDistributed(layers.Dense(2)), layers.TimeDistributed(bn()))
    yield "merges", joined((4, 2), 2, lambda x, y: layers.Concatenate()([
        layers.Add()([x, y]), layers.Subtract()([x, y]), layers.Multiply()([x, y]), layers.Maximum()([x, y]),
        layers.Minimum()([x, y]), layers.Average()([x, y])]))
    yield "operations", joined((3,), 2, lambda x, y: keras.ops.abs((x * 2.0 + y) / 3.0 - x ** 2) - keras.ops.relu(-x))
    yield "functions", joined((4, 2), 1, lambda x: keras.ops.matmul(
        keras.ops.softmax(keras.ops.transpose(keras.ops.gelu(x), (0, 2, 1))),
        keras.ops.concatenate([keras.ops.mean(x, axis=2, keepdims=True), keras.ops.reshape(x, (-1, 4, 2))], axis=-1)))
    yield "dots", joined((4, 2), 2, lambda x, y: layers.Dot(axes=-1, normalize=True)([
        layers.Flatten()(layers.Dot(axes=(2, 2))([x, y])), layers.Flatten()(layers.Dot(axes=2)([y, y]))]))
    yield "root_mean_square", chain(
        series, layers.RMSNormalization(), layers.Softmax(axis=(1, 2)), layers.ReLU(2.0, 0.1, 0.3), layers.Activation("glu"))
    yield "photograph", chain(
        (9, 8, 3), layers.RandomFlip(), layers.Resizing(6, 5), layers.CenterCrop(4, 4),
        layers.Resizing(3, 2, interpolation="nearest"))
    yield "states", joined(series, 1, lambda x: layers.LSTM(2, return_state=True)(x))
    yield "any_extent", chain((None, None, 2), layers.Conv2D(2, 3, strides=2, padding="same"), bn())
    yield "channels_first", chain((2, 5, 5), layers.Conv2D(2, 2, data_format="channels_first"), bn(axis=1))

    def nested(x):
        block = chain((4,), layers.Dense(4), bn())
        return block(block(x)) + x
    yield "nested", joined((4,), 1, nested)


def pruned(value):
    if isinstance(value, dict):
        if value.get("class_name") == "DTypePolicy":
            return value["config"]["name"]
        return {key: pruned(item) for key, item in value.items()
                if key not in UNREAD and not key.endswith(UNREAD_ENDINGS)}
    return [pruned(item) for item in value] if isinstance(value, list) else value


def write_keras():
    import h5py
    import keras
    entries = []
    for name, model in keras_models():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            model.save(path)
            with zipfile.ZipFile(path) as archive:
                config = json.loads(archive.read("config.json"))
                archive.extract("model.weights.h5", folder)
            weights = {}

            def visit(path, item):
                if isinstance(item, h5py.Dataset) and not path.startswith("optimizer"):
                    weights[path] = [str(item.dtype), list(item.shape)]

            with h5py.File(Path(folder) / "model.weights.h5") as file:
                file.visititems(visit)
        entries.append((name, {"config": pruned(config), "weights": weights}))
        keras.backend.clear_session()
    write_lines("keras", entries)


# PyTorch

def pytorch_programs():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Function(nn.Module):
        def __init__(self, function, **modules):
            super().__init__()
            for name, module in modules.items():
                self.add_module(name, module)
            self.function = function

        def forward(self, *inputs):
            return self.function(self, *inputs)

    image, series, vector = torch.randn(2, 2, 6, 5), torch.randn(2, 2, 8), torch.randn(2, 4)
    volume = torch.randn(2, 2, 4, 4, 4)
    layers = {
        "classifier": (nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(18, 2), nn.Softmax(1)), image),
        "conv1d": (nn.Sequential(nn.Conv1d(2, 4, 3, stride=2, padding=1, groups=2), nn.BatchNorm1d(4), nn.ELU()), series),
        "conv_same": (nn.Sequential(nn.Conv2d(2, 2, 3, padding="same", bias=False), nn.BatchNorm2d(2)), image),
        "transpose": (nn.Sequential(nn.ConvTranspose2d(2, 3, 3, 2, 1, 1), nn.BatchNorm2d(3), nn.Hardswish()), image),
        "transpose3d": (nn.ConvTranspose3d(2, 2, 2, 2), volume),
        "norms": (nn.Sequential(nn.GroupNorm(1, 2), nn.InstanceNorm2d(2, affine=True), nn.LayerNorm(5)), image),
        "rms": (nn.Sequential(nn.RMSNorm(4), nn.Linear(4, 3), nn.GELU(), nn.LayerNorm(3, bias=False)), vector),
        "tracked": (nn.InstanceNorm2d(2, affine=True, track_running_stats=True), image),
        "embedding": (nn.Embedding(5, 3), torch.tensor([[1, 2], [3, 4]])),
        "activations": (nn.Sequential(
            nn.LeakyReLU(0.2), nn.PReLU(), nn.Hardtanh(-2, 2), nn.Softplus(), nn.Mish(), nn.CELU(1.5), nn.SELU(),
            nn.Softsign(), nn.Hardsigmoid(), nn.Threshold(0.1, 0.5), nn.Tanh(), nn.LogSigmoid(), nn.Hardshrink(),
            nn.Softshrink(), nn.Tanhshrink(), nn.LogSoftmax(1)), vector),
        "adaptive": (nn.Sequential(nn.AdaptiveAvgPool2d((3, 2)), nn.AdaptiveMaxPool2d(1), nn.Flatten()), image),
        "pools": (nn.Sequential(
            nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.MaxPool2d(2, ceil_mode=True), nn.Dropout()), image),
        "pools1d": (nn.Sequential(nn.MaxPool1d(3, 2, 1), nn.AvgPool1d(2)), series),
        "lstm": (nn.LSTM(8, 2, bidirectional=True, batch_first=True), series),
        "gru": (nn.GRU(8, 2, batch_first=True), series),
        "weight_norm": (nn.utils.weight_norm(nn.Conv1d(2, 2, 3)), series),
    }
    functions = {
        "residual": (lambda x: F.relu(x + x.mean((2, 3), keepdim=True) * 2 - 1, inplace=True), image),
        "views": (lambda x: x.view(x.shape[0], 2, -1).transpose(1, 2).reshape(x.shape[0], -1, 3).permute(0, 2, 1), image),
        "slices": (lambda x: torch.cat([x[:, :1, ::2], x[:, 1:, 1::2].flip(3).roll(1, 2)], 1).squeeze().unsqueeze(0), image),
        "splits": (lambda x: torch.stack([*x.chunk(2, 1), *torch.split(x, [1, 1], 1)], 1), image),
        "unbind": (lambda x: x.unbind(1)[0] + x.select(1, 1) + x.narrow(1, 0, 1).squeeze(1), image),
        "shuffles": (lambda x: F.pixel_unshuffle(F.pixel_shuffle(torch.cat([x, x], 1), 2), 2), image),
        "pads": (lambda x: F.pad(F.pad(F.pad(x, (1, 0, 1, 1), "reflect"), (1, 0)), (0, 1, 1, 0), "replicate"), image),
        "resizes": (lambda x: F.interpolate(F.interpolate(x, scale_factor=2), size=(5, 4), mode="bilinear"), image),
        "reductions": (lambda x: x.std(1) + x.var(1, correction=0) + x.logsumexp(1) + x.amax(1) - x.prod(1), vector),
        "choices": (lambda x: (*x.max(1), x.argmax(1), *x.topk(2, 1), torch.where(x > 0, x, -x), x.masked_fill(x == 0, -3)),
                    vector),
        "arithmetic": (lambda x: torch.add(x, x.abs(), alpha=2).pow(2).sqrt() / (x.exp() + 1) + x.clamp(-1, 1) - x.floor(),
                       vector),
        "comparisons": (lambda x: (x >= 0.5) & (x.long() != 1) | ~(x < 0), vector),
        "creations": (lambda x: x + torch.zeros_like(x) + torch.full((4,), 2.0) + torch.arange(4) + torch.ones(2, 1), vector),
        "products": (lambda x: torch.einsum("ij,kj->ik", x, x) @ x + torch.addmm(x, x[:, :2], x), vector),
        "attention": (lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), series),
        "repeats": (lambda x: x.repeat(1, 2).expand(3, -1, -1).flatten(1).cumsum(1).tril(), vector),
        "gathers": (lambda x: x[:, torch.tensor([1, 0])] + x.index_select(1, torch.tensor([2, 3])), vector),
        "positions": (lambda x: x[:, :, torch.tensor([[0], [3]]), torch.tensor([1, 2])], image),
        "put": (lambda x: torch.index_put(x * 1, (torch.tensor([0, 1]), torch.tensor([1, 0])), x.sum(1), True), vector[:, :2]),
        "windows": (lambda x: F.fold(F.unfold(x, 2, stride=2), (6, 4), 2, stride=2), image),
        "normalize": (lambda x: F.normalize(x, dim=1) * x.norm(dim=1, keepdim=True), vector),
    }

    def contexts(self, x):
        with torch.no_grad():
            mean = x.mean(1, keepdim=True)
        with torch.autocast("cpu", enabled=False):
            return (x - mean).relu(), mean
    yield "contexts", Function(contexts).eval(), vector
    for name, (layer, value) in layers.items():
        yield name, layer.eval(), value
    for name, (function, value) in functions.items():
        yield name, Function(lambda self, x, function=function: function(x)).eval(), value


def is_read(key):
    return key not in ("metadata", "is_hop_single_tensor_return", "kind", "requires_grad", "device", "is_param")


def stripped(value):
    if isinstance(value, dict):
        return {key: stripped(item) for key, item in value.items() if is_read(key)}
    return [stripped(item) for item in value] if isinstance(value, list) else value


def write_pytorch():
    import torch
    entries = []
    for name, model, value in pytorch_programs():
        is_dynamic = name not in ("slices", "creations", "products", "repeats")
        shapes = {0: torch.export.Dim.AUTO} if is_dynamic else None
        path = Path(tempfile.mkdtemp()) / "m.pt2"
        wanted = ((shapes,),) if type(model).__name__ == "Function" else (shapes,)
        torch.export.save(torch.export.export(model, (value,), dynamic_shapes=wanted if shapes else None), path)
        with zipfile.ZipFile(path) as archive:
            model = json.loads(archive.read("m/models/model.json"))
            lists = {kind: json.loads(archive.read(f"m/data/{kind}/model_{kind}_config.json"))
                     for kind in ("weights", "constants")}
            sizes = {item.filename[2:]: item.file_size for item in archive.infolist()
                     if item.filename.startswith(("m/data/weights/", "m/data/constants/")) and "config" not in item.filename}
        module = model["graph_module"]
        graph = {key: module["graph"][key] for key in ("nodes", "tensor_values", "sym_int_values")}
        for tensor in graph["tensor_values"].values():
            for key in ("strides", "storage_offset", "layout"):
                del tensor[key]
        kept = {"graph_module": {"graph": graph, "signature": module["signature"]},
                "schema_version": model["schema_version"]}
        entries.append((name, {"model": stripped(kept), **{key: stripped(item) for key, item in lists.items()},
                               "sizes": sizes}))
    write_lines("pytorch", entries)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for kind in sys.argv[1:] or ("keras", "pytorch"):
        globals()[f"write_{kind}"]()
