#!/usr/bin/env python3
"""Trains digits_dwsep and writes its model folder: train.py [--validate]

Depthwise separable convolutions in inverted residual blocks, with ReLU6 and residual adds.
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

RECIPE = training.Recipe(epochs=120)


def convolution(input_channels, output_channels, kernel, stride=1, groups=1):
    convolution = nn.Conv2d(
        input_channels, output_channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    return convolution, nn.BatchNorm2d(output_channels)


class InvertedResidual(nn.Module):
    """Widen by 1×1, filter each channel by 3×3, narrow by 1×1; the input is added if its shape allows."""

    def __init__(self, input_channels, output_channels, expansion, stride=1):
        super().__init__()
        wide = input_channels * expansion
        self.is_residual = stride == 1 and input_channels == output_channels
        self.body = nn.Sequential(
            *convolution(input_channels, wide, 1), nn.ReLU6(),
            *convolution(wide, wide, 3, stride, groups=wide), nn.ReLU6(),
            *convolution(wide, output_channels, 1))

    def forward(self, x):
        return x + self.body(x) if self.is_residual else self.body(x)


def network():
    return nn.Sequential(
        *convolution(1, 32, 3), nn.ReLU6(),
        InvertedResidual(32, 32, 2), InvertedResidual(32, 32, 2),
        InvertedResidual(32, 48, 3, stride=2), InvertedResidual(48, 48, 2), InvertedResidual(48, 48, 2),
        *convolution(48, 96, 1), nn.ReLU6(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(96, 10))


def main():
    split = training.test_split(*digits.load())
    if "--validate" in sys.argv:
        training.cross_validate(network, RECIPE, split, training.jitter_images)
        return
    model, accuracy = training.final_training(network, RECIPE, split, training.jitter_images)
    exporting.publish(FOLDER, model, split.held_back_inputs[:8], digits.LABELS, {
        "description": "A depthwise separable network, as phones run them, that reads handwritten digits.",
        **digits.CARD,
        "testAccuracy": accuracy,
        "architecture": "Stem, five inverted residual blocks (1×1, depthwise 3×3, 1×1, each with BatchNorm; "
                        "ReLU6), four of them residual, 1×1 head, global average pool, Dropout, Linear.",
        "training": f"{RECIPE.epochs} epochs of AdamW on shifted, turned and scaled images; moving average "
                    "of the weights; train.py makes this folder again.",
    })


if __name__ == "__main__":
    main()
