"""A start that finds its folds in --cache-dir answers as the one that made them, to the last bit."""
import shutil

import pytest

import infer
from command import ROOT
from conftest import make_repository
from networks import NETWORKS

# Models of the other formats, by the name that they get here.
OTHERS = {"keras": ROOT / "models/keras_cnn/1", "pytorch": ROOT / "models/digits_cnn/2"}
COUNT = len(NETWORKS) + len(OTHERS)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = make_repository(tmp_path_factory.mktemp("cached"), NETWORKS)
    for name, version in OTHERS.items():
        shutil.copytree(version, folder / name / "1")
    return folder


def answers(server):
    """What every network answers to its golden input, as bytes."""
    server.wait_until_ready()
    answers = {}
    for network in NETWORKS:
        (name,) = network.input_names
        headers, body = infer.binary_body(name, network.tensors[name])
        status, headers, body = server.request("POST", f"/v2/models/{network.name}/infer", body, headers)
        assert status == 200, body
        headers = {name.lower(): value for name, value in headers.items()}
        answers[network.name] = {output: tensor.tobytes() for output, tensor in infer.outputs(headers, body).items()}
    return answers


def report(server, name):
    return server.get_json(f"/v2/models/{name}/fold")["report"]


def said(server):
    """How many folds were written, and how many taken."""
    log = server.log.read_text()
    return log.count("fold cached"), log.count("cached fold used")


def test_every_network_is_taken_from_the_cache_with_the_same_bits(start_server, models, tmp_path):
    with start_server(models) as server:
        plain = answers(server)
    options = ("--cache-dir", tmp_path / "cache", "--log-level", "debug")
    with start_server(models, *options) as server:
        assert answers(server) == plain
        assert said(server) == (COUNT, 0)
        digests = {name: report(server, name)["foldDigest"] for name in plain}
    files = sorted(path.name for path in (tmp_path / "cache").iterdir())
    assert len(files) == COUNT
    with start_server(models, *options) as server:
        assert answers(server) == plain
        assert said(server) == (0, COUNT)
        for name, digest in digests.items():
            again = report(server, name)
            assert again["foldDigest"] == digest and any(digest in file for file in files), name
            assert all(entry["proof"] for entry in again["entries"] if entry["outcome"] == "folded"), name


def test_damaged_entries_and_a_folder_that_cannot_be_written_are_no_errors(start_server, models, tmp_path):
    cache = tmp_path / "cache"
    options = ("--cache-dir", cache, "--log-level", "debug")
    with start_server(models, *options) as server:
        plain = answers(server)
    for number, file in enumerate(sorted(cache.iterdir())):
        data = bytearray(file.read_bytes())
        if number % 2:
            del data[len(data) // 2:]
        else:
            # Somewhere in the weights.
            data[len(data) // 2] ^= 0x10
        file.write_bytes(data)
    with start_server(models, *options) as server:
        assert answers(server) == plain
        assert said(server) == (COUNT, 0)
    shutil.rmtree(cache)
    cache.write_text("no folder")
    with start_server(models, *options) as server:
        assert answers(server) == plain
        assert said(server) == (0, 0)
        assert server.log.read_text().count("fold not cached") == COUNT
