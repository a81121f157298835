"""PyTorch's exported programs answer what PyTorch answers, and fold as their ONNX exports do.

torch is large, so this runs only with FOLDSERVE_TEST_TORCHVISION=1; see conftest.py.
"""
import json
import subprocess
import zipfile

import numpy
import pytest

import command
import networks
from command import ROOT

TOLERANCE = 1e-5
# With random statistics its values grow to 1e10 through 94 BatchNorms, folded or not: rounding alone is a little more.
TOLERANCES = {"inception_v3": 2e-5}
EXPORT_SECONDS = 1800
# What make_pytorch_exports.py knows.
NETWORKS = (
    "activations", "unet", "audio", "volume", "mlp", "pools", "shapes", "arithmetic", "residual", "preact", "separable",
    "norms", "resizes", "attention", "recurrent", "strided")
CLASSIFIERS = (
    "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "mnasnet0_5", "mobilenet_v2",
    "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1")
FOLDING = pytest.mark.parametrize("flags", [(), ("--no-fold",)], ids=["folded", "unfolded"])


@pytest.fixture(scope="module")
def exports(torch_python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pytorch")
    script = ROOT / "Tests/Clients/make_pytorch_exports.py"
    subprocess.run([torch_python, script, folder, *NETWORKS, *CLASSIFIERS], check=True, timeout=EXPORT_SECONDS)
    return folder


def names(path):
    """The names of a program's inputs and outputs."""
    with zipfile.ZipFile(path) as archive:
        (member,) = (name for name in archive.namelist() if name.endswith("models/model.json"))
        signature = json.loads(archive.read(member))["graph_module"]["signature"]
    inputs = [spec["user_input"]["arg"]["as_tensor"]["name"] for spec in signature["input_specs"] if "user_input" in spec]
    outputs = [spec["user_output"]["arg"]["as_tensor"]["name"] for spec in signature["output_specs"] if "user_output" in spec]
    return inputs, outputs


@FOLDING
@pytest.mark.parametrize("name", [*NETWORKS, *CLASSIFIERS])
def test_a_program_answers_what_pytorch_answers(name, flags, exports, tmp_path):
    path = exports / f"{name}.pt2"
    arrays = numpy.load(exports / f"{name}.npz")
    inputs, outputs = names(path)
    arguments = []
    for index, input_name in enumerate(inputs):
        numpy.save(tmp_path / f"input{index}.npy", arrays[f"input{index}"])
        arguments += ["--input", f"{input_name}={tmp_path / f'input{index}.npy'}"]
    completed = command.run(
        "predict", path, *arguments, "--output-dir", tmp_path / "out", *flags, timeout_seconds=300)
    assert completed.status == 0, completed.errors
    for index, output in enumerate(outputs):
        actual, expected = numpy.load(tmp_path / "out" / f"{output}.npy"), arrays[f"expected{index}"]
        assert actual.dtype == expected.dtype
        networks.assert_close(actual, expected, TOLERANCES.get(name, TOLERANCE), f"{name} {output}")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_program_folds_as_its_onnx_export_does(name, exports, tmp_path):
    counts = []
    for extension in ("pt2", "onnx"):
        report = tmp_path / f"{extension}.json"
        completed = command.run(
            "fold", exports / f"{name}.{extension}", "-o", tmp_path / f"{extension}.onnx", "--report", report,
            timeout_seconds=600)
        assert completed.status == 0, completed.errors
        counts.append({key: value for key, value in json.loads(report.read_text()).items() if key in (
            "foldedCount", "partialCount", "refusedCount")})
    assert counts[0] == counts[1]


@pytest.mark.parametrize("extension", ["pt", "pth"])
def test_another_pytorch_file_gets_the_line_that_makes_a_program(extension, tmp_path):
    path = tmp_path / f"model.{extension}"
    path.write_bytes(b"\x80\x02")
    completed = command.run("inspect", path)
    assert completed.status == command.DATA and "torch.export.save(" in completed.errors
