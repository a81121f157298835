"""Damaged model files are refused with a reason; they stop neither the command nor the other models of a server."""
import json
import shutil
import sys

import pytest

import command
import networks
from command import ROOT

sys.path.insert(0, str(ROOT / "Tests/Fixtures/onnx"))
import malformed
import malformed_tensors

SECONDS, RESIDENT_BYTE_LIMIT = 10, 256 << 20
FILES = {name: content for name, _, content in malformed.contents(malformed.GOOD)}


def write_damaged(folder, name):
    """Writes the file to `folder`, and beside it what its external data point to, in and out of the folder."""
    folder.mkdir(parents=True)
    malformed_tensors.write_links(folder)
    (folder.parent / "secret.bin").write_bytes(b"\0" * malformed.SECRET_BYTE_COUNT)
    (folder / "model.onnx").write_bytes(FILES[name])
    return folder / "model.onnx"


def test_there_are_enough_of_them():
    assert len(FILES) >= 50


@pytest.mark.parametrize("name", sorted(FILES))
def test_inspect_refuses_it_in_one_line(name, tmp_path):
    path = write_damaged(tmp_path / name, name)
    completed = command.run("inspect", path, timeout_seconds=SECONDS)
    assert completed.status == command.DATA, (completed.status, completed.output[:500], completed.errors[-2000:])
    assert completed.output == ""
    lines = completed.errors.splitlines()
    assert len(lines) == 1 and str(path) in lines[0], completed.errors
    assert len(lines[0]) > len(f"foldserve: {path}: "), "the line is to say what is wrong"
    assert completed.resident_byte_count < RESIDENT_BYTE_LIMIT, f"{completed.resident_byte_count} bytes"


@pytest.mark.parametrize("content", [b"", b"\n", b"not a model", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"], ids=repr)
def test_what_is_no_model_at_all_is_refused(content, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    for subcommand in ("inspect", "predict", "bench"):
        completed = command.run(subcommand, path, timeout_seconds=SECONDS)
        assert completed.status == command.DATA, completed
        assert len(completed.errors.splitlines()) == 1 and str(path) in completed.errors


@pytest.fixture(scope="module")
def damaged_server(start_server, tmp_path_factory):
    """Serves every damaged file as a model of its own, with a good model before and one after them."""
    folder = tmp_path_factory.mktemp("damaged")
    for name in ("a_good_one", "z_good_one"):
        (folder / name).mkdir()
        shutil.copytree(networks.network("cancer_mlp").folder / "1", folder / name / "1")
    for name in FILES:
        write_damaged(folder / f"damaged_{name}" / "1", name)
    # The highest version that can be served answers, whatever is wrong with one above it.
    (folder / "z_good_one" / "2").mkdir()
    (folder / "z_good_one" / "2" / "model.onnx").write_bytes(b"not a model")
    with start_server(folder) as server:
        assert not server.wait_until_settled()
        yield server


@pytest.mark.parametrize("name", sorted(FILES))
def test_server_says_why_a_damaged_model_is_not_ready(damaged_server, name):
    for path in (f"/v2/models/damaged_{name}/ready", f"/v2/models/damaged_{name}/versions/1/ready"):
        status, headers, body = damaged_server.get(path)
        assert status == 503 and headers["content-type"] == "application/json"
        assert "loading" not in json.loads(body)["error"]
    status, headers, body = damaged_server.request("POST", f"/v2/models/damaged_{name}/infer", b'{"inputs":[]}')
    assert status == 503 and json.loads(body)["error"]


def test_server_with_damaged_models_is_live_but_not_ready(damaged_server):
    assert damaged_server.get("/v2/health/live")[0] == 200
    status, headers, body = damaged_server.get("/v2/health/ready")
    assert status == 503 and headers["content-type"] == "application/json"
    assert "damaged_" in json.loads(body)["error"]
    assert command.run("health", "--url", damaged_server.url).status == 1


@pytest.mark.parametrize("name", ["a_good_one", "z_good_one"])
def test_models_beside_damaged_ones_answer(damaged_server, name):
    golden = networks.network("cancer_mlp")
    body = json.dumps({"inputs": [{"name": "input", "shape": golden.inputs["input"].shape, "datatype": "FP32",
                                   "data": golden.inputs["input"].flatten().tolist()}]})
    status, _, answer = damaged_server.request("POST", f"/v2/models/{name}/infer", body)
    assert status == 200, answer
    answer = json.loads(answer)
    assert answer["model_version"] == "1"
    assert answer["outputs"][0]["shape"] == list(golden.expected["output"].shape)


def test_every_model_is_listed(damaged_server):
    names = ["a_good_one", *(f"damaged_{name}" for name in FILES), "z_good_one"]
    assert sorted(damaged_server.get_json("/v2/models")["models"]) == sorted(names)
    assert damaged_server.get_json("/v2/models/z_good_one")["versions"] == ["1"]
    assert damaged_server.get("/v2/models/z_good_one/versions/2/ready")[0] == 503
