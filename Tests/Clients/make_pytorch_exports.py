#!/usr/bin/env python3
"""Writes PyTorch's exported programs: make_pytorch_exports.py OUT [NAME ...]

For each network `<name>.pt2` by torch.export.save, `<name>.npz` with its inputs `input0` … and its outputs
`expected0` …, which PyTorch computed with a batch size other than the export's, and `<name>.onnx` of the same weights where
TorchScript's exporter can. Weights are seeded; the statistics of normalizations are drawn, so that folding is not trivial.
Needs what Tests/Benchmarks/requirements.txt pins.
"""
import json
import sys
import warnings
import zipfile
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Benchmarks"))
import make_models

BATCH = 3
# A network's name with this behind it: its program in PyTorch's core operators, as run_decompositions() leaves it.
DECOMPOSED = "-decomposed"
CLASSIFIERS = {
    "convnext_tiny": 64, "densenet121": 64, "efficientnet_b0": 64, "googlenet": 64, "inception_v3": 96, "mnasnet0_5": 64,
    "mobilenet_v2": 64, "mobilenet_v3_small": 64, "regnet_y_400mf": 64, "resnet18": 64, "resnext50_32x4d": 64,
    "shufflenet_v2_x0_5": 64, "squeezenet1_1": 64,
}


class Function(nn.Module):
    """A network whose forward is a function of its modules and inputs."""

    def __init__(self, forward, **modules):
        super().__init__()
        for name, module in modules.items():
            if isinstance(module, torch.Tensor):
                self.register_buffer(name, module)
            else:
                self.add_module(name, module)
        self.function = forward

    def forward(self, *inputs):
        return self.function(self, *inputs)


def block(channels, out, activation, **options):
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, bias=False, **options), nn.BatchNorm2d(out), activation)


def activations():
    kinds = [
        nn.ReLU(), nn.ReLU6(), nn.Hardtanh(-2, 2), nn.LeakyReLU(0.2), nn.ELU(), nn.GELU(), nn.GELU("tanh"), nn.SiLU(),
        nn.Hardswish(), nn.Hardsigmoid(), nn.Sigmoid(), nn.Tanh(), nn.Mish(), nn.PReLU(8), nn.PReLU(), nn.Softplus(),
        nn.Softplus(2), nn.Softsign(), nn.SELU(), nn.CELU(1.5), nn.LogSigmoid(), nn.Hardshrink(), nn.Softshrink(),
        nn.Threshold(0.1, 0.5), nn.RReLU(), nn.Tanhshrink(), nn.Softmax(1), nn.LogSoftmax(1)]
    def forward(self, x):
        x = self.stem(x)
        return torch.cat([activation(x) for activation in self.kinds] + [functional.glu(x, 1)], 1)
    return Function(forward, stem=block(3, 8, nn.Identity(), padding=1), kinds=nn.ModuleList(kinds)), image(8)


def image(side, channels=3):
    return (torch.randn(2, channels, side, side),)


