#!/usr/bin/env python3
"""Writes the benchmark networks as ONNX with their BatchNormalization nodes kept, weights seeded.

    make_models.py OUT [NAME ...]      NAME: mlp, cnn, mobilenetv2, or torchvision's own (resnet50 …)
    make_models.py --side 64 OUT ...   torchvision's for images of 64 × 64, not of the extents they were made for
    make_models.py --list              the names that are written when none is given

Every file has one input `input` [N, ...] and one output `output` [N, classes], opset 17. BatchNorm statistics
are calibrated on random batches, so that activations stay in range and folding is not trivial.
Needs what requirements.txt beside this file pins.
"""
import functools
import sys
import warnings
from pathlib import Path

import torch
from torch import nn

OPSET_VERSION = 17
CALIBRATION_BATCH_COUNT = 3
CALIBRATION_BATCH_SIZE = 8
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def mlp():
    return nn.Sequential(
        nn.Linear(784, 512), nn.BatchNorm1d(512), nn.ReLU(),
        nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


@functools.cache
def define_torchvision_operators():
    """Declares the compiled operators that torchvision registers fakes for at import.

    Its wheel may be for another build of torch, so that they do not load; the classifiers call none of them.
    The library is returned because the declarations last only as long as it does.
    """
    if hasattr(torch.ops.torchvision, "nms"):
        return None
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms", "roi_align"):
        library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def vision(name):
    define_torchvision_operators()
    import torchvision
    # Auxiliary heads exist in training alone; their nodes would never run.
    options = {"aux_logits": False, "init_weights": True} if name in ("inception_v3", "googlenet") else {}
    return torchvision.models.get_model(name, weights=None, **options)


OWN_NETWORKS = {
    "mlp": ((784,), mlp),
    "cnn": ((1, 28, 28), cnn),
    "mobilenetv2": ((3, 224, 224), lambda: vision("mobilenet_v2")),
}
VISION_NETWORKS = (
    "resnet50", "resnet18", "vgg11_bn", "densenet121", "inception_v3", "googlenet", "efficientnet_b0",
    "mobilenet_v3_large", "shufflenet_v2_x1_0", "mnasnet1_0", "regnet_y_400mf", "squeezenet1_1",
    "convnext_tiny", "alexnet")
SIDES = {"inception_v3": 299}


def specification(name, side=None):
    """The shape of one item of the input, and the function that makes the network."""
    if name in OWN_NETWORKS and name != "mobilenetv2":
        return OWN_NETWORKS[name]
    shape, make = OWN_NETWORKS.get(name, ((3, *[SIDES.get(name, 224)] * 2), lambda: vision(name)))
    return (3, side, side) if side else shape, make


def build(name, side=None):
    shape, make = specification(name, side)
    torch.manual_seed(0)
    model = make().eval()
    for module in model.modules():
        # Only normalization learns: dropout and stochastic depth would distort its statistics.
        if isinstance(module, BATCH_NORMS):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
            module.train()
    with torch.no_grad():
        for _ in range(CALIBRATION_BATCH_COUNT):
            model(torch.randn(CALIBRATION_BATCH_SIZE, *shape))
    return model.eval(), shape


def write(name, folder, side=None):
    model, shape = build(name, side)
    with warnings.catch_warnings():
        # The exporter without dynamo warns that it is deprecated; the other one folds BatchNorm by itself.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (torch.randn(2, *shape),), str(folder / f"{name}.onnx"), dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, opset_version=OPSET_VERSION,
            input_names=["input"], output_names=["output"],
            dynamic_axes={"input": {0: "N"}, "output": {0: "N"}})


def main(arguments):
    names = [*OWN_NETWORKS, *VISION_NETWORKS]
    if arguments == ["--list"]:
        print("\n".join(names))
        return 0
    side = None
    if arguments[:1] == ["--side"] and len(arguments) > 1 and arguments[1].isdecimal():
        side, arguments = int(arguments[1]), arguments[2:]
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 64
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments[1:] or names:
        write(name, folder, side)
        print(name, "written", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
