#!/usr/bin/env python3
"""Writes networks of many kinds as PyTorch's two exporters write them, with seeded weights and example inputs.

    make_exports.py OUT [NAME ...]

For each network OUT gets NAME.onnx and NAME.npz, the inputs by name. A name ends in `-script` (dynamo=False) or `-dynamo`
(dynamo=True, which cannot export every one). Needs what Tests/Benchmarks/requirements.txt pins.
"""
import sys
import warnings
from pathlib import Path

import numpy
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Benchmarks"))
from make_models import BATCH_NORMS, define_torchvision_operators  # noqa: E402

OPSETS = {"script": 17, "dynamo": 18}


def block(convolution, normalization, inputs, outputs, **options):
    return nn.Sequential(convolution(inputs, outputs, 3, padding=1, **options), normalization(outputs), nn.ReLU())


class CRNN(nn.Module):
    """Text recognition: convolutions, columns as a sequence, a bidirectional LSTM, a class a column."""

    def __init__(self, classes=37):
        super().__init__()
        self.features = nn.Sequential(
            block(nn.Conv2d, nn.BatchNorm2d, 1, 16), nn.MaxPool2d(2), block(nn.Conv2d, nn.BatchNorm2d, 16, 32),
            nn.MaxPool2d(2), block(nn.Conv2d, nn.BatchNorm2d, 32, 64), nn.MaxPool2d((8, 1)))
        self.sequence = nn.LSTM(64, 48, num_layers=2, bidirectional=True)
        self.classes = nn.Linear(96, classes)

    def forward(self, image):
        columns = self.features(image).squeeze(2).permute(2, 0, 1)
        return self.classes(self.sequence(columns)[0]).log_softmax(-1)


class UNet(nn.Module):
    """Segmentation: transposed convolutions and bilinear interpolation upward, joined with what went downward."""

    def __init__(self):
        super().__init__()
        self.down1 = block(nn.Conv2d, nn.BatchNorm2d, 3, 16)
        self.down2 = block(nn.Conv2d, nn.BatchNorm2d, 16, 32)
        self.bottom = block(nn.Conv2d, nn.BatchNorm2d, 32, 64)
        self.up2 = nn.ConvTranspose2d(64, 32, 2, stride=2)
        self.join2 = block(nn.Conv2d, nn.BatchNorm2d, 64, 32)
        self.up1 = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), nn.Conv2d(32, 16, 1))
        self.join1 = block(nn.Conv2d, nn.BatchNorm2d, 32, 16)
        self.mask = nn.Conv2d(16, 2, 1)

    def forward(self, image):
        first = self.down1(image)
        second = self.down2(nn.functional.max_pool2d(first, 2))
        bottom = self.bottom(nn.functional.max_pool2d(second, 2))
        second = self.join2(torch.cat([self.up2(bottom), second], 1))
        return self.mask(self.join1(torch.cat([self.up1(second), first], 1)))


class Audio(nn.Module):
    """A one-dimensional network over samples, with dilation, gates and attention pooling."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv1d(1, 32, 80, stride=4), nn.BatchNorm1d(32), nn.GELU())
        self.values = nn.Conv1d(32, 64, 3, padding=4, dilation=4)
        self.gates = nn.Conv1d(32, 64, 3, padding=4, dilation=4)
        self.norm = nn.BatchNorm1d(64)
        self.attention = nn.Conv1d(64, 1, 1)
        self.classes = nn.Linear(64, 12)

    def forward(self, samples):
        features = self.stem(samples)
        features = self.norm(torch.tanh(self.values(features)) * torch.sigmoid(self.gates(features)))
        weights = self.attention(features).softmax(-1)
        return self.classes((features * weights).sum(-1))


class Sequence(nn.Module):
    """A classifier of token sequences: embedding, recurrent layers, the last step."""

    def __init__(self, recurrent):
        super().__init__()
        self.embedding = nn.Embedding(200, 32)
        self.recurrent = recurrent(32, 40, num_layers=2, batch_first=True)
        self.norm = nn.LayerNorm(40)
        self.classes = nn.Linear(40, 5)

    def forward(self, tokens):
        return self.classes(self.norm(self.recurrent(self.embedding(tokens))[0][:, -1]))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(200, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, activation="gelu")
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.classes = nn.Linear(32, 5)

    def forward(self, tokens):
        return self.classes(self.layers(self.embedding(tokens)).mean(1))


class Detector(nn.Module):
    """A one-stage detector: SiLU convolutions, two scales, boxes decoded against a grid, the best scores first."""

    def __init__(self, kept=20):
        super().__init__()
        self.kept = kept
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.SiLU(), nn.Conv2d(16, 32, 3, 2, 1),
            nn.BatchNorm2d(32), nn.SiLU())
        self.deep = nn.Sequential(nn.Conv2d(32, 64, 3, 2, 1), nn.BatchNorm2d(64), nn.Hardswish())
        self.pools = nn.ModuleList(nn.MaxPool2d(5, 1, 2) for _ in range(2))
        self.reduce = nn.Conv2d(192, 32, 1)
        self.fuse = nn.Sequential(nn.Conv2d(64, 32, 3, padding=1), nn.BatchNorm2d(32), nn.SiLU())
        self.heads = nn.ModuleList([nn.Conv2d(32, 4 + 6, 1), nn.Conv2d(32, 4 + 6, 1)])

    def forward(self, image):
        shallow = self.stem(image)
        pooled = [self.deep(shallow)]
        for pool in self.pools:
            pooled.append(pool(pooled[-1]))
        deep = self.reduce(torch.cat(pooled, 1))
        fused = self.fuse(torch.cat([nn.functional.interpolate(deep, scale_factor=2.0), shallow], 1))
        boxes = [self.decode(head(level), stride) for head, level, stride in zip(self.heads, (fused, deep), (4, 8))]
        boxes = torch.cat(boxes, 1)
        scores, indices = boxes[..., 4:].sigmoid().max(-1)[0].topk(self.kept, 1)
        return torch.cat([boxes.gather(1, indices[..., None].expand(-1, -1, 10)), scores[..., None]], -1)

    @staticmethod
    def decode(head, stride):
        count, channels, height, width = head.shape
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        grid = torch.stack([columns, rows], -1).reshape(1, -1, 2).to(head.dtype)
        head = head.permute(0, 2, 3, 1).reshape(count, -1, channels)
        centres, extents = (head[..., :2].sigmoid() + grid) * stride, head[..., 2:4].clamp(max=4).exp() * stride
        return torch.cat([centres - extents / 2, centres + extents / 2, head[..., 4:]], -1)


class SuperResolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(2), nn.Conv2d(3, 32, 5), nn.PReLU(32), nn.Conv2d(32, 32, 3, padding=1, groups=4),
            nn.InstanceNorm2d(32, affine=True), nn.LeakyReLU(0.2), nn.Conv2d(32, 27, 3, padding=1),
            nn.PixelShuffle(3))

    def forward(self, image):
        skip = nn.functional.interpolate(image, scale_factor=3, mode="bicubic", align_corners=False)
        return self.layers(image) + skip


def vision(name, **options):
    define_torchvision_operators()
    import torchvision
    return torchvision.models.get_model(name, weights=None, **options)


class Mask(nn.Module):
    """The segmentation that torchvision's networks return by name."""

    def __init__(self, name):
        super().__init__()
        self.network = vision(name, weights_backbone=None)

    def forward(self, image):
        return self.network(image)["out"]