def unet():
    def forward(self, x):
        first = self.first(x)
        second = self.second(functional.max_pool2d(first, 2))
        deep = self.deep(functional.avg_pool2d(second, 3, 2, 1, ceil_mode=True, count_include_pad=False))
        up = self.up(deep)
        up = functional.interpolate(up, size=second.shape[-2:], mode="bilinear", align_corners=False)
        joined = self.join(torch.cat([second, up], 1))
        return self.head(functional.interpolate(joined, scale_factor=2, mode="nearest"))
    return Function(
        forward, first=block(3, 8, nn.ReLU(True), padding=1), second=block(8, 16, nn.LeakyReLU(0.1, True), padding="same"),
        deep=block(16, 32, nn.SiLU(True), padding="same", dilation=2),
        up=nn.Sequential(nn.ConvTranspose2d(32, 16, 3, 2, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        join=block(32, 8, nn.ReLU(), padding=1), head=nn.Conv2d(8, 2, 1)), image(18)


def audio():
    def forward(self, x):
        x = functional.pad(x, (3, 2))
        return self.layers(x).mean(-1)
    convolution = torch.nn.utils.weight_norm(nn.Conv1d(8, 8, 3, padding=2, dilation=2))
    return Function(forward, layers=nn.Sequential(
        nn.Conv1d(1, 8, 5, stride=2, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.AvgPool1d(2), convolution, nn.ELU(),
        nn.GroupNorm(2, 8), nn.Conv1d(8, 8, 4, padding="same", groups=8), nn.BatchNorm1d(8), nn.MaxPool1d(3, 2, 1),
        nn.InstanceNorm1d(8, affine=True), nn.ConvTranspose1d(8, 4, 4, 2, 1), nn.Tanh())), (torch.randn(2, 1, 120),)


def volume():
    return nn.Sequential(
        nn.Conv3d(1, 6, 3, padding=1, bias=False), nn.BatchNorm3d(6), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(6, 8, 3),
        nn.BatchNorm3d(8), nn.ReLU(), nn.AvgPool3d(2), nn.ConvTranspose3d(8, 4, 2, 2), nn.AdaptiveAvgPool3d(1),
        nn.Flatten(), nn.Linear(4, 3)), (torch.randn(2, 1, 10, 10, 10),)


def mlp():
    return nn.Sequential(
        nn.Linear(20, 32, bias=False), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 16), nn.LayerNorm(16),
        nn.GELU(), nn.Linear(16, 5), nn.BatchNorm1d(5, affine=False), nn.Softmax(-1)), (torch.randn(2, 20),)


def pools():
    def forward(self, x):
        x = self.stem(x)
        return torch.cat([part.flatten(1) for part in (
            functional.adaptive_avg_pool2d(x, 1), functional.adaptive_avg_pool2d(x, (7, 4)),
            functional.adaptive_avg_pool2d(x, 3), functional.adaptive_max_pool2d(x, 1), functional.adaptive_max_pool2d(x, 4),
            functional.max_pool2d(x, 3, 2, 1, ceil_mode=True), functional.avg_pool2d(x, 3, 2, 1),
            functional.avg_pool2d(x, 3, 2, 1, ceil_mode=True), functional.avg_pool2d(x, 2, divisor_override=3),
            functional.max_pool2d(x, 3, 1, dilation=2), x.amax((2, 3)), x.mean((2, 3), keepdim=True), x.sum(-1))], 1)
    return Function(forward, stem=block(3, 4, nn.ReLU(), padding=1)), image(12)


def shapes():
    def forward(self, x):
        x = self.stem(x)
        count, channels, height, width = x.shape
        a, b = x.chunk(2, 1)
        c, d = torch.split(x, [3, channels - 3], 1)
        y = torch.cat([a, b.flip(3), c, d.roll(2, 2)], 1)
        y = y.view(count, 2, channels, height * width).transpose(1, 2).reshape(count, -1, height, width)
        y = functional.pixel_shuffle(functional.channel_shuffle(y, 2), 2)
        y = functional.pixel_unshuffle(y, 2)[:, 1:-1, ::2, 1:]
        y = functional.pad(functional.pad(y, (1, 1, 2, 0), mode="reflect"), (1, 0), value=0.5)
        y = functional.pad(y, (1, 2, 1, 1), mode="replicate").permute(0, 2, 3, 1).contiguous()
        z = (y.unsqueeze(1) * self.scale.expand(count, 2, 1, 1, -1)).sum(1).squeeze()
        first, *rest = z.unbind(1)
        z = torch.stack([first, rest[0] - rest[1]], 1)
        return z.repeat(1, 2, 1, 1).flatten(2), z[:, 0, -1].clamp(-0.4, 0.4), torch.where(z > 0, z, -z / 2)
    return Function(forward, stem=block(3, 8, nn.ReLU(), padding=1), scale=torch.randn(1, 2, 1, 1, 14)), image(8)


def arithmetic():
    def forward(self, x, y):
        a = torch.add(x, y, alpha=2) - 1.5 + torch.sub(x, y, alpha=0.5) * 2 / (y.abs() + 1)
        b = (1 - x).pow(2) + (x.abs() + 0.1).sqrt() + torch.rsqrt(y.square() + 1) + torch.exp(-x.abs()) + torch.log1p(y * y)
        c = torch.maximum(x, y) - torch.minimum(x, y) + x.sin() * y.cos() + x.erf() + x ** 3 + (x > y).float() + x.sign()
        d = functional.normalize(a, dim=1) + b.std(1, keepdim=True) + c.var((1,), keepdim=True, correction=0)
        values, _ = d.max(1)
        return d, values, d.argmax(1), d.logsumexp(1), (d * self.mask).masked_fill(self.mask == 0, -3), torch.floor(d).long()
    return Function(forward, mask=torch.tensor([1.0, 0, 1, 1, 0])), (torch.randn(2, 5), torch.randn(2, 5))


def residual():
    def forward(self, x):
        x = self.stem(x)
        out = self.a(x)
        out = self.b(out)
        out += x
        out = functional.relu(out, inplace=True)
        gate = torch.sigmoid(self.gate(functional.adaptive_avg_pool2d(out, 1)))
        return self.head((out * gate).flatten(1))
    return Function(
        forward, stem=block(3, 16, nn.ReLU(True), padding=1), a=block(16, 16, nn.ReLU6(True), padding=1, groups=16),
        b=nn.Sequential(nn.Conv2d(16, 16, 1, bias=False), nn.BatchNorm2d(16)), gate=nn.Conv2d(16, 16, 1),
        head=nn.Linear(16 * 64, 4)), image(8)


def preact():
    return nn.Sequential(
        nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.PReLU(8), nn.Conv2d(8, 8, 3),
        nn.BatchNorm2d(8, affine=False), nn.Hardswish(), nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(),
        nn.BatchNorm1d(32), nn.Linear(32, 6), nn.LogSoftmax(1)), image(8)


def separable():
    layers = []
    for channels in (8, 16):
        layers += [
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False), nn.BatchNorm2d(channels), nn.ReLU6(),
            nn.Conv2d(channels, 2 * channels, 1, bias=False), nn.BatchNorm2d(2 * channels), nn.Mish()]
    return nn.Sequential(nn.Conv2d(1, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), *layers, nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(32, 10)), image(12, 1)


def norms():
    def forward(self, x):
        y = self.stem(x)
        y = self.group(y) + self.instance(y) + self.tracked(y) + self.plain(y)
        y = self.layer(y.permute(0, 2, 3, 1)) + self.rms(y.permute(0, 2, 3, 1))
        return self.last(y)
    return Function(
        forward, stem=block(3, 8, nn.ReLU(), padding=1), group=nn.GroupNorm(4, 8), instance=nn.InstanceNorm2d(8),
        tracked=nn.InstanceNorm2d(8, affine=True, track_running_stats=True), plain=nn.GroupNorm(1, 8, affine=False),
        layer=nn.LayerNorm(8, bias=False), rms=nn.RMSNorm(8), last=nn.LayerNorm([6, 8], elementwise_affine=False)), image(6)


def resizes():
    def forward(self, x):
        x = self.stem(x)
        turns = x.mean((2, 3))[:, None].expand(-1, 2, -1)[:, :, :3] + self.turns
        grid = functional.affine_grid(turns, (x.shape[0], 4, 5, 7), align_corners=False)
        samples = tuple(functional.grid_sample(x, grid, mode, padding, align_corners=aligned) for mode, padding, aligned in (
            ("bilinear", "zeros", False), ("bilinear", "border", True), ("bilinear", "reflection", False)))
        return *samples, *(functional.interpolate(x, **options) for options in (
            {"scale_factor": 2, "mode": "nearest"}, {"size": (9, 5), "mode": "nearest"},
            {"size": (9, 5), "mode": "nearest-exact"}, {"scale_factor": 1.5, "mode": "bilinear"},
            {"size": (10, 3), "mode": "bilinear", "align_corners": True}, {"scale_factor": 2, "mode": "bicubic"},
            {"size": (4, 3), "mode": "bilinear", "antialias": True}, {"size": (10, 3), "mode": "bicubic", "antialias": True}))
    return Function(
        forward, stem=block(3, 4, nn.ReLU(), padding=1), turns=torch.tensor([[0.5, -0.4, 0.1], [0.3, 0.6, -0.2]])), image(6)


def attention():
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, dropout=0)
    def forward(self, tokens):
        x = self.embedding(tokens) + self.position
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)
        x = self.layer(x)
        x = x + functional.scaled_dot_product_attention(x, x, x, is_causal=True)
        return self.head(x[:, 0])
    return Function(
        forward, embedding=nn.Embedding(11, 16), position=torch.randn(1, 7, 16), token=torch.randn(1, 1, 16), layer=layer,
        head=nn.Linear(16, 3)), (torch.randint(0, 11, (2, 7)),)


