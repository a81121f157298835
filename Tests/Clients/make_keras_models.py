#!/usr/bin/env python3
"""Writes networks as Keras saves them, with seeded weights, example inputs and Keras's own answers.

    make_keras_models.py OUT [NAME ...]

For each network OUT gets NAME.keras, NAME.h5, NAME.onnx where Keras can export it, and NAME.npz: `input:` and `output:`
with the names that Keras gives them. Needs what Tests/Benchmarks/requirements.txt pins.
"""
import os
import sys
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras  # noqa: E402
import numpy  # noqa: E402
from keras import layers  # noqa: E402

COUNT = 2


def image_classifier():
    """What most networks for images are."""
    start = keras.Input((33, 46, 3), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(start)
    for channels, activation in ((16, "relu"), (24, "relu6"), (32, "swish")):
        x = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.Activation(activation)(layers.BatchNormalization()(x))
    x = layers.Dropout(0.3)(layers.MaxPooling2D(2)(x))
    x = layers.Dense(20, activation="gelu")(layers.Flatten()(x))
    return keras.Model(start, layers.Dense(7, activation="softmax", name="probabilities")(x))


def sequential():
    return keras.Sequential([
        layers.Input((17, 19, 2)),
        layers.ZeroPadding2D(((1, 2), (0, 3))),
        layers.Conv2D(8, (3, 5), strides=(2, 1), dilation_rate=1, activation="elu"),
        layers.BatchNormalization(scale=False),
        layers.GaussianNoise(0.1),
        layers.ActivityRegularization(0.01),
        layers.AveragePooling2D((2, 3), strides=1, padding="valid"),
        layers.Cropping2D(((1, 0), (2, 1))),
        layers.Conv2D(12, 2, groups=2, padding="same", activation="selu"),
        layers.BatchNormalization(center=False, epsilon=1e-4),
        layers.SpatialDropout2D(0.2),
        layers.MaxPooling2D(3, strides=2, padding="same"),
        layers.Permute((3, 1, 2)),
        layers.Reshape((12, -1)),
        layers.GlobalMaxPooling1D(),
        layers.Dense(5, activation="tanh"),
    ])


def separable():
    """Depthwise and separable convolutions with squeeze and excitation, merged in several ways."""
    start = keras.Input((24, 20, 3))
    x = layers.SeparableConv2D(16, 3, strides=2, padding="same", depth_multiplier=2)(start)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    y = layers.DepthwiseConv2D(5, padding="same")(x)
    y = layers.Activation("hard_silu")(layers.BatchNormalization()(y))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
    gate = layers.Dense(16, activation="hard_sigmoid")(layers.Dense(4, activation="relu")(gate))
    y = layers.Multiply()([y, gate])
    z = layers.Conv2D(16, 1, activation=layers.LeakyReLU(negative_slope=0.1))(x)
    total = layers.Add()([x, y, z])
    means = layers.Average()([x, y])
    x = layers.Concatenate()([total, means, layers.Maximum()([y, z]), layers.Subtract()([x, z]),
                              layers.Minimum()([x, y])])
    vector = layers.Dense(80)(layers.GlobalMaxPooling2D()(x))
    x = layers.Multiply()([x, vector])
    return keras.Model(start, layers.Dense(6)(layers.GlobalAveragePooling2D()(x)))


def segmenter():
    """Two inputs' worth of scales, transposed convolutions of every padding, and an image as the answer."""
    start = keras.Input((16, 12, 1))
    first = layers.Conv2D(8, 3, padding="same", activation="relu")(start)
    deep = layers.BatchNormalization()(layers.Conv2D(12, 3, strides=2, padding="same")(first))
    deep = layers.Activation("softplus")(deep)
    same = layers.Conv2DTranspose(8, 3, strides=2, padding="same")(deep)
    valid = layers.Cropping2D(((1, 0), (0, 1)))(layers.Conv2DTranspose(8, 3, strides=2)(deep))
    even = layers.Conv2DTranspose(8, 2, strides=2, activation="mish")(deep)
    wide = layers.Conv2DTranspose(8, 2, strides=2, padding="same", use_bias=False)(deep)
    up = layers.UpSampling2D(2, interpolation="bilinear")(deep)
    x = layers.Concatenate()([first, same, valid, even, wide, up, layers.UpSampling2D((2, 2))(deep)])
    x = layers.BatchNormalization()(x)
    return keras.Model(start, layers.Conv2D(3, 1, activation="softmax", name="mask")(x))


def audio():
    start = keras.Input((200, 2), name="samples")
    x = layers.ZeroPadding1D((1, 3))(start)
    x = layers.Conv1D(16, 8, strides=3, padding="causal")(x)
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv1D(5, padding="same")(x)
    x = layers.SeparableConv1D(12, 3, dilation_rate=2, padding="same", activation="silu")(x)
    x = layers.MaxPooling1D(2)(layers.Cropping1D((1, 2))(x))
    x = layers.Conv1DTranspose(10, 4, strides=2, padding="same")(layers.UpSampling1D(2)(x))
    x = layers.AveragePooling1D(4)(layers.BatchNormalization()(x))
    x = layers.SpatialDropout1D(0.1)(x)
    return keras.Model(start, layers.Dense(4, activation="log_softmax")(layers.GlobalAveragePooling1D()(x)))


def volume():
    start = keras.Input((9, 10, 11, 2))
    x = layers.Conv3D(6, 3, strides=2, padding="same")(start)
    x = layers.ReLU(negative_slope=0.1, max_value=4.0)(layers.BatchNormalization()(x))
    x = layers.ZeroPadding3D(1)(x)
    x = layers.AveragePooling3D(2)(layers.MaxPooling3D(2, strides=1)(x))
    x = layers.SpatialDropout3D(0.1)(layers.Conv3DTranspose(5, 2, strides=2)(x))
    x = layers.Cropping3D((1, 0, (0, 1)))(x)
    y = layers.GlobalMaxPooling3D()(layers.UpSampling3D((1, 2, 1))(x))
    return keras.Model(start, layers.Concatenate()([layers.GlobalAveragePooling3D()(x), y]))


def perceptron():
    """Features that are normalized in the model, and every activation for a vector."""
    start = keras.Input((13,), name="features")
    x = layers.Normalization()(start)
    x = layers.Dense(24, use_bias=False)(x)
    x = layers.PReLU()(layers.BatchNormalization()(x))
    branches = [layers.Dense(6, activation=name)(x) for name in (
        "relu", "sigmoid", "tanh", "softsign", "exponential", "hard_tanh", "celu", "log_sigmoid", "leaky_relu")]
    branches += [layers.ELU(0.7)(branches[0]), layers.Softmax()(branches[1]), layers.AlphaDropout(0.1)(branches[2])]
    x = layers.GaussianDropout(0.1)(layers.Concatenate()(branches))
    x = layers.UnitNormalization()(x)
    return keras.Model(start, {"score": layers.Dense(1, name="score")(x), "classes": layers.Dense(3, name="classes")(x)})


def normalized():
    """Normalizations other than by batch."""
    start = keras.Input((12, 14, 3))
    x = layers.Conv2D(16, 3, padding="same")(start)
    x = layers.Activation("relu")(layers.GroupNormalization(4)(x))
    x = layers.SpectralNormalization(layers.Conv2D(8, 3, activation="relu"))(x)
    x = layers.LayerNormalization()(x)
    x = layers.GroupNormalization(-1)(x)
    x = layers.LayerNormalization(axis=[1, 2, 3], center=False)(x)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    return keras.Model(start, layers.UnitNormalization()(x))


def recurrent():
    start = keras.Input((20,), dtype="int32", name="tokens")
    x = layers.Embedding(100, 16)(start)
    x = layers.Bidirectional(layers.LSTM(12, return_sequences=True))(x)
    x = layers.BatchNormalization()(x)
    x = layers.TimeDistributed(layers.Dense(10, activation="relu"))(x)
    x = layers.Bidirectional(layers.GRU(8, return_sequences=True), merge_mode="sum")(x)
    y = layers.GRU(6, reset_after=False, go_backwards=True)(x)
    z = layers.SimpleRNN(5, activation="relu")(x)
    w, hidden, cell = layers.LSTM(4, return_state=True, recurrent_activation="hard_sigmoid")(x)
    x = layers.Bidirectional(layers.LSTM(7), merge_mode="ave")(x)
    return keras.Model(start, layers.Dense(3)(layers.Concatenate()([x, y, z, w, hidden, cell])))


def video():
    """A small network for each frame."""
    start = keras.Input((4, 10, 8, 3))
    x = layers.TimeDistributed(layers.Conv2D(6, 3, padding="same", activation="relu"))(start)
    x = layers.TimeDistributed(layers.BatchNormalization())(x)
    x = layers.TimeDistributed(layers.GlobalAveragePooling2D())(x)
    return keras.Model(start, layers.GRU(5)(x))


def nested():
    """Models inside a model, one of them shared, with arithmetic between."""
    block = keras.Sequential([
        layers.Input((8, 8, 4)), layers.Conv2D(6, 3, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.ReLU()], name="block")
    inner = keras.Input((8, 8, 6))
    head = keras.Model(inner, layers.Dense(5)(layers.Flatten()(block.layers[-1](layers.Conv2D(3, 3)(inner)))))
    left, right = keras.Input((8, 8, 4), name="left"), keras.Input((8, 8, 4), name="right")
    x = block(left) * 2.0 + block(right) - 0.5
    vector = layers.RepeatVector(3)(head(x))
    return keras.Model([left, right], [layers.Flatten()(vector), keras.ops.relu(x)])


def unknown_extents():
    """Images of any size: what "same" pads is not known before they come."""
    start = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(start)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.BatchNormalization()(x))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    return keras.Model(start, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)))


