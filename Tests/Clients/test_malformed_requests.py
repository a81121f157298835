"""Malformed requests are answered with an error or, where HTTP allows it, by closing; the server lives on."""
import json
import time

import pytest

import infer
import networks
from malformed_bodies import BODIES
from malformed_messages import BODY_BYTE_LIMIT, HEADER_BYTE_LIMIT, MESSAGES, TARGET_BYTE_LIMIT
from raw_http import Exchange, Incomplete

# More than the server's own patience, below, by what a busy machine may add.
SECONDS = 8
PATIENCE_SECONDS = 1
NETWORK = networks.network("cancer_mlp")
GOOD_BODY = infer.json_body("input", NETWORK.inputs["input"])
GOOD_PATH = f"/v2/models/{NETWORK.name}/infer"


@pytest.fixture(scope="module")
def target(start_server, repository):
    """A server of its own, with bounds that can be reached and little patience."""
    with start_server(
            repository,
            FOLDSERVE_LIMITS_HEADER_TIMEOUT_SECONDS=str(PATIENCE_SECONDS),
            FOLDSERVE_LIMITS_BODY_TIMEOUT_SECONDS=str(PATIENCE_SECONDS),
            FOLDSERVE_LIMITS_MAXIMUM_HEADER_BYTE_COUNT=str(HEADER_BYTE_LIMIT),
            FOLDSERVE_LIMITS_MAXIMUM_TARGET_BYTE_COUNT=str(TARGET_BYTE_LIMIT),
            FOLDSERVE_LIMITS_MAXIMUM_BODY_BYTE_COUNT=str(BODY_BYTE_LIMIT)) as server:
        yield server.wait_until_ready()


def assert_answers(connection):
    connection.request("POST", GOOD_PATH, GOOD_BODY)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body
    headers = {name.lower(): value for name, value in response.getheaders()}
    networks.assert_close(infer.outputs(headers, body)["output"], NETWORK.expected["output"], 1e-4)


def assert_is_error(status, headers, body, statuses, mentions=""):
    assert status in statuses, (status, body)
    # Exactly: with a charset KServe's client drops the message.
    assert headers["content-type"] == "application/json"
    error = json.loads(body)
    assert list(error) == ["error"] and isinstance(error["error"], str) and error["error"], error
    assert mentions in error["error"], error


@pytest.mark.parametrize("name", MESSAGES)
def test_malformed_message(target, name):
    message = MESSAGES[name]
    with Exchange(target.host, target.port, SECONDS) as exchange:
        exchange.send(message.content)
        if message.ends:
            exchange.end()
        for _ in range(message.good_answers):
            assert exchange.answer().status == 200
        try:
            answer = exchange.answer()
        except Incomplete:
            # A reset takes back what was under way; only a server that reads no further may be that hasty.
            assert message.may_close and exchange.was_reset
            answer = None
        if answer is None:
            assert message.may_close, "closed without an answer" + (" (reset)" if exchange.was_reset else "")
        else:
            assert_is_error(answer.status, answer.headers, answer.body, message.statuses)
            if not message.may_go_on:
                assert answer.headers["connection"].lower() == "close"
            exchange.end()
            while (further := exchange.answer()) is not None:
                assert message.may_go_on, f"answered again after closing: {further}"
                assert_is_error(further.status, further.headers, further.body, (400, 408))
            assert not message.statuses == ()
    connection = target.connect(SECONDS)
    assert_answers(connection)
    connection.close()


@pytest.fixture(scope="module")
def kept(target):
    """One connection for all requests that are good HTTP: errors must not end it."""
    connection = target.connect(SECONDS)
    yield connection
    connection.close()


@pytest.mark.parametrize("name", BODIES)
def test_malformed_body(target, kept, name):
    request = BODIES[name]
    start = time.monotonic()
    kept.request(request.method, request.path, request.body, request.headers)
    response = kept.getresponse()
    body = response.read()
    headers = {field.lower(): value for field, value in response.getheaders()}
    assert_is_error(response.status, headers, body, request.statuses, request.mentions)
    assert len(body) < 8192, "an error that repeats the request"
    if response.status == 405:
        assert headers["allow"]
    assert time.monotonic() - start < SECONDS / 2
    port = kept.sock.getsockname()[1]
    assert_answers(kept)
    assert kept.sock.getsockname()[1] == port, "the connection was not kept"


def test_a_client_that_takes_no_answer_is_cut_off_and_others_are_served(target):
    """Requests pile up on a connection that is never read; the server must stop reading it, not grow."""
    with Exchange(target.host, target.port, 60) as exchange:
        exchange.socket.setblocking(False)
        sent = 0
        request = b"GET /metrics HTTP/1.1\r\nhost: h\r\n\r\n"
        for _ in range(200_000):
            try:
                sent += exchange.socket.send(request)
            except BlockingIOError:
                break
        else:
            raise AssertionError("the server read 200000 requests whose answers nobody took")
        connection = target.connect(SECONDS)
        assert_answers(connection)
        connection.close()


def test_many_connections_that_send_nothing_do_not_keep_others_out(target):
    exchanges = [Exchange(target.host, target.port, SECONDS) for _ in range(200)]
    try:
        for exchange in exchanges:
            exchange.send(b"G")
        connection = target.connect(SECONDS)
        assert_answers(connection)
        connection.close()
    finally:
        for exchange in exchanges:
            exchange.socket.close()


def test_there_are_enough_of_them():
    assert len(MESSAGES) + len(BODIES) >= 100