def recurrent():
    def forward(self, x):
        y, (h, c) = self.lstm(self.norm(x.transpose(1, 2)).transpose(1, 2))
        z, last = self.gru(y)
        return self.head(z[:, -1]), h, c, last
    return Function(
        forward, norm=nn.BatchNorm1d(6), lstm=nn.LSTM(6, 8, num_layers=2, bidirectional=True, batch_first=True),
        gru=nn.GRU(16, 5, batch_first=True), head=nn.Linear(5, 2)), (torch.randn(2, 9, 6),)


def strided():
    """Weights that are views: transposed, expanded, and parts of one storage."""
    storage = torch.randn(400)
    def forward(self, x):
        return functional.linear(torch.relu(functional.linear(x, self.a, self.bias)), self.b) * self.c
    return Function(
        forward, a=storage[:120].view(10, 12).t(), b=storage[120:216].view(8, 12), bias=storage[300:312],
        c=torch.randn(1).expand(8)), (torch.randn(2, 10),)


def dictionary():
    """Outputs with names, two of which other values of the network have too."""
    def forward(self, x):
        x = self.norm(self.linear(x))
        relu = functional.relu(x)
        return {"linear": relu, "relu": x.sum(1), "logits": self.head(relu)}
    return Function(
        forward, linear=nn.Linear(6, 5, bias=False), norm=nn.BatchNorm1d(5), head=nn.Linear(5, 3)), (torch.randn(2, 6),)