def augmented():
    """Photographs as bytes, which training alone changes at random, cut and scaled in the model."""
    changes = keras.Sequential([
        layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.2),
        layers.RandomTranslation(0.1, 0.1), layers.RandomContrast(0.2), layers.RandomBrightness(0.2)], name="changes")
    start = keras.Input((40, 36, 3), dtype="uint8", name="photo")
    x = layers.Resizing(24, 20)(changes(start))
    x = layers.Rescaling([1 / 127.5, 1 / 100, 1 / 90], offset=[-1.0, 0.0, 0.5])(layers.CenterCrop(21, 16)(x))
    small = layers.Resizing(9, 11, interpolation="nearest")(x)
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, padding="same")(x))
    x = layers.Resizing(13, 7)(layers.Activation("relu")(x))
    return keras.Model(start, [layers.GlobalAveragePooling2D(name="means")(x), layers.Flatten(name="small")(small)])


def matching():
    """Two sequences that are compared, with activations that few networks use."""
    left, right = keras.Input((6, 8), name="left"), keras.Input((5, 8), name="right")
    x = layers.BatchNormalization()(layers.Dense(8)(left))
    x = layers.RMSNormalization()(layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2)(x))
    x = layers.Concatenate()([layers.Dense(2, activation=name)(x) for name in (
        "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus")])
    scores = layers.Softmax(axis=(1, 2))(layers.Dot(axes=2)([x, right]))
    mixed = layers.Dot(axes=(2, 1))([scores, right])
    image = layers.Reshape((3, 2, 8))(layers.RMSNormalization(axis=[1, 2])(layers.SpatialDropout1D(0.1)(mixed)))
    image = layers.ReLU(threshold=0.1)(layers.Conv2D(4, 2, padding="same")(image))
    means = [layers.Dense(4)(layers.GlobalAveragePooling1D()(value)) for value in (mixed, right)]
    likeness = layers.Dot(axes=-1, normalize=True, name="likeness")(means)
    weights = layers.Dot(axes=(1, 3), name="weights")([means[0], layers.Identity()(image)])
    return keras.Model([left, right], [likeness, weights])


