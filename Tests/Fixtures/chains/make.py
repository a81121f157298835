#!/usr/bin/env python3
"""Writes the chain fixtures: make.py keras | tf2onnx | torch

    <name>.onnx                     as the exporter leaves it
    <name>.x.npy, <name>.y.npy      an input, and the output of ONNX Runtime with every optimisation off

README.md says what should become of each. `keras` needs keras, torch, onnx, onnxscript and onnxruntime; `tf2onnx` needs
tensorflow and tf2onnx; `torch` needs torch, onnx and onnxscript. Weights are seeded, not trained.
"""
import os
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
ITEM_COUNT = 2


def keras_network(dtype):
    """Channels last: preprocessing, Conv, depthwise Conv and ConvTranspose, each with a normalization; a dense head."""
    import keras
    from keras import layers

    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy(dtype)
    given = layers.Input((12, 12, 3))
    x = layers.Rescaling(1 / 255.0, offset=-0.5)(given)
    if keras.config.backend() == "torch":
        x = layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[0.5, 0.6, 0.7])(x)
    for layer in (
        layers.Conv2D(4, 3, padding="same", use_bias=False),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.Conv2DTranspose(6, 2, strides=2),
        layers.GlobalAveragePooling2D(),
        layers.Dense(8),
    ):
        x = layer(x)
        if not isinstance(layer, layers.GlobalAveragePooling2D):
            x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(given, layers.Dense(3)(x))


def keras_sequence():
    """Conv over time, then a dense layer on the last of three axes, each with a normalization."""
    import keras
    from keras import layers

    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")
    given = layers.Input((10, 4))
    x = given
    for layer in (layers.Conv1D(6, 3, padding="same"), layers.Dense(5)):
        x = layers.ReLU()(layers.BatchNormalization()(layer(x)))
    return keras.Model(given, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))


def randomise(model, random):
    for layer in model.layers:
        if type(layer).__name__ != "BatchNormalization":
            continue
        count = layer.gamma.shape[0]
        layer.gamma.assign(random.uniform(-1.5, 1.5, count))
        layer.beta.assign(random.uniform(-1, 1, count))
        layer.moving_mean.assign(random.uniform(-1, 1, count))
        layer.moving_variance.assign(random.uniform(0.1, 2, count))


def write_keras(name, model, random):
    randomise(model, random)
    x = random.uniform(-1, 1, (ITEM_COUNT,) + model.input_shape[1:]).astype("float32")
    model(x)
    path = FOLDER / f"{name}.onnx"
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        import tensorflow
        import tf2onnx

        signature = [tensorflow.TensorSpec((None,) + x.shape[1:], tensorflow.float32)]
        function = tensorflow.function(lambda value: model(value, training=False), input_signature=signature)
        tf2onnx.convert.from_function(function, input_signature=signature, opset=17, output_path=str(path))
    else:
        model.export(str(path), format="onnx", verbose=False)
    write_golden(name, x)


def torch_network():
    import torch
    from torch import nn

    class Network(nn.Module):
        """Normalised input, InstanceNorm with running statistics, and a scale behind a convolution."""

        def __init__(self):
            super().__init__()
            self.first, self.first_norm = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
            self.up = nn.ConvTranspose2d(8, 6, 2, stride=2, groups=2)
            self.up_norm = nn.InstanceNorm2d(6, affine=True, track_running_stats=True)
            self.last, self.scale = nn.Conv2d(6, 6, 1), nn.Parameter(torch.rand(6, 1, 1) + 0.5)
            self.dense, self.dense_norm, self.head = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)
            self.register_buffer("input_mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
            self.register_buffer("input_deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

        def forward(self, x):
            x = (x - self.input_mean) / self.input_deviation
            x = torch.relu(self.first_norm(self.first(x)))
            x = torch.relu(self.up_norm(self.up(x)))
            x = torch.relu(self.last(x) * self.scale).mean((2, 3))
            return self.head(torch.relu(self.dense_norm(self.dense(x))))

    torch.manual_seed(0)
    network = Network().eval()
    for layer in network.modules():
        if getattr(layer, "running_var", None) is not None:
            layer.running_mean.uniform_(-1, 1), layer.running_var.uniform_(0.1, 2)
            layer.weight.data.uniform_(-1.5, 1.5), layer.bias.data.uniform_(-1, 1)
    return network


def write_torch():
    import torch

    network, x = torch_network(), torch.rand(ITEM_COUNT, 3, 8, 8)
    torch.onnx.export(
        network, (x,), FOLDER / "torchscript.onnx", dynamo=False, training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False)
    write_golden("torchscript", x.numpy())
    program = torch.onnx.export(network, (x,), dynamo=True, optimize=False)
    program.save(FOLDER / "dynamo.onnx", external_data=False)
    strip_metadata(FOLDER / "dynamo.onnx")
    write_golden("dynamo", x.numpy())


def strip_metadata(path):
    """Stack traces of the machine that exported it."""
    import onnx

    model = onnx.load(path)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in list(model.graph.value_info) + list(model.graph.input) + list(model.graph.output):
        del value.metadata_props[:]
    onnx.save(model, path)


def write_golden(name, x):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(FOLDER / f"{name}.onnx"), options)
    np.save(FOLDER / f"{name}.x.npy", x)
    np.save(FOLDER / f"{name}.y.npy", session.run(None, {session.get_inputs()[0].name: x})[0])


def main(exporter):
    random = np.random.default_rng(1)
    if exporter == "torch":
        write_torch()
    elif exporter in ("keras", "tf2onnx"):
        os.environ["KERAS_BACKEND"] = "torch" if exporter == "keras" else "tensorflow"
        write_keras(f"{exporter}_image", keras_network("float32"), random)
        write_keras(f"{exporter}_sequence", keras_sequence(), random)
        if exporter == "keras":
            write_keras("keras_mixed", keras_network("mixed_float16"), random)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
