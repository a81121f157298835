"""KServe's own gRPC and REST clients get right answers."""
import json
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

import networks

SECONDS = 60


@pytest.mark.parametrize("name", networks.SHIPPED)
def test_kserve_clients_get_right_answers(server, tmp_path, name):
    network = networks.network(name)
    numpy.save(tmp_path / "input.npy", network.inputs["input"])
    completed = subprocess.run(
        [sys.executable, Path(__file__).parent / "kserve_client.py", f"{server.host}:{server.port}", name,
         tmp_path / "input.npy"], capture_output=True, text=True, timeout=SECONDS)
    assert completed.returncode == 0, completed.stderr
    answers = json.loads(completed.stdout.splitlines()[-1])
    assert len(answers) == 4
    for answer in answers:
        networks.assert_close(numpy.array(answer), network.expected["output"], 1e-4)