def written():
    """Writes into slices, as shifts of windows and of frames make them, and into what was empty."""
    def forward(self, x):
        y = self.stem(x)
        y[:, 2:4] *= 2
        y[:, 0] = 1.5
        y[:, :, 1:3, -2:] += 1
        y[:, 5, 0].zero_()
        shifted = torch.empty_like(y)
        shifted[:, :3] = y[:, 5:]
        shifted[:, 3:] = y[:, :5]
        mask = x.new_zeros(8, 8)
        for step, rows in enumerate((slice(0, 4), slice(4, 6), slice(6, None))):
            mask[rows] = step
        return shifted * mask
    return Function(forward, stem=block(3, 8, nn.ReLU(), padding=1)), image(8)


def steps():
    """Recurrent layers a step at a time, and plain ones."""
    def forward(self, x):
        y, _ = self.plain(x)
        y, _ = self.rectified(y)
        count = y.shape[0]
        h, state = y.new_zeros(count, 5), (y.new_zeros(count, 6), y.new_zeros(count, 6))
        for step in y.unbind(1):
            state = self.lstm(step, state)
            h = self.gru(state[0], h)
        return self.norm(h), state[1]
    return Function(
        forward, plain=nn.RNN(6, 4, 2, bidirectional=True, batch_first=True), norm=nn.BatchNorm1d(5),
        rectified=nn.RNN(8, 7, nonlinearity="relu", batch_first=True), lstm=nn.LSTMCell(7, 6),
        gru=nn.GRUCell(6, 5)), (torch.randn(2, 4, 6),)


