"""gRPC on the server's port, asked by unmodified clients: tritonclient's (blocking, asynchronous) and the health client."""
import asyncio
import json
import threading
import time

import grpc
import numpy
import pytest
import tritonclient.grpc
import tritonclient.grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

import networks

SECONDS = 20


@pytest.fixture(scope="module")
def address(server):
    return f"{server.host}:{server.port}"


@pytest.fixture(scope="module")
def client(address):
    with tritonclient.grpc.InferenceServerClient(address) as client:
        yield client


@pytest.fixture(scope="module")
def stub(address):
    with grpc.insecure_channel(address) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def tensor(network, kind=tritonclient.grpc):
    ((name, values),) = network.inputs.items()
    tensor = kind.InferInput(name, list(values.shape), "FP32")
    return tensor.set_data_from_numpy(values)


def raw_request(network, **more):
    ((name, values),) = network.inputs.items()
    return service_pb2.ModelInferRequest(
        model_name=network.name, raw_input_contents=[values.tobytes()],
        inputs=[{"name": name, "datatype": "FP32", "shape": values.shape}], **more)


def test_server_and_models_are_described(client):
    assert client.is_server_live() and client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata.name == "foldserve" and "classification" in metadata.extensions
    for network in networks.NETWORKS:
        assert client.is_model_ready(network.name) and client.is_model_ready(network.name, "1")
        metadata = client.get_model_metadata(network.name)
        assert metadata.name == network.name and list(metadata.versions) == ["1"]
        assert [port.name for port in metadata.inputs] == network.input_names
        assert [port.name for port in metadata.outputs] == network.output_names
        assert list(metadata.inputs[0].shape) == [-1, *network.item_shape]
        assert metadata.inputs[0].datatype == "FP32"
    index = client.get_model_repository_index(as_json=True)["models"]
    assert {(entry["name"], entry["version"], entry["state"]) for entry in index} \
        == {(network.name, "1", "READY") for network in networks.NETWORKS}


@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_every_output_comes_back_when_none_is_asked_for(client, network):
    result = client.infer(network.name, [tensor(network)], request_id="a request")
    response = result.get_response()
    assert response.id == "a request" and response.model_name == network.name and response.model_version == "1"
    for name, expected in network.expected.items():
        networks.assert_close(result.as_numpy(name), expected, 1e-4, f"{network} {name}")


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_compressed_messages_are_read(client, network, algorithm):
    result = client.infer(network.name, [tensor(network)], compression_algorithm=algorithm)
    for name, expected in network.expected.items():
        networks.assert_close(result.as_numpy(name), expected, 1e-4, f"{network} {name}")


def test_asynchronous_calls_get_their_own_answers(client):
    network = networks.network("digits_cnn")
    items = network.items(32)["input"]
    answers, done = {}, threading.Event()

    def answered(item, result, error):
        answers[item] = error or result.as_numpy("output")
        if len(answers) == len(items):
            done.set()
    for item in range(len(items)):
        one = tritonclient.grpc.InferInput("input", [1, *network.item_shape], "FP32")
        one.set_data_from_numpy(items[item:item + 1])
        client.async_infer(
            network.name, [one], callback=lambda result, error, item=item: answered(item, result, error))
    assert done.wait(SECONDS)
    whole = tritonclient.grpc.InferInput("input", list(items.shape), "FP32")
    whole.set_data_from_numpy(items)
    together = client.infer(network.name, [whole]).as_numpy("output")
    for item, expected in enumerate(together):
        assert numpy.array_equal(answers[item][0], expected), f"item {item}"


def test_the_aio_client_works(address):
    network = networks.network("digits_dwsep")

    async def run():
        async with tritonclient.grpc.aio.InferenceServerClient(address) as client:
            assert await client.is_server_live() and await client.is_server_ready()
            assert await client.is_model_ready(network.name)
            assert (await client.get_model_metadata(network.name)).name == network.name
            tensors = [tensor(network, tritonclient.grpc.aio)]
            results = await asyncio.gather(*(client.infer(network.name, tensors) for _ in range(16)))
            for result in results:
                networks.assert_close(result.as_numpy("output"), network.expected["output"], 1e-4)
            with pytest.raises(InferenceServerException) as raised:
                await client.infer("no_such_model", tensors)
            assert raised.value.status() == "StatusCode.NOT_FOUND"

            async def requests():
                # The answer comes before a message: one that is under way would fail in the client instead.
                await asyncio.sleep(SECONDS)
                yield {"model_name": network.name, "inputs": tensors}
            with pytest.raises(grpc.RpcError) as raised:
                async for _ in client.stream_infer(requests()):
                    pass
            assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED
    asyncio.run(asyncio.wait_for(run(), SECONDS))


def test_a_classification_has_labels(client):
    network = networks.network("digits_cnn")
    labels = json.loads((network.folder / "model.json").read_text())["labels"]
    output = tritonclient.grpc.InferRequestedOutput("output", class_count=2)
    rows = client.infer(network.name, [tensor(network)], outputs=[output]).as_numpy("output")
    for row, logits in zip(rows, network.expected["output"], strict=True):
        _, index, label = row[0].decode().split(":")
        assert int(index) == logits.argmax() and label == labels[logits.argmax()] and len(row) == 2


