"""The networks of fold_table.py: each with BatchNormalization kept, seeded weights and statistics that are not trivial.

`networks(cache)` yields them by name. The small ones each hold one place where a BatchNorm can stand, with scales of either
sign; torchvision's come from make_models.py; what Keras and TensorFlow export is a file without a module.
"""
import copy
import functools
import json
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy
import onnx
import torch
from torch import nn
from torch.nn import functional

import make_models

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "Clients"))
VISION = (
    "resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "shufflenet_v2_x1_0", "inception_v3",
    "googlenet", "mnasnet1_0", "regnet_y_400mf", "densenet121")
CHAINS = ("keras_image", "keras_sequence", "tf2onnx_image", "tf2onnx_sequence", "dynamo")
KERAS = ("keras-classifier", "keras-mobilenet")


@dataclass(frozen=True)
class Network:
    name: str
    path: Path
    inputs: dict
    # Makes the module; None where there is a file only.
    module: object = None

    @functools.cached_property
    def unfolded(self):
        """What ONNX Runtime answers with every optimisation off."""
        return run(self.path, self.inputs)

    @functools.cached_property
    def reference(self):
        """What the module answers in Float64; without a module what the file answers."""
        if self.module is None:
            return self.unfolded
        module, example = copy.deepcopy(self.module()).double(), torch.from_numpy(self.inputs["input"]).double()
        with torch.no_grad():
            return {"output": module(example).numpy()}


def run(path, inputs):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, inputs)))


def export(module, example, path, **options):
    """The module as it is, as make_models.py exports it, with the first axis dynamic."""
    options = {
        "dynamo": False, "opset_version": make_models.OPSET_VERSION, "do_constant_folding": False,
        "training": torch.onnx.TrainingMode.PRESERVE, "input_names": ["input"], "output_names": ["output"],
        "dynamic_axes": {"input": {0: "N"}, "output": {0: "N"}}, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (example,), str(path), **options)


def conv(inputs, outputs, size=3, **options):
    return nn.Conv2d(inputs, outputs, size, **options)


def bn(channels):
    return nn.BatchNorm2d(channels)


class Joined(nn.Module):
    """Two branches, joined by a function of both, and what comes after."""

    def __init__(self, join, *after):
        super().__init__()
        self.left, self.right = conv(3, 8, padding=1), conv(3, 8, padding=1)
        self.join, self.after = join, nn.Sequential(*after)

    def forward(self, x):
        return self.after(self.join(self.left(x), self.right(x)))


class Normalized(nn.Module):
    """Preprocessing, then a padded convolution."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1))
        self.after = nn.Sequential(conv(3, 8, padding=1), bn(8), nn.ReLU(), conv(8, 4))

    def forward(self, x):
        return self.after((x - self.mean) / self.deviation)


class TransformInput(nn.Module):
    """What torchvision's GoogLeNet and Inception v3 do when they hold trained weights: each channel has its own affine."""

    def __init__(self):
        super().__init__()
        self.after = nn.Sequential(conv(3, 8, 7, stride=2, padding=3, bias=False), bn(8), nn.ReLU())

    def forward(self, x):
        means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        return self.after(torch.cat(
            [x[:, i:i + 1] * (deviation / 0.5) + (mean - 0.5) / 0.5
             for i, (mean, deviation) in enumerate(zip(means, deviations))], 1))


class PreActivation(nn.Module):
    """A residual block of ResNet v2: what is normalized has a second consumer."""

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 8, padding=1)
        self.block = nn.Sequential(bn(8), nn.ReLU(), conv(8, 8, padding=1), bn(8), nn.ReLU(), conv(8, 8, padding=1))
        self.head = nn.Sequential(bn(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))

    def forward(self, x):
        x = self.stem(x)
        return self.head(x + self.block(x))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()

        def block(inputs, outputs):
            return nn.Sequential(conv(inputs, outputs, padding=1, bias=False), bn(outputs), nn.ReLU())
        self.down1, self.down2, self.bottom = block(3, 8), block(8, 16), block(16, 32)
        self.up2 = nn.Sequential(nn.ConvTranspose2d(32, 16, 2, stride=2), bn(16), nn.ReLU())
        self.up1 = nn.Sequential(nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1, groups=2), bn(8), nn.ReLU())
        self.join2, self.join1, self.mask = block(32, 16), block(16, 8), conv(8, 2, 1)

    def forward(self, x):
        first = self.down1(x)
        second = self.down2(functional.max_pool2d(first, 2))
        x = self.up2(self.bottom(functional.max_pool2d(second, 2)))
        x = self.up1(self.join2(torch.cat([x, second], 1)))
        return self.mask(self.join1(torch.cat([x, first], 1)))


