"""Networks as Keras saves them, `.keras` and `.h5`: foldserve answers what Keras answers.

torch and keras are large, so the networks that Keras makes here run only with FOLDSERVE_TEST_TORCHVISION=1; the shipped
model and the fixtures always do.
"""
import json
import subprocess
import sys
import zipfile

import numpy
import onnxruntime
import pytest

import command
import networks
from command import ROOT

EXPORT_SECONDS = 900
TOLERANCE = 1e-5
NAMES = ("image-classifier", "sequential", "separable", "segmenter", "audio", "volume", "perceptron", "normalized",
         "recurrent", "video", "nested", "unknown-extents", "augmented", "matching", "operations", "channels-first",
         "scaled-paths", "mobilenet")
EXPORTED = ("image-classifier", "separable", "segmenter", "audio", "mobilenet")
SHIPPED = ROOT / "models" / "keras_cnn"
FOLDING = pytest.mark.parametrize("flags", [(), ("--no-fold",)], ids=["folded", "unfolded"])

sys.path.insert(0, str(ROOT / "models"))
import digits
import splits


@pytest.fixture(scope="module")
def saved(torch_python, tmp_path_factory):
    """A folder with the networks, their inputs and Keras's answers."""
    folder = tmp_path_factory.mktemp("keras")
    process = subprocess.run(
        [torch_python, ROOT / "Tests/Clients/make_keras_models.py", folder], capture_output=True, text=True,
        timeout=EXPORT_SECONDS)
    assert process.returncode == 0, process.stderr
    return folder


def predict(path, inputs, folder, flags):
    arguments = []
    for index, (name, tensor) in enumerate(inputs.items()):
        numpy.save(folder / f"{index}.npy", tensor)
        arguments += ["--input", f"{name}={folder / f'{index}.npy'}"]
    completed = command.run("predict", path, *arguments, "--output-dir", folder / "out", *flags)
    assert completed.status == 0, completed.errors
    return networks.Network("", path, folder / "out").tensors


@FOLDING
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_keras(name, suffix, flags, saved, tmp_path):
    if suffix == ".h5" and name in ("nested", "operations", "augmented"):
        pytest.skip("Keras itself can write no augmentation and read no operations in this format")
    tensors = dict(numpy.load(saved / f"{name}.npz"))
    inputs = {key[6:]: value for key, value in tensors.items() if key.startswith("input:")}
    actual = predict(saved / (name + suffix), inputs, tmp_path, flags)
    expected = {key[7:]: value for key, value in tensors.items() if key.startswith("output:")}
    assert set(actual) == set(expected)
    for output, value in expected.items():
        networks.assert_close(actual[output], value, TOLERANCE, f"{name} {output}")


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_file_is_proven_and_answers_the_same_in_onnxruntime(name, saved, tmp_path):
    path, folded = saved / f"{name}.keras", tmp_path / "folded.onnx"
    completed = command.run("fold", path, "-o", folded)
    assert completed.status == 0, completed.errors
    completed = command.run("verify", path, folded)
    assert completed.status == 0, completed.errors
    tensors = dict(numpy.load(saved / f"{name}.npz"))
    options = onnxruntime.SessionOptions()
    if name == "volume":
        # Its optimizer makes zeros that a Pad puts before a MaxPool the pool's own padding, which no value is less than.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(folded, options, providers=["CPUExecutionProvider"])
    expected = {key[7:]: value for key, value in tensors.items() if key.startswith("output:")}
    inputs = {key[6:]: value for key, value in tensors.items() if key.startswith("input:")}
    for (output, value), actual in zip(expected.items(), session.run(list(expected), inputs), strict=True):
        networks.assert_close(actual, value, TOLERANCE, f"{name} {output}")


def fold(path):
    completed = command.run("inspect", path, "--json")
    assert completed.status == 0, completed.errors
    return json.loads(completed.output)["fold"]


@pytest.mark.parametrize("name", EXPORTED)
def test_batch_normalizations_fold_as_in_the_export(name, saved):
    """Keras exports them as nodes or as chains of arithmetic."""
    own, exported = fold(saved / f"{name}.keras"), fold(saved / f"{name}.onnx")
    assert own["foldedCount"] == len(own["entries"]) > 0
    assert len(own["entries"]) <= exported["foldedCount"] + exported["foldedChainCount"]


@FOLDING
def test_the_shipped_model_answers_as_keras_in_float64(flags, tmp_path):
    golden = SHIPPED / "1" / "golden"
    actual = predict(SHIPPED, {"input": numpy.load(golden / "input.npy")}, tmp_path, flags)
    networks.assert_close(actual["output"], numpy.load(golden / "output.npy"), TOLERANCE)


def test_the_shipped_model_has_the_accuracy_of_its_card(tmp_path):
    _, _, images, classes = splits.hold_back_test(*digits.load())
    images = numpy.ascontiguousarray(images.transpose(0, 2, 3, 1))
    actual = predict(SHIPPED, {"input": images}, tmp_path, ())["output"]
    card = json.loads((SHIPPED / "model.json").read_text())["card"]
    assert round(float((actual.argmax(1) == classes).mean()), 4) == card["testAccuracy"] >= 0.98


def edited(change, path):
    """The shipped model with another configuration."""
    with zipfile.ZipFile(SHIPPED / "1" / "model.keras") as source, zipfile.ZipFile(path, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            if member == "config.json":
                config = json.loads(content)
                change(config["config"]["layers"])
                content = json.dumps(config)
            target.writestr(member, content)
    return path


def test_an_unknown_layer_is_refused_by_name_and_path(tmp_path):
    def change(layers):
        layers[3]["class_name"] = "Wavelet"
    completed = command.run("inspect", edited(change, tmp_path / "model.keras"))
    assert completed.status == command.DATA
    name = next(layer for layer in json.loads(zipfile.ZipFile(SHIPPED / "1" / "model.keras").read("config.json"))[
        "config"]["layers"][3:])["config"]["name"]
    assert f"layer '{name}' (Wavelet): this layer is not supported" in completed.errors


def test_a_setting_that_is_not_supported_is_refused(tmp_path):
    def change(layers):
        layers[1]["config"]["padding"] = "reflect"
    completed = command.run("inspect", edited(change, tmp_path / "model.keras"))
    assert completed.status == command.DATA and "padding 'reflect' is not supported" in completed.errors