def test_typed_contents_give_the_same_bytes_as_raw_ones(stub):
    network = networks.network("cancer_mlp")
    ((name, values),) = network.inputs.items()
    typed = service_pb2.ModelInferRequest(model_name=network.name, inputs=[{
        "name": name, "datatype": "FP32", "shape": values.shape,
        "contents": {"fp32_contents": values.flatten().tolist()}}])
    raw = raw_request(network)
    assert list(stub.ModelInfer(typed).raw_output_contents) == list(stub.ModelInfer(raw).raw_output_contents)
    typed.raw_input_contents.append(values.tobytes())
    assert_code(grpc.StatusCode.INVALID_ARGUMENT, stub.ModelInfer, typed)


def assert_code(code, call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as raised:
        call(*arguments, timeout=options.pop("timeout", SECONDS), **options)
    assert raised.value.code() == code, raised.value
    assert raised.value.details()
    return raised.value.details()


def test_errors_have_their_codes_and_texts(stub):
    network = networks.network("digits_cnn")
    unknown = service_pb2.ModelInferRequest(model_name="no_such_model")
    assert assert_code(grpc.StatusCode.NOT_FOUND, stub.ModelInfer, unknown) \
        == "Request for unknown model: 'no_such_model' is not found"
    assert_code(grpc.StatusCode.NOT_FOUND, stub.ModelReady, service_pb2.ModelReadyRequest(name="no_such_modél"))
    assert_code(grpc.StatusCode.NOT_FOUND, stub.ModelInfer, raw_request(network, model_version="9"))
    invalid = raw_request(network)
    invalid.inputs[0].datatype = "FP64"
    assert assert_code(grpc.StatusCode.INVALID_ARGUMENT, stub.ModelInfer, invalid) \
        == "inference input 'input' data-type is 'FP64', but model 'digits_cnn' expects 'FP32'"
    short = raw_request(network)
    short.raw_input_contents[0] = short.raw_input_contents[0][:-1]
    assert_code(grpc.StatusCode.INVALID_ARGUMENT, stub.ModelInfer, short)
    negative = raw_request(network)
    negative.inputs[0].shape[0] = -1
    assert_code(grpc.StatusCode.INVALID_ARGUMENT, stub.ModelInfer, negative)


def test_what_is_unsupported_says_so(client):
    calls = [
        lambda: client.load_model("digits_cnn"), lambda: client.unload_model("digits_cnn"),
        client.get_trace_settings, client.update_trace_settings, client.get_log_settings,
        lambda: client.update_log_settings({}), client.get_system_shared_memory_status,
        lambda: client.register_system_shared_memory("a", "/a", 1), client.unregister_system_shared_memory,
        client.get_cuda_shared_memory_status, client.unregister_cuda_shared_memory]
    for call in calls:
        with pytest.raises(InferenceServerException) as raised:
            call()
        assert raised.value.status() == "StatusCode.UNIMPLEMENTED", raised.value


def test_a_stream_is_refused_at_once(client):
    answers = []
    answered = threading.Event()

    def callback(result, error):
        answers.append(error)
        answered.set()
    start = time.monotonic()
    client.start_stream(callback)
    # Before anything is sent on it.
    assert answered.wait(SECONDS)
    client.stop_stream()
    assert time.monotonic() - start < 2
    assert answers[0].status() == "StatusCode.UNIMPLEMENTED"


def test_a_timeout_of_no_sense_is_refused(stub):
    network = networks.network("digits_cnn")
    details = assert_code(
        grpc.StatusCode.INVALID_ARGUMENT, stub.ModelInfer,
        raw_request(network, parameters={"timeout": {"int64_param": -1}}))
    assert "timeout" in details


def test_a_cancelled_call_leaves_the_connection_usable(stub):
    network = networks.network("digits_cnn")
    for _ in range(20):
        stub.ModelInfer.future(raw_request(network)).cancel()
    assert stub.ModelInfer(raw_request(network), timeout=SECONDS).model_name == network.name


def test_a_message_too_large_is_refused_with_its_code(start_server, repository):
    network = networks.network("digits_cnn")
    with start_server(repository, FOLDSERVE_LIMITS_MAXIMUM_BODY_BYTE_COUNT="100000") as server:
        server.wait_until_ready()
        with grpc.insecure_channel(f"{server.host}:{server.port}") as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            request = raw_request(network)
            request.id = "x" * 100_000
            assert_code(grpc.StatusCode.RESOURCE_EXHAUSTED, stub.ModelInfer, request)
            # Few bytes that expand to as many.
            assert_code(
                grpc.StatusCode.RESOURCE_EXHAUSTED, stub.ModelInfer, request,
                compression=grpc.Compression.Gzip)
            assert stub.ModelInfer(raw_request(network), timeout=SECONDS).model_name == network.name


def test_the_health_service_reflects_readiness(address):
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "inference.GRPCInferenceService"):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert_code(grpc.StatusCode.NOT_FOUND, stub.Check, health_pb2.HealthCheckRequest(service="none"))
        with pytest.raises(grpc.RpcError) as raised:
            next(stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS))
        assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_other_content_types_are_415(server):
    path = "/inference.GRPCInferenceService/ServerLive"
    status, headers, body = server.request("POST", path, b"{}", {"content-type": "application/json"})
    assert status == 415 and headers["content-type"] == "application/json" and json.loads(body)["error"]
    assert server.request("POST", path, b"\0" * 5, {"content-type": "application/grpc"})[0] == 505