def conv1d():
    return nn.Sequential(
        nn.Conv1d(1, 16, 9, stride=2, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(16, 32, 5, padding=4, dilation=2, groups=4), nn.BatchNorm1d(32), nn.ReLU(),
        nn.ConvTranspose1d(32, 16, 4, stride=2), nn.BatchNorm1d(16), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
        nn.Linear(16, 8), nn.BatchNorm1d(8))


def after_relu(*modules):
    return lambda: nn.Sequential(conv(3, 8, padding=1), nn.ReLU(), *(make() for make in modules))


IMAGE = (3, 16, 16)
OWN = {
    "U-Net": (UNet, (3, 32, 32)),
    "1-D convolutions": (conv1d, (1, 128)),
    "BN → conv": (after_relu(lambda: bn(8), lambda: conv(8, 4)), IMAGE),
    "BN → conv, padded": (after_relu(lambda: bn(8), lambda: conv(8, 4, padding=1)), IMAGE),
    "(x−mean)/std → conv, padded": (Normalized, IMAGE),
    "affine of each channel → concat → conv, padded": (TransformInput, IMAGE),
    "BN → flatten → linear": (
        after_relu(lambda: bn(8), nn.Flatten, lambda: nn.Linear(8 * 16 * 16, 5)), IMAGE),
    "linear → ReLU → BN → linear": (
        lambda: nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Linear(16, 4)), (20,)),
    "LayerNorm → linear": (
        lambda: nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.LayerNorm(16), nn.Linear(16, 4)), (6, 20)),
    "conv → max pool → BN → conv": (
        lambda: nn.Sequential(conv(3, 8), nn.MaxPool2d(2), bn(8), conv(8, 4)), IMAGE),
    "conv → average pool → BN → ReLU → conv": (
        lambda: nn.Sequential(conv(3, 8), nn.AvgPool2d(2), bn(8), nn.ReLU(), conv(8, 4)), IMAGE),
    "conv → resize → BN → ReLU": (
        lambda: nn.Sequential(conv(3, 8), nn.Upsample(scale_factor=2), bn(8), nn.ReLU()), IMAGE),
    "conv + conv → BN → ReLU": (lambda: Joined(torch.add, bn(8), nn.ReLU(), conv(8, 4)), IMAGE),
    "concat → BN → ReLU → conv": (
        lambda: Joined(lambda *both: torch.cat(both, 1), bn(16), nn.ReLU(), conv(16, 4, padding=1)), IMAGE),
    "concat → BN → conv, padded": (
        lambda: Joined(lambda *both: torch.cat([functional.relu(x) for x in both], 1), bn(16), conv(16, 4, padding=1)),
        IMAGE),
    "pre-activation residual": (PreActivation, IMAGE),
}


def make_own(name):
    torch.manual_seed(0)
    module = OWN[name][0]().eval()
    for norm in module.modules():
        if isinstance(norm, (*make_models.BATCH_NORMS, nn.LayerNorm)):
            sign = torch.randint(0, 2, norm.weight.shape) * 2 - 1
            norm.weight.data = sign * torch.empty(norm.weight.shape).uniform_(0.5, 1.5)
            nn.init.normal_(norm.bias, 0, 0.3)
        if isinstance(norm, make_models.BATCH_NORMS):
            norm.running_mean.normal_(0, 0.5)
            norm.running_var.uniform_(0.5, 2)
    return module


def from_module(name, make, shape, path):
    # One module, for its statistics may differ in the last place from run to run; so the file is made anew too.
    make = functools.cache(make)
    torch.manual_seed(1)
    example = torch.randn(2, *shape)
    export(make(), example, path)
    return Network(name, path, {"input": example.numpy()}, make)


def from_keras(name, cache):
    path = cache / f"{name}.onnx"
    if not path.exists():
        import make_keras_exports
        make_keras_exports.write(name, cache)
    return Network(name, path, dict(numpy.load(path.with_suffix(".npz"))))


def from_chain(name):
    path = TESTS / "Fixtures/chains" / f"{name}.onnx"
    (port,) = onnx.load(path).graph.input
    return Network(name, path, {port.name: numpy.load(path.with_name(f"{name}.x.npy"))})


def names():
    return [*VISION, *OWN, *KERAS, *CHAINS]


def networks(cache, chosen=()):
    """The networks by name, or the chosen ones, their files in the cache folder. Those of Keras are made once."""
    makers = {name: functools.partial(
        from_module, name, lambda name=name: make_models.build(name)[0], make_models.specification(name)[0],
        cache / f"{name}.onnx") for name in VISION}
    makers |= {name: functools.partial(
        from_module, name, functools.partial(make_own, name), shape, cache / f"own{index}.onnx")
        for index, (name, (_, shape)) in enumerate(OWN.items())}
    makers |= {name: functools.partial(from_keras, name, cache) for name in KERAS}
    makers |= {name: functools.partial(from_chain, name) for name in CHAINS}
    for name in chosen or names():
        yield makers[name]()


def main(arguments):
    if len(arguments) < 2:
        print("fold_networks.py FOLDER NAME ...: writes the networks and prints their files by name", file=sys.stderr)
        return 64
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps({network.name: str(network.path) for network in networks(folder, arguments[1:])}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
