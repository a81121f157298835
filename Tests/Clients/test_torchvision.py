"""torchvision's ResNet-50 and MobileNetV2 with seeded weights: foldserve and ONNX Runtime answer the same.

torch is large, so this runs only with FOLDSERVE_TEST_TORCHVISION=1; it then makes .build/benchmark-venv, once, and the
networks in it.
"""
import subprocess

import numpy
import pytest

import command
import networks
from command import ROOT
from test_golden import predict
from test_onnxruntime import TOLERANCE, reference

NAMES = ("resnet50", "mobilenetv2")
EXPORT_SECONDS = 300


@pytest.fixture(scope="module")
def models(torch_python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("torchvision")
    script = ROOT / "Tests/Benchmarks/make_models.py"
    subprocess.run([torch_python, script, folder, *NAMES], check=True, timeout=EXPORT_SECONDS)
    return folder


@pytest.fixture(scope="module")
def images():
    return numpy.random.default_rng(0).standard_normal((2, 3, 224, 224)).astype(numpy.float32)


@pytest.mark.parametrize("name", NAMES)
def test_torchvision_network_agrees(models, images, name, tmp_path):
    path = models / f"{name}.onnx"
    network = networks.Network(name, path, models)
    assert len(network.batch_norms) > 50, "the export is to keep its normalizations"
    expected = reference(path, {"input": images})["output"]
    folded = predict(network, tmp_path, (), {"input": images})["output"]
    networks.assert_close(folded, expected, TOLERANCE, f"{name} folded")
    unfolded = predict(network, tmp_path, ("--no-fold",), {"input": images})["output"]
    networks.assert_close(unfolded, expected, TOLERANCE, f"{name} unfolded")
    assert not numpy.array_equal(folded, unfolded), "folding is to change the order of rounding: nothing was folded"


@pytest.mark.parametrize("name", NAMES)
def test_folded_torchvision_network_agrees_in_onnxruntime(models, images, name, tmp_path):
    completed = command.run("fold", models / f"{name}.onnx", "-o", tmp_path / "folded.onnx")
    assert completed.status == 0, completed.errors
    network = networks.Network(name, tmp_path / "folded.onnx", models)
    assert not network.batch_norms
    expected = reference(models / f"{name}.onnx", {"input": images})["output"]
    actual = reference(tmp_path / "folded.onnx", {"input": images})["output"]
    networks.assert_close(actual, expected, TOLERANCE, name)
