#!/usr/bin/env python3
"""Writes networks as Keras exports them to ONNX, with seeded weights and example inputs.

    make_keras_exports.py OUT [NAME ...]

For each network OUT gets NAME.onnx and NAME.npz, the inputs by name. Needs what Tests/Benchmarks/requirements.txt pins.
"""
import os
import sys
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras  # noqa: E402
import numpy  # noqa: E402
import onnx  # noqa: E402
from keras import layers  # noqa: E402

COUNT = 2


def classifier():
    """Convolutions whose padding is the framework's own, with squeeze and excitation."""
    start = keras.Input((48, 64, 3))
    x = start
    for channels in (16, 32):
        x = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.SeparableConv2D(48, 3, padding="same")(x)
    x = layers.Activation("swish")(layers.BatchNormalization()(x))
    gate = layers.Dense(8, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Multiply()([x, layers.Dense(48, activation="sigmoid")(gate)])
    return keras.Model(start, layers.Dense(7)(layers.GlobalAveragePooling2D()(x)))


def segmenter():
    start = keras.Input((32, 32, 1))
    first = layers.Conv2D(8, 3, padding="same", activation="relu")(start)
    deep = layers.Conv2D(16, 3, strides=2, padding="same", activation="elu")(first)
    x = layers.Concatenate()([first, layers.Conv2DTranspose(8, 2, strides=2)(deep)])
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    return keras.Model(start, layers.Conv2D(1, 1, activation="sigmoid")(x))


def recurrent():
    start = keras.Input((20,))
    x = layers.Bidirectional(layers.LSTM(12))(layers.Embedding(100, 16)(start))
    return keras.Model(start, layers.Dense(3)(x))


def audio():
    start = keras.Input((800, 1))
    x = layers.Conv1D(16, 16, strides=4, padding="causal")(start)
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.AveragePooling1D(4)(layers.DepthwiseConv1D(5, padding="same")(x))
    return keras.Model(start, layers.Dense(4)(layers.GRU(10)(x)))


def mobilenet():
    return keras.applications.MobileNetV3Small(input_shape=(96, 96, 3), weights=None, classes=10)


NETWORKS = {
    "keras-classifier": classifier, "keras-segmenter": segmenter, "keras-recurrent": recurrent, "keras-audio": audio,
    "keras-mobilenet": mobilenet,
}


def randomise(model, random):
    """Normalization as after training; without it the deepest networks answer the same to everything."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            for variable, low, high in [
                (layer.gamma, 0.5, 1.5), (layer.beta, -0.5, 0.5), (layer.moving_mean, -0.2, 0.2),
                (layer.moving_variance, 0.05, 0.2),
            ]:
                variable.assign(random.uniform(low, high, variable.shape).astype(numpy.float32))


def write(name, folder):
    keras.utils.set_random_seed(0)
    random = numpy.random.default_rng(0)
    model = NETWORKS[name]()
    randomise(model, random)
    shape = (COUNT, *model.input_shape[1:])
    # The exporter takes the shapes from a call.
    example = random.integers(0, 100, shape) if name == "keras-recurrent" else random.standard_normal(shape)
    model(example.astype(numpy.float32))
    path = folder / f"{name}.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export(path, format="onnx", verbose=False)
    (port,) = onnx.load(path).graph.input
    type_ = onnx.helper.tensor_dtype_to_np_dtype(port.type.tensor_type.elem_type)
    numpy.savez(path.with_suffix(".npz"), **{port.name: example.astype(type_)})


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 64
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments[1:] or NETWORKS:
        write(name, folder)
        print(name, "written", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
