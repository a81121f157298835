"""What does not fit is refused at once, what is late gives up its place, and health and metrics answer whatever the load.

The server holds requests back for as long as it can be asked to, so that they wait for certain.
"""
import json
import socket
import struct
import time

import grpc
import pytest
import tritonclient.grpc
import tritonclient.grpc.service_pb2 as messages

import infer
import networks

NAME = "digits_cnn"
PATH = f"/v2/models/{NAME}/infer"
HELD_SECONDS = 10
GENEROUS_SECONDS = 60
CAPACITY = 2


def body(count=1, **parameters):
    return infer.json_body("input", networks.network(NAME).items(count)["input"], parameters=parameters)


@pytest.fixture
def held(start_server, repository):
    """A server that takes two requests and lets them wait."""
    variables = {
        "FOLDSERVE_BATCHING_MAX_QUEUE_DELAY_MICROSECONDS": str(HELD_SECONDS * 1_000_000),
        "FOLDSERVE_BATCHING_MAX_BATCH_SIZE": "4", "FOLDSERVE_QUEUE_CAPACITY": str(CAPACITY)}
    with start_server(repository, **variables) as server:
        yield server.wait_until_ready()


def waiting(server):
    """How many requests of the model wait."""
    text = server.get("/metrics")[2].decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("foldserve_queue_depth") and f'model="{NAME}"' in line)


def wait_until(condition):
    deadline = time.monotonic() + GENEROUS_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


def hold(server, count=CAPACITY):
    """Connections whose requests wait in the queue."""
    connections = []
    for index in range(count):
        connection = server.connect(GENEROUS_SECONDS)
        connection.request("POST", PATH, body())
        connections.append(connection)
        wait_until(lambda: waiting(server) == index + 1)
    return connections


def leave(connections):
    """Resets the connections: a client that only ends its own side still wants its answer."""
    for connection in connections:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def test_one_request_past_the_queue_is_refused_at_once_and_told_when_to_come_back(held):
    connections = hold(held)
    status, headers, answer = held.request("POST", PATH, body())
    assert status == 503 and headers["content-type"] == "application/json"
    assert json.loads(answer) == {"error": f"model '{NAME}' is overloaded: its queue holds {CAPACITY} requests"}
    assert int(headers["retry-after"]) >= 1
    # Whoever only looks is not kept waiting, nor are other models.
    for path in ("/v2/health/live", "/v2/health/ready", "/metrics", f"/v2/models/{NAME}/stats"):
        assert held.get(path)[0] == 200
    client = tritonclient.grpc.InferenceServerClient(f"{held.host}:{held.port}")
    assert client.is_server_ready()
    client.close()
    leave(connections)
    wait_until(lambda: waiting(held) == 0)


def test_a_batch_that_is_full_does_not_wait(held):
    (connection,) = hold(held, 1)
    status, _, _ = held.request("POST", PATH, body(3))
    assert status == 200
    response = connection.getresponse()
    assert response.status == 200 and response.read()
    connection.close()


def test_clients_that_leave_give_up_their_places(held):
    start = time.monotonic()
    leave(hold(held))
    wait_until(lambda: waiting(held) == 0)
    assert time.monotonic() - start < HELD_SECONDS, "they left their places when their time had come"
    leave(hold(held))


def test_a_timeout_that_passes_in_the_queue_is_told_when_it_passes(held):
    start = time.monotonic()
    status, _, answer = held.request("POST", PATH, body(timeout=100_000))
    assert status == 503 and "timeout" in json.loads(answer)["error"]
    assert 0.1 <= time.monotonic() - start < HELD_SECONDS
    assert waiting(held) == 0


def test_grpc_tells_deadlines_from_overload(held):
    tensor = networks.network(NAME).items(1)["input"]
    request = messages.ModelInferRequest(model_name=NAME, raw_input_contents=[tensor.tobytes()])
    request.inputs.add(name="input", datatype="FP32", shape=tensor.shape)
    with grpc.insecure_channel(f"{held.host}:{held.port}", options=[("grpc.enable_retries", 0)]) as channel:
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer", messages.ModelInferRequest.SerializeToString,
            messages.ModelInferResponse.FromString)
        # A timeout of the request's own, for the client's deadline would be told by the client itself.
        request.parameters["timeout"].int64_param = 100_000
        with pytest.raises(grpc.RpcError) as late:
            call(request, timeout=GENEROUS_SECONDS)
        assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED and "timeout" in late.value.details()
        connections = hold(held)
        with pytest.raises(grpc.RpcError) as refused:
            call(request, timeout=GENEROUS_SECONDS)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE and "overloaded" in refused.value.details()
        assert int(dict(refused.value.trailing_metadata())["grpc-retry-pushback-ms"]) >= 1
    leave(connections)
    wait_until(lambda: waiting(held) == 0)