def heads():
    """Attention with masks, with weights as an answer, with rotated positions and with heads that share keys."""
    def forward(self, x):
        y, weights = self.attention(x, x, x, attn_mask=self.mask)
        count, length, width = y.shape
        queries = self.queries(y).view(count, length, 4, 4).transpose(1, 2)
        keys, values = self.keys(y).view(count, length, 2, 2, 4).unbind(2)
        angles = torch.outer(torch.arange(length).float(), 1 / 100 ** (torch.arange(0, 4, 2) / 4)).repeat(1, 2)
        left, right = queries.chunk(2, -1)
        queries = queries * angles.cos() + torch.cat([-right, left], -1) * angles.sin()
        shared = functional.scaled_dot_product_attention(
            queries, keys.transpose(1, 2), values.transpose(1, 2), enable_gqa=True, scale=0.3)
        repeated = functional.scaled_dot_product_attention(
            queries, keys.transpose(1, 2).repeat_interleave(2, 1), values.transpose(1, 2).repeat_interleave(2, 1),
            is_causal=True)
        return (shared + repeated).transpose(1, 2).flatten(2), weights
    return Function(
        forward, attention=nn.MultiheadAttention(16, 4, batch_first=True), queries=nn.Linear(16, 16),
        keys=nn.Linear(16, 16), mask=torch.triu(torch.ones(7, 7, dtype=torch.bool), 1)), (torch.randn(2, 7, 16),)


def functions():
    """Functions of elements and along axes that few networks use."""
    def forward(self, x, y):
        a = self.norm(x)
        least, most = torch.aminmax(a, dim=1, keepdim=True)
        first, _, last = torch.tensor_split(a[:, None].mT, (2, 5), 1)
        a = (a - least) / (most - least) + last[:, :, 0] - first[:, :1, 0]
        whole = (a * 10).long()
        b = torch.remainder(a, 0.7) + torch.fmod(a, 0.7) + torch.trunc(a) + torch.frac(a) + torch.erfc(a) + torch.exp2(a)
        c = torch.log2(a.abs() + 1) + torch.log10(a.abs() + 1) + a.sigmoid().logit(1e-3) + torch.atanh(a.sigmoid() / 2)
        d = torch.addcdiv(a, y, y.abs() + 1, value=0.5) + torch.addcmul(a, a, y, value=2) + torch.linspace(-1, 1, 6)
        spread, mean = torch.std_mean(d, 1, keepdim=True)
        e = (d - mean) / spread + functional.cosine_similarity(a, y, 1)[:, None] + (whole // 3 + whole % 4).float()
        ordered, places = torch.sort(e, 1, descending=True)
        taken = torch.where(((a > 0) ^ (y > 0)) & torch.isfinite(y), ordered, y.gather(1, torch.argsort(a, 1)))
        windows = functional.one_hot(places[:, 0], 6).float().unfold(1, 3, 2).flatten(1)
        taken = taken @ torch.eye(6) + functional.pad(torch.eye(1, 3), (0, 3))
        return b + c, taken, windows, torch.any(a > 1, 1), torch.all(a > -0.5, 1), a.tile(1, 2).cumsum(1)
    return Function(forward, norm=nn.BatchNorm1d(6)), (torch.randn(2, 6), torch.randn(2, 6))


def standardized():
    """Weights that are standardized while the network runs."""
    def forward(self, x):
        for convolution in self.convolutions:
            weight = convolution.weight
            weight = functional.batch_norm(weight.reshape(1, len(weight), -1), None, None, training=True, momentum=0)
            x = functional.relu(functional.conv2d(x, weight.view_as(convolution.weight), padding=1))
        return self.norm(x).mean((2, 3))
    return Function(
        forward, convolutions=nn.ModuleList([nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)]), norm=nn.BatchNorm2d(8)), image(8)


