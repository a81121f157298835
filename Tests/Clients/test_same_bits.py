"""An item's answer is the same to the last bit, whatever batch it rides in, at whatever place and on however many threads.

The networks are torchvision's with seeded weights, for small images, and the two small ones of the benchmarks. torch is
large, so this runs only with FOLDSERVE_TEST_TORCHVISION=1.
"""
import subprocess

import numpy
import pytest

import networks
from command import ROOT
from test_golden import predict

SIDE = 96
SHAPES = {"mlp": (784,), "cnn": (1, 28, 28)}
NAMES = (
    "mlp", "cnn", "resnet18", "resnet50", "mobilenetv2", "mobilenet_v3_large", "efficientnet_b0", "shufflenet_v2_x1_0",
    "inception_v3", "googlenet", "densenet121", "regnet_y_400mf", "convnext_tiny")
BATCH = 5
EXPORT_SECONDS = 600


@pytest.fixture(scope="module")
def models(torch_python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("same-bits")
    script = ROOT / "Tests/Benchmarks/make_models.py"
    subprocess.run([torch_python, script, "--side", str(SIDE), folder, *NAMES], check=True, timeout=EXPORT_SECONDS)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_an_item_has_the_same_bits_in_every_batch(models, name, tmp_path):
    network = networks.Network(name, models / f"{name}.onnx", models)
    items = numpy.random.default_rng(1).standard_normal((BATCH, *SHAPES.get(name, (3, SIDE, SIDE)))).astype(numpy.float32)

    def run(batch, threads):
        folder = tmp_path / f"{batch.start}-{batch.stop}-{threads}"
        folder.mkdir()
        return predict(network, folder, ("--threads", str(threads)), {"input": items[batch]})["output"]

    whole = run(slice(0, BATCH), 1)
    assert numpy.isfinite(whole).all()
    for batch, threads in [(slice(0, BATCH), 2), (slice(0, 1), 1), (slice(3, 4), 2), (slice(2, 5), 1), (slice(1, 5), 3)]:
        assert run(batch, threads).tobytes() == whole[batch].tobytes(), f"{name}: items {batch} on {threads} threads"
