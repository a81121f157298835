"""The networks of engine_table.py by name: those of make_models.py, and three whose shapes they do not have.

    engine_networks.py FOLDER [NAME ...]      writes them as ONNX, as make_models.py does

`module(name)` makes the module with its seeded weights, `item_shape(name)` says what one item of its input is.
"""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

import make_models

VISION = (
    "resnet18", "resnet50", "vgg16_bn", "densenet121", "inception_v3", "mobilenetv2", "mobilenet_v3_large", "efficientnet_b0",
    "shufflenet_v2_x1_0", "regnet_y_400mf", "convnext_tiny")


def double_convolution(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class UNet(nn.Module):
    """Four resolutions, from 32 to 256 channels."""

    def __init__(self, widths=(32, 64, 128, 256)):
        super().__init__()
        self.down = nn.ModuleList(
            double_convolution(inputs, outputs) for inputs, outputs in zip((3, *widths), widths))
        pairs = list(zip(widths[1:], widths))[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(deep, shallow, 2, stride=2) for deep, shallow in pairs)
        self.join = nn.ModuleList(double_convolution(2 * shallow, shallow) for _, shallow in pairs)
        self.mask = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x):
        skipped = []
        for index, block in enumerate(self.down):
            x = block(x if index == 0 else functional.max_pool2d(x, 2))
            skipped.append(x)
        skipped.pop()
        for up, join in zip(self.up, self.join):
            x = join(torch.cat([up(x), skipped.pop()], 1))
        return self.mask(x)


class TemporalBlock(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation), nn.BatchNorm1d(channels), nn.ReLU(),
            nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation), nn.BatchNorm1d(channels))

    def forward(self, x):
        return functional.relu(x + self.layers(x))


def temporal():
    """Dilations from 1 to 32 over 1024 steps of 16 channels."""
    return nn.Sequential(
        nn.Conv1d(16, 64, 3, padding=1), nn.BatchNorm1d(64), nn.ReLU(),
        *(TemporalBlock(64, 2 ** power) for power in range(6)), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, 10))


class RecurrentClassifier(nn.Module):
    """Two bidirectional layers of 128 units over 64 steps of 40 features."""

    def __init__(self):
        super().__init__()
        self.layers = nn.LSTM(40, 128, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Sequential(nn.BatchNorm1d(256), nn.Linear(256, 10))

    def forward(self, x):
        return self.head(self.layers(x)[0].mean(1))


OWN = {"unet": ((3, 128, 128), UNet), "temporal": ((16, 1024), temporal), "lstm": ((64, 40), RecurrentClassifier)}
make_models.OWN_NETWORKS.update(OWN)


def names():
    return ["mlp", "cnn", *VISION, *OWN]


def item_shape(name):
    return make_models.specification(name)[0]


def module(name):
    return make_models.build(name)[0]


def write(name, folder):
    """The file of a network, made when it is not there."""
    path = folder / f"{name}.onnx"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        make_models.write(name, folder)
    return path


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 64
    for name in arguments[1:] or names():
        print(write(name, Path(arguments[0])), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