def tiny_vit():
    define_torchvision_operators()
    import torchvision
    network = torchvision.models.VisionTransformer(32, 8, 2, 4, 48, 96, num_classes=10)
    # It starts as zeros, so that every answer would be zero.
    nn.init.normal_(network.heads.head.weight, 0, 0.2)
    return network


def image(count, channels, height, width):
    return lambda: torch.randn(count, channels, height, width)


def tokens():
    return torch.randint(0, 200, (2, 11))


# The network, an example, and the axes that may have other extents.
NETWORKS = {
    "crnn": (CRNN, image(2, 1, 32, 96), {0: "N", 3: "W"}),
    "unet": (UNet, image(2, 3, 64, 48), {0: "N"}),
    "audio": (Audio, lambda: torch.randn(2, 1, 2000), {0: "N"}),
    "lstm": (lambda: Sequence(nn.LSTM), tokens, {0: "N"}),
    "gru": (lambda: Sequence(nn.GRU), tokens, {0: "N"}),
    "transformer": (Transformer, tokens, {0: "N"}),
    "detector": (Detector, image(2, 3, 96, 64), {0: "N"}),
    "super-resolution": (SuperResolution, image(1, 3, 24, 20), {0: "N"}),
    "vit": (tiny_vit, image(2, 3, 32, 32), {0: "N"}),
    "mobilenet-v3": (lambda: vision("mobilenet_v3_small"), image(2, 3, 96, 96), {0: "N"}),
    "efficientnet": (lambda: vision("efficientnet_b0"), image(2, 3, 96, 96), {0: "N"}),
    "lraspp": (lambda: Mask("lraspp_mobilenet_v3_large"), image(1, 3, 96, 96), {0: "N"}),
}


def build(name):
    make, example, axes = NETWORKS[name]
    torch.manual_seed(0)
    model, example = make().eval(), example()
    norms = [module for module in model.modules() if isinstance(module, BATCH_NORMS)]
    for module in norms:
        # Statistics of the example keep activations in range.
        module.momentum = None
        nn.init.uniform_(module.weight, 0.5, 1.5)
        nn.init.normal_(module.bias, 0, 0.2)
        module.train()
    if norms:
        with torch.no_grad():
            model(torch.cat([example, example]) if len(example) == 1 else example)
    return model.eval(), example, axes


def write(name, exporter, folder):
    model, example, axes = build(name)
    path = folder / f"{name}-{exporter}"
    options = {"opset_version": OPSETS[exporter], "input_names": ["input"], "output_names": ["output"]}
    if exporter == "script":
        options |= {"dynamo": False, "dynamic_axes": {"input": axes}}
    else:
        shapes = {axis: torch.export.Dim.DYNAMIC for axis in axes} if len(example) > 1 else None
        options |= {"dynamo": True, "dynamic_shapes": (shapes,), "external_data": False, "verbose": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (example,), f"{path}.onnx", **options)
    numpy.savez(f"{path}.npz", input=example.numpy())


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 64
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    names = arguments[1:] or [f"{name}-{exporter}" for name in NETWORKS for exporter in OPSETS]
    for name in names:
        write(*name.rsplit("-", 1), folder)
        print(name, "written", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
