import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Before anything imports NumPy: threads of small products wait for each other longer than they work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Before anything imports gRPC: its handlers in forked processes write to the standard error of the command under test.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import pytest

import command
from command import ROOT
from networks import NETWORKS
from server import Server


INSTALL_SECONDS = 900


def pytest_configure(config):
    if not command.FOLDSERVE.exists():
        raise pytest.UsageError(f"{command.FOLDSERVE}: not built; FOLDSERVE names the binary to test")


def pytest_report_header():
    return f"binary: {command.FOLDSERVE}"


@pytest.fixture(scope="session")
def start_server(tmp_path_factory):
    """Starts a server: `with start_server(models, *arguments, **variables) as server`."""
    logs = tmp_path_factory.mktemp("logs")

    def start(models, *arguments, **variables):
        return Server(models, logs / f"{len(list(logs.iterdir()))}.log", *arguments, **variables)
    return start


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """A model repository with every network, and nothing that is not a model."""
    return make_repository(tmp_path_factory.mktemp("models"), NETWORKS)


def make_repository(folder: Path, networks):
    for network in networks:
        (folder / network.name).mkdir()
        shutil.copytree(network.folder / "1", folder / network.name / "1")
        if (network.folder / "model.json").exists():
            shutil.copy(network.folder / "model.json", folder / network.name)
    return folder


@pytest.fixture(scope="session")
def server(start_server, repository):
    """One server with every network, for the tests that leave it as it was."""
    with start_server(repository) as server:
        yield server.wait_until_ready()


@pytest.fixture(scope="session")
def curl():
    path = shutil.which("curl")
    if path is None:
        pytest.skip("curl is not installed")
    return path


@pytest.fixture(scope="session")
def torch_python():
    """The interpreter of an environment that holds what Tests/Benchmarks/requirements.txt pins."""
    if os.environ.get("FOLDSERVE_TEST_TORCHVISION") != "1":
        pytest.skip("FOLDSERVE_TEST_TORCHVISION=1 runs PyTorch's networks; it installs torch, over a gigabyte")
    environment = ROOT / ".build" / "benchmark-venv"
    files = [ROOT / "Tests" / folder / "requirements.txt" for folder in ("", "Benchmarks")]
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    stamp, interpreter = environment / "stamp", environment / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != digest:
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True, timeout=120)
        subprocess.run(
            [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", files[1]],
            check=True, timeout=INSTALL_SECONDS)
        stamp.write_text(digest)
    return interpreter