def operations():
    """Functions of keras.ops between the layers."""
    ops = keras.ops
    start = keras.Input((8, 6, 3))
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(start))
    x = ops.silu(x) + ops.elu(x, alpha=0.7) * ops.hard_sigmoid(x) - ops.leaky_relu(x, 0.1) / 3.0
    gate = ops.sigmoid(ops.mean(x, axis=(1, 2), keepdims=True) - ops.max(x, axis=[1, 2], keepdims=True))
    x = ops.gelu(x * gate) + ops.gelu(x, approximate=False) + ops.relu6(x) + ops.square(ops.clip(x, -1, 0.5))
    x = ops.tanh(ops.power(ops.abs(x) + 0.5, 1.5)) * ops.softsign(ops.negative(x)) + ops.hard_silu(x) / ops.exp(ops.hard_tanh(x))
    x = ops.log(ops.softplus(x)) - ops.sqrt(ops.squareplus(ops.absolute(x))) + ops.divide(x, 2.0) + ops.log_softmax(x, axis=-1)
    tokens = ops.reshape(x, (-1, 48, 8))
    scores = ops.softmax(ops.matmul(tokens, ops.transpose(tokens, (0, 2, 1))) / 3.0)
    tokens = ops.concatenate([ops.matmul(scores, tokens), tokens], axis=-1)
    pooled = ops.expand_dims(ops.sum(x, axis=[1, 2]) - ops.min(x, axis=(1, 2)), 1)
    return keras.Model(start, [layers.Dense(3, name="tokens")(tokens), layers.Flatten(name="pooled")(pooled)])


