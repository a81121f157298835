"""TF Serving's REST interface as its clients use it, and the same paths with KServe's client of version 1."""
import base64
import http.client
import json
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

import networks

SECONDS = 60


class Client:
    """What TF Serving's own examples do: a URL with a verb, a JSON body, `predictions` or `error` in the answer."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=SECONDS)

    def send(self, method, path, body=None):
        self.connection.request(method, "/v1/models" + path, None if body is None else json.dumps(body))
        response = self.connection.getresponse()
        assert response.headers["content-type"] == "application/json"
        return response.status, json.loads(response.read())

    def predict(self, model, **body):
        return self.send("POST", f"/{model}:predict", body)


@pytest.fixture(scope="module")
def client(server):
    client = Client(server)
    yield client
    client.connection.close()


@pytest.mark.parametrize("name", networks.SHIPPED)
def test_rows_and_columns_get_right_answers(client, name):
    network = networks.network(name)
    values, expected = network.inputs["input"], network.expected["output"]
    column = values.tolist()
    encoded = {"b64": base64.b64encode(values.tobytes()).decode()}
    requests = [
        ({"instances": column}, "predictions"),
        ({"instances": [{"input": item} for item in column], "signature_name": "serving_default"}, "predictions"),
        ({"instances": [{"b64": base64.b64encode(item.tobytes()).decode()} for item in values]}, "predictions"),
        ({"inputs": column}, "outputs"),
        ({"inputs": {"input": column}}, "outputs"),
        ({"inputs": encoded}, "outputs"),
        ({"inputs": {"input": encoded}}, "outputs"),
    ]
    for body, key in requests:
        status, answer = client.predict(name, **body)
        assert status == 200 and list(answer) == [key], answer
        networks.assert_close(numpy.array(answer[key], numpy.float32), expected, 1e-4)


def test_errors_have_the_shape_that_clients_read(client):
    for body, part in [
        ({"instances": [[1, 2]]}, "instances[0]: expected a list of 30, got 2"),
        ({"instances": [["a"] * 30]}, "instances[0][0]: expected a number (FP32), got a string"),
        ({"inputs": [[0] * 30, [0] * 29]}, "inputs[1]: expected a list of 30, got 29"),
        ({"instances": [[0] * 30], "signature_name": "tune"}, "'tune'"),
        ({}, "instances"),
    ]:
        status, answer = client.predict("cancer_mlp", **body)
        assert status == 400 and list(answer) == ["error"] and part in answer["error"], answer
    status, answer = client.predict("none", instances=[[1]])
    assert status == 404 and list(answer) == ["error"] and "none" in answer["error"]
    assert client.send("POST", "/cancer_mlp/versions/9:predict", {"instances": []})[0] == 404
    for verb in ("classify", "regress"):
        status, answer = client.send("POST", f"/cancer_mlp:{verb}", {"examples": [{"x": 1}]})
        assert status == 501 and verb in answer["error"]


def test_status_and_metadata(client):
    status, answer = client.send("GET", "/cancer_mlp")
    assert status == 200 and answer["ready"] is True and answer["name"] == "cancer_mlp"
    assert answer["model_version_status"] == [
        {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]
    assert client.send("GET", "/cancer_mlp/versions/1")[1] == answer
    status, answer = client.send("GET", "/cancer_mlp/metadata")
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert answer["model_spec"]["version"] == "1"
    assert signature["inputs"]["input"]["dtype"] == "DT_FLOAT"
    assert [dim["size"] for dim in signature["inputs"]["input"]["tensor_shape"]["dim"]] == ["-1", "30"]
    assert sorted(client.send("GET", "")[1]["models"]) == sorted(network.name for network in networks.NETWORKS)


def test_kserves_client_of_version_1(server, tmp_path):
    network = networks.network("digits_cnn")
    numpy.save(tmp_path / "input.npy", network.inputs["input"])
    completed = subprocess.run(
        [sys.executable, Path(__file__).parent / "kserve_v1_client.py", f"http://{server.host}:{server.port}",
         network.name, tmp_path / "input.npy"], capture_output=True, text=True, timeout=SECONDS)
    assert completed.returncode == 0, completed.stderr
    answer = json.loads(completed.stdout.splitlines()[-1])
    networks.assert_close(numpy.array(answer["predictions"], numpy.float32), network.expected["output"], 1e-4)
