#!/usr/bin/env python3
"""Writes the network fixtures: make.py [NAME ...]

    <name>/1/model.onnx       opset 17, BatchNormalization nodes kept
    <name>/1/golden/*.npy     float32 inputs, and outputs computed in Float64 from the float32 weights

The weights are seeded, not trained. Each normalization has calibrated statistics, and scales that are large,
small, negative and, where `preact` says so, zero. README.md says what should become of each of them.
Needs torch, onnx and onnxscript, as Tests/Benchmarks/requirements.txt pins them.
"""
import sys
from pathlib import Path

import torch
from torch import nn

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[2] / "models"))
import exporting

CALIBRATION_BATCH_COUNT = 3
CALIBRATION_BATCH_SIZE = 16
GOLDEN_ITEM_COUNT = 4
MINIMUM_VARIANCE = 0.02
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class UNet(nn.Module):
    """Three levels down and up: ConvTranspose (one grouped, one square), a nearest Resize, three skips."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.down3 = double(1, 8), double(8, 16), double(16, 24)
        self.pool = nn.MaxPool2d(2)
        self.bottom = nn.Sequential(nn.Conv2d(24, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU())
        self.up3 = nn.Sequential(
            nn.ConvTranspose2d(32, 24, 2, stride=2, groups=4), nn.BatchNorm2d(24), nn.ReLU())
        self.join3 = nn.Sequential(nn.Conv2d(48, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.up2 = nn.Sequential(
            nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1, output_padding=1, bias=False),
            nn.BatchNorm2d(16), nn.ReLU())
        self.join2 = nn.Sequential(nn.Conv2d(32, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.up1 = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(16, 8, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.join1 = nn.Sequential(nn.Conv2d(16, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        skip1 = self.down1(x)
        skip2 = self.down2(self.pool(skip1))
        skip3 = self.down3(self.pool(skip2))
        x = self.bottom(self.pool(skip3))
        x = self.join3(torch.cat([skip3, self.up3(x)], 1))
        x = self.join2(torch.cat([skip2, self.up2(x)], 1))
        x = self.join1(torch.cat([self.up1(x), skip1], 1))
        return self.head(x)


def double(input_channels, output_channels):
    return nn.Sequential(
        nn.Conv2d(input_channels, output_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(output_channels), nn.ReLU(),
        nn.Conv2d(output_channels, output_channels, 3, padding=1), nn.BatchNorm2d(output_channels), nn.ReLU())


class DilatedBlock(nn.Module):
    """A grouped, dilated filter over time, a 1-wide mix of channels, and the input added."""

    def __init__(self, channels, dilation, groups):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation, groups=groups, bias=False),
            nn.BatchNorm1d(channels), nn.Hardswish(),
            nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels))

    def forward(self, x):
        return x + self.body(x)


class Audio1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv1d(1, 16, 7, stride=2, padding=3), nn.BatchNorm1d(16), nn.PReLU(16))
        self.blocks = nn.Sequential(
            DilatedBlock(16, 2, 4), DilatedBlock(16, 4, 16), DilatedBlock(16, 8, 1))
        self.reduce = nn.Sequential(nn.Conv1d(16, 24, 4, stride=2), nn.BatchNorm1d(24), nn.PReLU())
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(24, 16), nn.BatchNorm1d(16), nn.Hardswish(),
            nn.Linear(16, 5))

    def forward(self, x):
        return self.head(self.reduce(self.blocks(self.stem(x))))


class Volume3d(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(2, 8, 3, padding=1), nn.BatchNorm3d(8), nn.ReLU(), nn.MaxPool3d(2))
        self.depthwise = nn.Sequential(
            nn.Conv3d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm3d(8), nn.LeakyReLU(0.1))
        self.pointwise = nn.Sequential(nn.Conv3d(8, 16, 1), nn.BatchNorm3d(16), nn.ReLU())
        self.uneven = nn.Sequential(
            nn.Conv3d(16, 16, (1, 3, 2), stride=(1, 2, 1), padding=(0, 1, 0)), nn.BatchNorm3d(16), nn.ReLU())
        self.up = nn.Sequential(
            nn.ConvTranspose3d(16, 8, 2, stride=2, groups=2), nn.BatchNorm3d(8), nn.ReLU())
        self.head = nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 4))

    def forward(self, x):
        x = self.pointwise(self.depthwise(self.stem(x)))
        return self.head(self.up(self.uneven(x)))


class PreAct(nn.Module):
    """Normalization in every place where a careless fold is wrong. README.md goes through them."""

    def __init__(self):
        super().__init__()
        self.input_norm = nn.BatchNorm2d(3)
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.fanout_norm, self.fanout_relu = nn.BatchNorm2d(16), nn.ReLU()
        self.plain = nn.Conv2d(16, 16, 1, bias=False)
        self.plain_norm, self.plain_relu = nn.BatchNorm2d(16), nn.ReLU()
        self.narrow = nn.Conv2d(16, 16, 3, padding=1)
        self.pointwise_norm, self.pointwise = nn.BatchNorm2d(16), nn.Conv2d(16, 24, 1)
        self.pointwise_relu = nn.ReLU()
        self.padded_norm, self.padded = nn.BatchNorm2d(24), nn.Conv2d(24, 16, 3, padding=1)
        self.shared_norm_a, self.shared_norm_b = nn.BatchNorm2d(16), nn.BatchNorm2d(16)
        self.relu_a, self.sigmoid_b = nn.ReLU(), nn.Sigmoid()
        self.tapped = nn.Conv2d(16, 16, 3, stride=2, padding=1, groups=4)
        self.tapped_norm, self.tapped_relu = nn.BatchNorm2d(16), nn.ReLU()
        self.average_conv, self.average = nn.Conv2d(16, 16, 1), nn.AvgPool2d(3, 1, 1, count_include_pad=True)
        self.average_norm, self.average_relu = nn.BatchNorm2d(16), nn.ReLU()
        self.inner_conv = nn.Conv2d(16, 16, 1)
        self.inner_average = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.inner_average_norm, self.inner_relu = nn.BatchNorm2d(16), nn.ReLU()
        self.maximum_conv, self.maximum = nn.Conv2d(16, 16, 1), nn.MaxPool2d(2)
        self.maximum_norm, self.maximum_next = nn.BatchNorm2d(16), nn.Conv2d(16, 8, 1)
        self.maximum_relu = nn.ReLU()
        self.flatten, self.flat_norm, self.dense = nn.Flatten(), nn.BatchNorm1d(8 * 4 * 4), nn.Linear(128, 10)
        self.dense_norm = nn.BatchNorm1d(10)

    def forward(self, x):
        stem = self.stem(self.input_norm(x))
        x = self.fanout_relu(self.fanout_norm(stem))
        x = self.plain_relu(self.plain_norm(self.plain(x)))
        x = stem + self.narrow(x)
        x = self.pointwise_relu(self.pointwise(self.pointwise_norm(x)))
        shared = self.padded(self.padded_norm(x))
        x = self.relu_a(self.shared_norm_a(shared)) * self.sigmoid_b(self.shared_norm_b(shared))
        features = self.tapped(x)
        x = self.tapped_relu(self.tapped_norm(features))
        x = self.average_relu(self.average_norm(self.average(self.average_conv(x))))
        x = self.inner_relu(self.inner_average_norm(self.inner_average(self.inner_conv(x))))
        x = self.maximum_norm(self.maximum(self.maximum_conv(x)))
        x = self.maximum_relu(self.maximum_next(x))
        return self.dense_norm(self.dense(self.flat_norm(self.flatten(x)))), features

    def season(self):
        # A scale of zero has no inverse: the pad value −b/a that makes a padded fold exact does not exist.
        with torch.no_grad():
            self.padded_norm.weight[5] = 0
            self.maximum_norm.weight[3] = 0


NETWORKS = {
    "unet": (UNet, (1, 32, 32), ("output",)),
    "audio1d": (Audio1d, (1, 256), ("output",)),
    "volume3d": (Volume3d, (2, 8, 12, 12), ("output",)),
    "preact": (PreAct, (3, 16, 16), ("output", "features")),
}


def build(name):
    make, shape, output_names = NETWORKS[name]
    torch.manual_seed(20)
    torch.set_num_threads(1)
    model = make().eval()
    for module in model.modules():
        if isinstance(module, BATCH_NORMS):
            season_norm(module)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, -0.2, 0.5)
    if isinstance(model, PreAct):
        model.season()
    with torch.no_grad():
        for _ in range(CALIBRATION_BATCH_COUNT):
            model(items(CALIBRATION_BATCH_SIZE, shape))
        for module in model.modules():
            if isinstance(module, BATCH_NORMS):
                # A nearly constant channel would magnify Float32's rounding beyond what the goldens are held to.
                module.running_var.clamp_(min=MINIMUM_VARIANCE)
    return model.eval(), shape, output_names


def items(count, shape):
    # Not centred: a zero mean would hide a fold that forgets the running mean of the first normalization.
    return torch.randn(count, *shape) * 1.5 + 0.4


def season_norm(module):
    """Scales of 0.4 to 1.6, one in four negative, the second one small; statistics from the next batches."""
    module.momentum = None
    nn.init.uniform_(module.weight, 0.4, 1.6)
    nn.init.normal_(module.bias, 0, 0.3)
    with torch.no_grad():
        module.weight[::4] *= -1
        module.weight[1] = 1e-3
    module.train()


def main(names):
    for name in names or NETWORKS:
        model, shape, output_names = build(name)
        golden_items = items(GOLDEN_ITEM_COUNT, shape)
        version = FOLDER / name / "1"
        exporting.export_network(model, golden_items[:2], version / "model.onnx", output_names=output_names)
        exporting.write_golden(model, golden_items, version / "golden", output_names=output_names)
        print(name, "written", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