def channels_first():
    start = keras.Input((3, 14, 12))
    x = layers.ZeroPadding2D(1, data_format="channels_first")(start)
    x = layers.Conv2D(8, 3, strides=2, data_format="channels_first")(x)
    x = layers.Activation("relu")(layers.BatchNormalization(axis=1)(x))
    x = layers.MaxPooling2D(2, data_format="channels_first")(x)
    x = layers.Flatten(data_format="channels_first")(x)
    return keras.Model(start, layers.Dense(4)(x))


def scaled_paths():
    """The layers that only Keras's own applications have, and gated linear units."""
    from keras.src.applications.convnext import LayerScale, StochasticDepth
    from keras.src.applications.inception_resnet_v2 import CustomScaleLayer
    start = keras.Input((15, 13, 3))
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(8, 3, strides=2, padding="same")(start))
    y = layers.DepthwiseConv2D(5, padding="same")(x)
    y = layers.Dense(8)(layers.Dense(24, activation="gelu")(layers.LayerNormalization(epsilon=1e-6)(y)))
    x = layers.Add()([x, StochasticDepth(0.2)(LayerScale(0.5, 8)(y))])
    y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(CustomScaleLayer(0.17)([x, y])))
    # Keras takes its shape for that of the input, so nothing can come behind it.
    gated = layers.Activation("glu", name="gated")(layers.Dense(6)(x))
    return keras.Model(start, [layers.Dense(5, name="plain")(x), gated])


def mobilenet():
    return keras.applications.MobileNetV2(input_shape=(64, 64, 3), weights=None, classes=10, alpha=0.35)


NETWORKS = {name.replace("_", "-"): make for name, make in list(globals().items()) if name in (
    "image_classifier", "sequential", "separable", "segmenter", "audio", "volume", "perceptron", "normalized",
    "recurrent", "video", "nested", "unknown_extents", "augmented", "matching", "operations", "channels_first",
    "scaled_paths", "mobilenet")}


def randomise(model, random):
    """Every weight as after training: none is 0 or 1."""
    for variable in model.variables:
        if "seed" in variable.path or "count" in variable.path:
            continue
        shape = variable.shape
        if "variance" in variable.path:
            values = random.uniform(0.5, 1.5, shape)
        elif variable.path.endswith("gamma"):
            values = random.uniform(0.5, 1.5, shape)
        elif len(shape) <= 1 or variable.path.endswith(("bias", "alpha")):
            values = random.uniform(-0.3, 0.3, shape)
        else:
            values = random.standard_normal(shape) / numpy.sqrt(max(1, numpy.prod(shape[:-1])))
        variable.assign(values.astype(numpy.float32))
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()


def named(names, values):
    return dict(zip(names, values if isinstance(values, (list, tuple)) else [values]))


def write(name, folder):
    keras.utils.set_random_seed(0)
    random = numpy.random.default_rng(0)
    model = NETWORKS[name]()
    randomise(model, random)
    inputs = {}
    for tensor in model.inputs:
        shape = (COUNT, *[21 + axis if extent is None else extent for axis, extent in enumerate(tensor.shape[1:])])
        is_float = "float" in tensor.dtype
        values = random.standard_normal(shape) if is_float else random.integers(0, 100, shape)
        inputs[tensor._keras_history.operation.name] = values.astype(tensor.dtype)
    given = list(inputs.values())
    outputs = model.predict(given if len(given) > 1 else given[0], verbose=0)
    if not isinstance(outputs, dict):
        outputs = named([output._keras_history.operation.name for output in model.outputs], outputs)
    path = folder / f"{name}.keras"
    model.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Keras cannot copy the configuration of a layer with chance in it, which this format has it do.
        if name != "augmented":
            model.save(path.with_suffix(".h5"))
        if name in ("image-classifier", "separable", "segmenter", "audio", "mobilenet"):
            model(given[0])
            model.export(path.with_suffix(".onnx"), format="onnx", verbose=False)
    numpy.savez(path.with_suffix(".npz"), **{f"input:{key}": value for key, value in inputs.items()},
                **{f"output:{key}": numpy.asarray(value) for key, value in outputs.items()})


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
