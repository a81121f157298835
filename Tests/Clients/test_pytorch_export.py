"""PyTorch's exported programs answer what PyTorch answers, and fold as their ONNX exports do.

torch is large, so what it exports here runs only with FOLDSERVE_TEST_TORCHVISION=1; see conftest.py. The shipped model
always does.
"""
import json
import shutil
import subprocess
import sys
import zipfile

import numpy
import onnxruntime
import pytest

import command
import networks
from command import ROOT

TOLERANCE = 1e-5
# With random statistics its values grow to 1e10 through 94 BatchNorms, folded or not: rounding alone is a little more.
TOLERANCES = {"inception_v3": 2e-5}
EXPORT_SECONDS = 1800
# What make_pytorch_exports.py knows, as exported and in PyTorch's core operators.
EXPORTED = (
    "activations", "unet", "audio", "volume", "mlp", "pools", "shapes", "arithmetic", "residual", "preact", "separable",
    "norms", "resizes", "attention", "recurrent", "strided", "dictionary", "written",
    "steps", "heads", "functions", "standardized", "windows", "contexts", "mathematics",
    "rearranged", "any_size", "any_length")
NETWORKS = (*EXPORTED, *(f"{name}-decomposed" for name in EXPORTED))
CLASSIFIERS = (
    "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "mnasnet0_5", "mobilenet_v2",
    "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1")
SHIPPED = ROOT / "models" / "digits_cnn"
FOLDING = pytest.mark.parametrize("flags", [(), ("--no-fold",)], ids=["folded", "unfolded"])

sys.path.insert(0, str(ROOT / "models"))
import digits
import splits


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
        module = json.loads(archive.read(member))["graph_module"]
    signature = module["signature"]
    inputs = [spec["user_input"]["arg"]["as_tensor"]["name"] for spec in signature["input_specs"] if "user_input" in spec]
    outputs = [spec["user_output"]["arg"]["as_tensor"]["name"] for spec in signature["output_specs"] if "user_output" in spec]
    form = json.loads(module["module_call_graph"][0]["signature"]["out_spec"])[1]
    if form["type"] == "builtins.dict":
        outputs = json.loads(form["context"])
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


@pytest.fixture(scope="module")
def fold(exports, tmp_path_factory):
    """Folds an export and gives the file that it writes and its counts; each export once."""
    made = {}

    def fold(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("folded")
            completed = command.run(
                "fold", exports / name, "-o", folder / "out.onnx", "--report", folder / "report.json",
                timeout_seconds=600)
            assert completed.status == 0, completed.errors
            report = json.loads((folder / "report.json").read_text())
            made[name] = folder / "out.onnx", [
                report[key] for key in ("foldedCount", "partialCount", "refusedCount")]
        return made[name]
    return fold


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_program_folds_as_its_onnx_export_does(name, fold):
    assert fold(f"{name}.pt2")[1] == fold(f"{name}.onnx")[1]


@pytest.mark.parametrize("name", [*NETWORKS, *CLASSIFIERS])
def test_the_folded_file_answers_the_same_in_onnxruntime(name, fold, exports):
    path, _ = fold(f"{name}.pt2")
    arrays = numpy.load(exports / f"{name}.npz")
    inputs, outputs = names(exports / f"{name}.pt2")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    answers = session.run(outputs, {key: arrays[f"input{index}"] for index, key in enumerate(inputs)})
    for index, (output, actual) in enumerate(zip(outputs, answers, strict=True)):
        networks.assert_close(
            actual, arrays[f"expected{index}"], TOLERANCES.get(name, TOLERANCE), f"{name} {output}")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_fold_of_a_program_is_proven_again_from_the_two_files(name, fold, exports):
    completed = command.run("verify", exports / f"{name}.pt2", fold(f"{name}.pt2")[0])
    assert completed.status == 0, completed.errors


def predict_shipped(items, folder, *flags):
    numpy.save(folder / "items.npy", items)
    completed = command.run(
        "predict", SHIPPED / "2", "--input", f"input={folder / 'items.npy'}", "--output-dir", folder / "out", *flags)
    assert completed.status == 0, completed.errors
    return numpy.load(folder / "out" / "output.npy")


@FOLDING
def test_the_shipped_program_answers_as_pytorch_in_float64(flags, tmp_path):
    golden = SHIPPED / "2" / "golden"
    actual = predict_shipped(numpy.load(golden / "input.npy"), tmp_path, *flags)
    networks.assert_close(actual, numpy.load(golden / "output.npy"), TOLERANCE)


def test_the_shipped_program_has_the_accuracy_of_its_card(tmp_path):
    _, _, images, classes = splits.hold_back_test(*digits.load())
    actual = predict_shipped(images, tmp_path)
    card = json.loads((SHIPPED / "model.json").read_text())["card"]
    assert round(float((actual.argmax(1) == classes).mean()), 4) == card["testAccuracy"] >= 0.98


def test_the_shipped_program_holds_no_pickle_and_no_path_of_its_maker():
    with zipfile.ZipFile(SHIPPED / "2" / "model.pt2") as archive:
        assert not [info for info in archive.infolist() if info.filename.endswith((".pt", ".pkl")) and info.file_size]
        assert b"stack_trace" not in archive.read(next(
            name for name in archive.namelist() if name.endswith("models/model.json")))


@pytest.mark.parametrize("policy, versions", [("all", ["1", "2"]), ({"latest": 1}, ["2"]), ({"specific": [1]}, ["1"])])
def test_an_onnx_file_and_a_program_are_versions_of_one_model(policy, versions, start_server, tmp_path):
    shutil.copytree(SHIPPED, tmp_path / "models" / "digits_cnn", ignore=shutil.ignore_patterns("*.py"))
    description = tmp_path / "models" / "digits_cnn" / "model.json"
    description.write_text(json.dumps(json.loads(description.read_text()) | {"versionPolicy": policy}))
    items = numpy.load(SHIPPED / "1" / "golden" / "input.npy")
    body = json.dumps({"inputs": [{
        "name": "input", "datatype": "FP32", "shape": items.shape, "data": items.ravel().tolist()}]})
    with start_server(tmp_path / "models") as server:
        server.wait_until_ready()
        assert server.get_json("/v2/models/digits_cnn")["versions"] == versions
        for path in ("", *(f"/versions/{version}" for version in versions)):
            status, _, answer = server.request("POST", f"/v2/models/digits_cnn{path}/infer", body)
            assert status == 200, answer
            answer = json.loads(answer)
            assert answer["model_version"] == (path.rsplit("/", 1)[1] if path else versions[-1])
            (output,) = answer["outputs"]
            assert output["name"] == "output"
            actual = numpy.array(output["data"], numpy.float32).reshape(output["shape"])
            networks.assert_close(
                actual, numpy.load(SHIPPED / answer["model_version"] / "golden" / "output.npy"), TOLERANCE)


@pytest.mark.parametrize("extension", ["pt", "pth"])
def test_another_pytorch_file_gets_the_line_that_makes_a_program(extension, tmp_path):
    path = tmp_path / f"model.{extension}"
    path.write_bytes(b"\x80\x02")
    completed = command.run("inspect", path)
    assert completed.status == command.DATA and "torch.export.save(" in completed.errors
