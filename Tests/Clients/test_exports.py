"""Networks of many kinds as PyTorch's two exporters and Keras write them: foldserve and ONNX Runtime answer the same.

torch is large, so this runs only with FOLDSERVE_TEST_TORCHVISION=1.
"""
import subprocess

import numpy
import pytest

import networks
from command import ROOT
from test_golden import FOLDING, predict
from test_onnxruntime import TOLERANCE, reference

EXPORT_SECONDS = 600
SCRIPTS = {
    "make_exports.py": (
        "crnn-script", "unet-script", "unet-dynamo", "audio-script", "audio-dynamo", "lstm-script", "lstm-dynamo",
        "gru-script", "transformer-script", "transformer-dynamo", "detector-script", "detector-dynamo",
        "super-resolution-script", "super-resolution-dynamo", "vit-script", "mobilenet-v3-script",
        "mobilenet-v3-dynamo", "efficientnet-script", "lraspp-script"),
    "make_keras_exports.py": (
        "keras-classifier", "keras-segmenter", "keras-recurrent", "keras-audio", "keras-mobilenet"),
}


@pytest.fixture(scope="module")
def exports(torch_python, tmp_path_factory):
    """A folder with the files and their inputs, both scripts at once."""
    folder = tmp_path_factory.mktemp("exports")
    running = [
        subprocess.Popen([torch_python, ROOT / "Tests/Clients" / script, folder, *names], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
        for script, names in SCRIPTS.items()]
    for process in running:
        _, errors = process.communicate(timeout=EXPORT_SECONDS)
        assert process.returncode == 0, errors
    return folder


@FOLDING
@pytest.mark.parametrize("name", [name for names in SCRIPTS.values() for name in names])
def test_exported_network_agrees(name, flags, exports, tmp_path):
    path = exports / f"{name}.onnx"
    inputs = dict(numpy.load(exports / f"{name}.npz"))
    expected = reference(path, inputs)
    assert any(tensor.std() > 1e-3 for tensor in expected.values()), "the answers are to differ from one another"
    for output, actual in predict(networks.Network(name, path, exports), tmp_path, flags, inputs).items():
        networks.assert_close(actual, expected[output], TOLERANCE, f"{name} {output}")
