"""The shipped models reach the accuracy that their cards state, asked over HTTP by an unmodified client."""
import json
import sys

import numpy
import pytest
import tritonclient.http

import networks
from command import ROOT

sys.path.insert(0, str(ROOT / "models"))
import cancer
import digits
import splits

# The data and the options of the split, as each train.py has them.
DATA = {"digits_cnn": (digits.load, {}), "digits_dwsep": (digits.load, {}), "cancer_mlp": (cancer.load, cancer.SPLIT)}
BATCH_SIZE = 32


@pytest.fixture(scope="module")
def client(server):
    client = tritonclient.http.InferenceServerClient(f"{server.host}:{server.port}")
    yield client
    client.close()


@pytest.mark.parametrize("binary_outputs", [True, False], ids=["binary-out", "json-out"])
@pytest.mark.parametrize("binary_inputs", [True, False], ids=["binary-in", "json-in"])
@pytest.mark.parametrize("name", networks.SHIPPED)
def test_accuracy_on_the_held_back_items_is_that_of_the_card(client, name, binary_inputs, binary_outputs):
    card = json.loads((ROOT / "models" / name / "model.json").read_text())["card"]
    options = cancer.SPLIT if name == "cancer_mlp" else {}
    load, options = DATA[name]
    _, _, items, classes = splits.hold_back_test(*load(), **options)
    correct = 0
    for start in range(0, len(items), BATCH_SIZE):
        batch = items[start:start + BATCH_SIZE]
        logits = infer(client, name, batch, binary_inputs, binary_outputs)
        assert logits.dtype == numpy.float32 and len(logits) == len(batch)
        correct += int((logits.argmax(1) == classes[start:start + BATCH_SIZE]).sum())
    assert round(correct / len(items), 4) == card["testAccuracy"], f"{correct} of {len(items)} are right"


def infer(client, name, batch, binary_inputs, binary_outputs):
    tensor = tritonclient.http.InferInput("input", batch.shape, "FP32")
    tensor.set_data_from_numpy(batch, binary_data=binary_inputs)
    output = tritonclient.http.InferRequestedOutput("output", binary_data=binary_outputs)
    return client.infer(name, [tensor], outputs=[output]).as_numpy("output")


@pytest.mark.parametrize("name", networks.SHIPPED)
def test_labels_come_with_a_classification(client, name):
    network = networks.network(name)
    labels = json.loads((network.folder / "model.json").read_text())["labels"]
    tensor = tritonclient.http.InferInput("input", network.inputs["input"].shape, "FP32")
    tensor.set_data_from_numpy(network.inputs["input"])
    output = tritonclient.http.InferRequestedOutput("output", class_count=2)
    rows = client.infer(name, [tensor], outputs=[output]).as_numpy("output")
    for row, logits in zip(rows, network.expected["output"], strict=True):
        value, index, label = row[0].decode().split(":")
        assert int(index) == logits.argmax() and label == labels[logits.argmax()]
        assert abs(float(value) - logits.max()) <= 1e-4 * max(1, logits.std())
        assert len(row) == 2


def test_client_sees_the_server_and_its_models(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.get_server_metadata()["name"] == "foldserve"
    for network in networks.NETWORKS:
        assert client.is_model_ready(network.name) and client.is_model_ready(network.name, "1")
        metadata = client.get_model_metadata(network.name)
        assert metadata["name"] == network.name and metadata["versions"] == ["1"]
        assert [port["name"] for port in metadata["inputs"]] == network.input_names
        assert [port["name"] for port in metadata["outputs"]] == network.output_names
        assert metadata["inputs"][0]["shape"] == [-1, *network.item_shape]
        assert metadata["inputs"][0]["datatype"] == "FP32"
    assert not client.is_model_ready("no_such_model")


@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_every_output_comes_back_when_none_is_asked_for(client, network):
    tensors = []
    for name, golden in network.inputs.items():
        tensors.append(tritonclient.http.InferInput(name, golden.shape, "FP32"))
        tensors[-1].set_data_from_numpy(golden)
    result = client.infer(network.name, tensors, request_id="a request")
    assert result.get_response()["id"] == "a request"
    assert result.get_response()["model_version"] == "1"
    for name, expected in network.expected.items():
        networks.assert_close(result.as_numpy(name), expected, 1e-4, f"{network} {name}")


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_requests_are_read_or_refused_as_such(client, algorithm):
    network = networks.network("cancer_mlp")
    tensor = tritonclient.http.InferInput("input", network.inputs["input"].shape, "FP32")
    tensor.set_data_from_numpy(network.inputs["input"])
    try:
        result = client.infer("cancer_mlp", [tensor], request_compression_algorithm=algorithm)
    except tritonclient.http.InferenceServerException as error:
        assert error.status() == "415" and algorithm in error.message(), error
    else:
        networks.assert_close(result.as_numpy("output"), network.expected["output"], 1e-4)


def test_concurrent_requests_get_their_own_answers(server):
    """More requests at a time than workers: batching must give each caller the rows of its own items."""
    network = networks.network("digits_cnn")
    items = network.items(64)["input"]
    client = tritonclient.http.InferenceServerClient(f"{server.host}:{server.port}", concurrency=8)
    try:
        alone = [infer(client, network.name, items[i:i + 1], True, True) for i in range(len(items))]
        assert len({answer.tobytes() for answer in alone}) == len(items), "the items are to differ"
        pending = []
        for item in range(len(items)):
            tensor = tritonclient.http.InferInput("input", (1, *network.item_shape), "FP32")
            tensor.set_data_from_numpy(items[item:item + 1])
            pending.append(client.async_infer(network.name, [tensor]))
        for item, request in enumerate(pending):
            answer = request.get_result().as_numpy("output")
            assert numpy.array_equal(answer, alone[item]), f"item {item} got another answer in company"
    finally:
        client.close()