def windows():
    """Windows as columns and back, positions along several axes, and bounds that are tensors."""
    def forward(self, x):
        x = self.stem(x)
        columns = functional.unfold(x, (3, 2), dilation=(1, 2), padding=1, stride=(2, 1))
        gates = self.gate(columns.transpose(1, 2)).transpose(1, 2)
        y = functional.fold(columns * gates.sigmoid(), (9, 8), (3, 2), dilation=(1, 2), padding=1, stride=(2, 1))
        y = torch.clamp(y, self.least, self.most)
        table = y[:, :, self.rows, self.columns]
        corners = y[:, self.channels, :, self.channels]
        y[:, :, self.rows, self.columns] = table * 2
        y[:, self.channels] += 1
        sums = torch.index_put(self.most[:, 0, 0] * 2, (self.channels[[0, 1, 0]],), x.mean(), accumulate=True)
        last = torch.concatenate([y, x], 2)[:, 0, 1:, -1]
        return table, corners, sums, ((table > 0.3) * (table < 1)).float(), torch.movedim(y, (1, 3), (2, 1)), last
    return Function(
        forward, stem=block(2, 4, nn.ReLU(), padding=1), gate=nn.Linear(24, 24), least=torch.full((4, 1, 1), 0.1),
        most=torch.tensor([0.9, 1.2, 2, 0.5])[:, None, None], rows=torch.tensor([[0], [8], [-2]]),
        columns=torch.tensor([0, 5, -1, 2]), channels=torch.tensor([3, 1])), (torch.randn(2, 2, 9, 8),)


def contexts():
    """Parts without gradients and with autocast off, which are graphs of their own in the file."""
    def forward(self, x):
        x = self.stem(x)
        with torch.no_grad():
            mean, most = x.mean((2, 3), keepdim=True), x.amax(1)
            count = x.shape[0]
        with torch.autocast("cpu", enabled=False):
            y = self.second(x.float()) * mean
            with torch.no_grad():
                y = y / y.abs().amax((1, 2, 3), keepdim=True)
        return y.view(count, -1), most
    return Function(
        forward, stem=block(3, 4, nn.ReLU(), padding=1), second=block(4, 4, nn.SiLU(), padding=1)), image(6)


def any_size():
    """Images of any extents: what a layer does follows from those that come."""
    def forward(self, x):
        first = self.first(x)
        deep = self.deep(functional.max_pool2d(first, 2))
        up = functional.interpolate(deep, size=first.shape[2:], mode="bilinear")
        twice = functional.interpolate(deep, scale_factor=2, mode="nearest")
        tokens = deep.flatten(2).transpose(1, 2)
        tokens = tokens + functional.scaled_dot_product_attention(tokens, tokens, tokens)
        count, channels, height, width = deep.shape
        image = tokens.transpose(1, 2).reshape(count, channels, height, width)
        gate = torch.sigmoid(self.gate(functional.adaptive_avg_pool2d(image, 1)))
        return self.head(torch.cat([up, twice, first], 1)), (image * gate).mean((2, 3)), functional.pad(image, (1, 2))
    return Function(
        forward, first=block(3, 4, nn.ReLU(), padding=1), deep=block(4, 6, nn.SiLU(), padding="same"),
        gate=nn.Conv2d(6, 6, 1), head=nn.Conv2d(16, 2, 1)), image(12)


def any_length():
    """Sequences of any length."""
    def forward(self, x):
        y = functional.relu(self.norm(self.convolution(x))).transpose(1, 2)
        queries, keys, values = (part.unflatten(2, (2, 4)).transpose(1, 2) for part in self.attention(y).chunk(3, 2))
        y = y + functional.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
        y = self.layer(y)
        return self.head(y[:, -1]), y.amax(1), torch.cat([y[:, 1:], y[:, :1]], 1).flip(1)
    return Function(
        forward, convolution=nn.Conv1d(3, 8, 5, 2, 2), norm=nn.BatchNorm1d(8),
        attention=nn.Linear(8, 24), layer=nn.LayerNorm(8),
        head=nn.Linear(8, 3)), (torch.randn(2, 3, 20),)


