#!/usr/bin/env python3
"""Writes small networks as the Keras that is installed saves them, with inputs and its answers: make.py [NAME ...]

    keras<version>_<name>.h5, .keras    a network; the version is 315 of Keras 3.15
    keras<version>_<name>.x<i>.npy      its inputs, in the model's order
    keras<version>_<name>.y<i>.npy      its outputs, in the model's order

Run it with Keras 2 (keras==2.15.0 and tensorflow-cpu==2.15.1 are what made these), with the Keras 3 that
Tests/Benchmarks/requirements.txt pins and with the two minor releases before it (3.14.1 and 3.13.2 are what made these).
"""
import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras  # noqa: E402
import numpy  # noqa: E402
from keras import layers  # noqa: E402

FOLDER = Path(__file__).resolve().parent
VERSION = "".join(keras.__version__.split(".")[:2])
COUNT = 2


def sequential():
    return keras.Sequential([
        layers.InputLayer((9, 8, 2)),
        layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="first"),
        layers.BatchNormalization(),
        layers.ReLU(6.0),
        layers.DepthwiseConv2D(3, padding="same", activation="elu"),
        layers.BatchNormalization(scale=False),
        layers.MaxPooling2D(2, padding="same"),
        layers.Dropout(0.3),
        layers.Flatten(),
        layers.Dense(3, activation="softmax", name="probabilities")])


def functional():
    """Two inputs, a layer called twice, merges, and two outputs."""
    image, features = keras.Input((6, 6, 2), name="image"), keras.Input((3,), name="features")
    shared = layers.Conv2D(3, 2, padding="same", name="shared")
    x = layers.LeakyReLU()(layers.BatchNormalization(epsilon=1e-4)(shared(image)))
    y = layers.PReLU(shared_axes=[1, 2])(shared(layers.UpSampling2D(2)(image)))
    y = layers.AveragePooling2D(2)(layers.ZeroPadding2D(((1, 0), (0, 1)))(layers.Cropping2D(((1, 0), (0, 1)))(y)))
    z = layers.SeparableConv2D(3, 3, padding="same", activation="hard_sigmoid")(layers.Add()([x, y]))
    z = layers.Concatenate()([z, layers.Conv2DTranspose(2, 3, padding="same", activation="swish")(x)])
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(z), layers.Dense(4, activation="tanh")(features)])
    first = layers.Dense(2, activation="sigmoid", name="first")(pooled)
    return keras.Model([image, features], [first, layers.Reshape((3, -1), name="second")(layers.LayerNormalization()(y))])


def recurrent():
    tokens = keras.Input((5,), dtype="int32", name="tokens")
    x = layers.Embedding(7, 4)(tokens)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.TimeDistributed(layers.Dense(4, activation="relu"))(layers.BatchNormalization()(x))
    x = layers.Conv1D(4, 3, padding="causal")(x)
    return keras.Model(tokens, layers.Concatenate()([
        layers.GRU(3)(x), layers.GRU(2, reset_after=False, go_backwards=True)(x), layers.SimpleRNN(2)(x)]))


def nested():
    """Models inside a model, each with weights of its own."""
    inner = keras.Sequential([layers.InputLayer((6,)), layers.Dense(4), layers.BatchNormalization()], name="inner")
    start = keras.Input((6,))
    middle = keras.Model(start, layers.Dense(5, name="dense")(inner(start)), name="middle")
    outer = keras.Input((6,), name="outer")
    return keras.Model(outer, layers.Dense(2, name="dense")(layers.Activation("relu")(middle(outer))))


def trained():
    """Compiled and fitted: the file holds an optimizer as well."""
    model = keras.Sequential([
        layers.InputLayer((5,)), layers.Dense(6, use_bias=False), layers.BatchNormalization(), layers.Activation("relu"),
        layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    random = numpy.random.default_rng(1)
    model.fit(random.standard_normal((16, 5)), random.standard_normal((16, 2)), epochs=2, verbose=0)
    return model


def functions():
    """Arithmetic between layers, as preprocessing and activations of one's own are often written."""
    start = keras.Input((6, 6, 3), name="image")
    x = start / 127.5 - 1.0
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x))
    x = x * (layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0))
    x = 1.0 - x * x + (-x) ** 2 / (2.0 + x * x)
    return keras.Model(start, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))


NETWORKS = {make.__name__: make for make in (sequential, functional, recurrent, nested, trained, functions)}


def randomize(model, random):
    """Every weight as after training: none is 0 or 1."""
    values = []
    for weight in model.get_weights():
        values.append(random.uniform(0.5, 1.5, weight.shape) if weight.ndim == 1 else random.normal(0, 0.5, weight.shape))
    model.set_weights(values)


def write(name):
    keras.utils.set_random_seed(0)
    random = numpy.random.default_rng(0)
    model = NETWORKS[name]()
    if name != "trained":
        randomize(model, random)
    inputs = []
    for tensor in model.inputs:
        shape = (COUNT, *tensor.shape[1:])
        values = random.integers(0, 7, shape) if "int" in str(tensor.dtype) else random.standard_normal(shape)
        inputs.append(values.astype("int32" if "int" in str(tensor.dtype) else "float32"))
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    stem = f"keras{VERSION}_{name}"
    for kind, tensors in (("x", inputs), ("y", outputs if isinstance(outputs, list) else [outputs])):
        for index, tensor in enumerate(tensors):
            numpy.save(FOLDER / f"{stem}.{kind}{index}.npy", tensor)
    # Keras 3 itself cannot read operations from an HDF5 file.
    for suffix in (".keras",) if name == "functions" and VERSION[0] == "3" else (".h5", ".keras"):
        model.save(FOLDER / (stem + suffix))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for network in sys.argv[1:] or NETWORKS:
        write(network)
