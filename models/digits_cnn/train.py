#!/usr/bin/env python3
"""Trains digits_cnn and writes its model folder: train.py [--validate]

Three Conv-BatchNorm-ReLU, then Linear-BatchNorm1d-ReLU-Linear.
Needs torch, onnx and scikit-learn, as Tests/Benchmarks/requirements.txt pins them.
"""
import sys
from pathlib import Path

from torch import nn

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))
import digits
import exporting
import training

RECIPE = training.Recipe(epochs=80)


def network():
    def convolution(input_channels, output_channels):
        return (nn.Conv2d(input_channels, output_channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(output_channels), nn.ReLU())
    return nn.Sequential(
        *convolution(1, 16), *convolution(16, 32), nn.MaxPool2d(2), *convolution(32, 64), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))


def main():
    split = training.test_split(*digits.load())
    if "--validate" in sys.argv:
        training.cross_validate(network, RECIPE, split, training.jitter_images)
        return
    model, accuracy = training.final_training(network, RECIPE, split, training.jitter_images)
    exporting.publish(FOLDER, model, split.held_back_inputs[:8], digits.LABELS, {
        "description": "A small convolutional network that reads handwritten digits.",
        **digits.CARD,
        "testAccuracy": accuracy,
        "architecture": "Conv-BatchNorm-ReLU ×3 (16, 32, 64 channels) with two max pools, Dropout, "
                        "Linear-BatchNorm-ReLU-Linear.",
        "training": f"{RECIPE.epochs} epochs of AdamW on shifted, turned and scaled images; moving average "
                    "of the weights; train.py makes this folder again.",
    })
    exporting.publish_program(FOLDER, model, split.held_back_inputs[:8])


if __name__ == "__main__":
    main()