def mathematics():
    """Functions and comparisons of numbers, one after the other."""
    def forward(self, x, y):
        small = torch.tanh(x) * 0.9
        inverse = torch.acos(small) + torch.asin(small).mul(2) - torch.atan(x) + torch.asinh(y) - torch.acosh(y.abs() + 1.5)
        grown = torch.sinh(small) - torch.cosh(small) + torch.tan(small) + torch.expm1(small) + torch.log(y.abs() + 0.5)
        whole = torch.round(x * 3) + torch.ceil(y * 2) - torch.trunc(x * 2) + torch.lerp(x, y, 0.3)
        soft = functional.softsign(x) + functional.relu6(y) - torch.clamp_max(x, 0.2) + torch.clip(y, -0.3, None)
        asked = torch.logical_and(x >= y, x <= 1) | torch.logical_not(x < 0) ^ torch.logical_xor(y > 0, x != y)
        odd = torch.where(asked, x, torch.full_like(x, float("nan")))
        odd = torch.where(torch.isnan(odd), torch.ones_like(x), odd) + torch.isinf(x / torch.zeros_like(x)).float()
        sums = torch.prod(small, 1) + torch.amin(x, 1) + torch.min(y, 1)[0] + torch.norm(x, dim=1) + torch.var_mean(y, 1)[1]
        places = torch.argmin(x, 1) + torch.topk(y, 2, 1)[1][:, 0]
        return inverse, grown, whole, soft, asked, odd, sums, places, torch.topk(x, 3, 1)[0], x.new_full((2,), 3.0) + y[:, :2]
    return Function(forward), (torch.randn(2, 6), torch.randn(2, 6))


def rearranged():
    """What moves, cuts, pads and multiplies, and the pools and cells of other networks."""
    def forward(self, x):
        x = self.stem(x)
        count = x.shape[0]
        matrix = x.flatten(2)
        parts = torch.narrow(matrix, 2, 3, 9).type_as(x) + torch.split(matrix, 9, 2)[1] - matrix.index_select(2, self.chosen)
        turned = parts.moveaxis(1, 2).swapaxes(1, 2).swapdims(0, 0).triu(1) + parts.tril(-1).reshape_as(parts)
        put = torch.select_scatter(turned, parts[:, 0], 1, 2)
        put = torch.slice_scatter(put, parts[:, :2] * 2, 1, 1, 3)
        put = put.scatter(2, self.chosen[:2].expand(count, 4, 2), parts[:, :, :2])
        joined = torch.einsum("nij,nkj->nik", put, parts) @ torch.mm(self.square, self.square).T
        vector = torch.mv(self.square, self.square[0]) + torch.ones(4)
        padded = functional.pad(functional.pad(matrix, (2, 1), "reflect"), (1, 2), "replicate")
        deep = x.unsqueeze(1)
        deep = functional.pad(functional.pad(deep, (1, 0, 0, 1, 1, 1), "replicate"), (1, 1, 1, 0, 0, 1), "reflect")
        pooled = functional.adaptive_avg_pool1d(matrix, 3) + functional.adaptive_max_pool1d(matrix, 3)
        volume = functional.adaptive_max_pool3d(deep, (7, 4, 3)) - functional.adaptive_avg_pool3d(deep, (7, 4, 3))
        state = self.cell(pooled[:, :, 0], torch.zeros(count, 5))
        return joined + vector, padded, pooled, volume, self.other(pooled[:, :, 1], state)
    return Function(
        forward, stem=block(3, 4, nn.ReLU(), padding=1), chosen=torch.tensor([0, 2, 1, 4, 5, 8, 7, 3, 6]),
        square=torch.randn(4, 4), cell=nn.RNNCell(4, 5), other=nn.RNNCell(4, 5, nonlinearity="relu")), image(6)


