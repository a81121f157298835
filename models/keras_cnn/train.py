#!/usr/bin/env python3
"""Trains keras_cnn and writes its model folder: train.py

Three Conv2D-BatchNormalization-ReLU, then Dense-BatchNormalization-ReLU-Dense, saved as Keras saves it.
Needs keras, torch and scikit-learn, as Tests/Benchmarks/requirements.txt pins them.
"""
import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy
import torch
from keras import layers

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))
import digits
import exporting
import splits
import training

EPOCHS = 30
BATCH_SIZE = 64
LEARNING_RATE = 3e-3
# Keras's default of 0.99 is slow for so few steps.
MOMENTUM = 0.9
GOLDEN_COUNT = 8


def network():
    def convolution(channels):
        return (layers.Conv2D(channels, 3, padding="same", use_bias=False),
                layers.BatchNormalization(momentum=MOMENTUM), layers.ReLU())
    return keras.Sequential([
        layers.Input((8, 8, 1), name="input"),
        *convolution(16), *convolution(32), layers.MaxPooling2D(), *convolution(64), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dropout(0.3), layers.Dense(64, use_bias=False),
        layers.BatchNormalization(momentum=MOMENTUM), layers.ReLU(), layers.Dense(10, name="output"),
    ], name="keras_cnn")


class JitteredImages(keras.utils.PyDataset):
    """The training part in a new order each epoch, every image moved a little."""

    def __init__(self, images, classes):
        super().__init__()
        self.images, self.classes = torch.from_numpy(images), classes
        self.on_epoch_end()

    def __len__(self):
        # A short batch would have other statistics: it is left out.
        return len(self.images) // BATCH_SIZE

    def __getitem__(self, index):
        chosen = self.order[index * BATCH_SIZE:(index + 1) * BATCH_SIZE]
        return channels_last(training.jitter_images(self.images[chosen]).numpy()), self.classes[chosen]

    def on_epoch_end(self):
        self.order = torch.randperm(len(self.images)).numpy()


def channels_last(images):
    return numpy.ascontiguousarray(images.transpose(0, 2, 3, 1))


def train(images, classes):
    training.be_deterministic(0)
    keras.utils.set_random_seed(0)
    model = network()
    steps = EPOCHS * (len(images) // BATCH_SIZE)
    model.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=LEARNING_RATE, warmup_steps=steps // 4),
            weight_decay=1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(JitteredImages(images, classes), epochs=EPOCHS, verbose=0)
    return model


def in_float64(model):
    """The same network, computed in Float64 from the float32 weights."""
    config = json.loads(json.dumps(model.get_config()).replace('"float32"', '"float64"'))
    exact = keras.Sequential.from_config(config)
    exact.set_weights(model.get_weights())
    return exact


def main():
    images, classes, held_back_images, held_back_classes = splits.hold_back_test(*digits.load())
    model = train(images, classes)
    inputs = channels_last(held_back_images)
    right = int((model.predict(inputs, verbose=0).argmax(1) == held_back_classes).sum())
    accuracy = round(right / len(inputs), 4)
    print(f"test accuracy {accuracy:.4f}, {len(inputs) - right} of {len(inputs)} wrong", flush=True)
    golden = FOLDER / "1" / "golden"
    golden.mkdir(parents=True, exist_ok=True)
    # Without the optimizer, which serving has no use for.
    stripped = network()
    stripped.set_weights(model.get_weights())
    stripped.save(FOLDER / "1" / "model.keras")
    numpy.save(golden / "input.npy", inputs[:GOLDEN_COUNT])
    exact = in_float64(model).predict(inputs[:GOLDEN_COUNT].astype(numpy.float64), verbose=0)
    assert exact.dtype == numpy.float64
    numpy.save(golden / "output.npy", exact)
    exporting.write_card(FOLDER, digits.LABELS, {
        "description": "A small convolutional network that reads handwritten digits, as Keras saves it.",
        **digits.CARD,
        "inputScaling": "Grey values 0…16 divided by 16: 0 is paper, 1 is ink; [N, 8, 8, 1] float32.",
        "testAccuracy": accuracy,
        "architecture": "Conv2D-BatchNormalization-ReLU ×3 (16, 32, 64 channels) with two max pools, Dropout, "
                        "Dense-BatchNormalization-ReLU-Dense.",
        "training": f"{EPOCHS} epochs of AdamW on shifted, turned and scaled images; train.py makes this "
                    "folder again.",
    })


if __name__ == "__main__":
    main()