# The axes whose extents are open beside the batch: a program of these runs with others than it was exported with.
OPEN = {
    "any_size": ((2, 3), lambda axis: 2 * torch.export.Dim("half_" + "height width".split()[axis - 2], min=4, max=64)),
    "any_length": ((2,), lambda axis: torch.export.Dim("length", min=8, max=128)),
}
OTHER_EXTENTS = {"any_size": (BATCH, 3, 18, 10), "any_length": (BATCH, 3, 33)}

NETWORKS = {
    function.__name__: function for function in (
        activations, unet, audio, volume, mlp, pools, shapes, arithmetic, residual, preact, separable, norms, resizes,
        attention, recurrent, strided, dictionary, written, steps, heads, functions, standardized, windows, contexts,
        mathematics, rearranged, any_size, any_length)}


def randomize(model):
    """Draws the parameters and statistics of normalizations, as training leaves them."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, (nn.modules.batchnorm._NormBase,)):
                if module.running_mean is not None:
                    module.running_mean.normal_(0, 0.2)
                    module.running_var.uniform_(0.5, 1.5)
                if module.weight is not None:
                    module.weight.uniform_(0.7, 1.3)
                    module.bias.normal_(0, 0.2)
    return model.eval()


def batch_of(inputs, count):
    return tuple(
        torch.randint(0, 11, (count, *x.shape[1:])) if x.dtype == torch.int64 else torch.randn(count, *x.shape[1:])
        for x in inputs)


def without_traces(value):
    if isinstance(value, dict):
        return {key: without_traces(item) for key, item in value.items() if key != "stack_trace"}
    return [without_traces(item) for item in value] if isinstance(value, list) else value


def remove_traces(path):
    """Takes out where each call stands in the sources: a path of the machine that made the file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            if name.endswith("models/model.json"):
                content = json.dumps(without_traces(json.loads(content))).encode()
            archive.writestr(zipfile.ZipInfo(name), content)


def write(name, folder):
    torch.manual_seed(0)
    own = name.removesuffix(DECOMPOSED)
    if own in NETWORKS:
        model, inputs = NETWORKS[own]()
    else:
        model, inputs = make_models.vision(name), image(CLASSIFIERS[name])
    randomize(model)
    batch = {0: torch.export.Dim("batch")}
    if own in OPEN:
        axes, extent = OPEN[own]
        batch |= {axis: extent(axis) for axis in axes}
    # The names of a Function's inputs are its caller's.
    shapes = ((batch,) * len(inputs),) if isinstance(model, Function) else (batch,) * len(inputs)
    program = torch.export.export(model, inputs, dynamic_shapes=shapes)
    if own != name:
        program = program.run_decompositions()
    torch.export.save(program, folder / f"{name}.pt2")
    remove_traces(folder / f"{name}.pt2")
    items = (torch.randn(OTHER_EXTENTS[own]),) if own in OPEN else batch_of(inputs, BATCH)
    with torch.no_grad():
        outputs = model(*items)
    if isinstance(outputs, dict):
        outputs = tuple(outputs.values())
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    arrays = {f"input{index}": x.numpy() for index, x in enumerate(items)}
    arrays |= {f"expected{index}": x.numpy() for index, x in enumerate(outputs)}
    numpy.savez(folder / f"{name}.npz", **arrays)
    if name in CLASSIFIERS:
        torch.onnx.export(
            model, inputs, str(folder / f"{name}.onnx"), dynamo=False, training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False, opset_version=17, input_names=["input"], output_names=["output"],
            dynamic_axes={"input": {0: "N"}, "output": {0: "N"}})


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    library = make_models.define_torchvision_operators()
    for name in sys.argv[2:] or [*NETWORKS, *CLASSIFIERS]:
        write(name, folder)
    del library


if __name__ == "__main__":
    main()
