"""SIGTERM under load loses no request.

Clients post predictions while the server is told to stop. Some keep their connection and send one request after the
other; some open a connection for each request. What a client may see, by the time at which the last byte of its request
was handed to the kernel:

- Before SIGTERM was sent: a full answer with status 200, without exception.
- After it, on a connection that was open before SIGTERM, and within the grace that the server gives to requests that
  are under way (`limits.drainGraceSeconds`): the same.
- After that, or on a connection opened after SIGTERM: a full answer, or the connection is refused, closed or reset
  before the first byte of an answer. The server has then read nothing of it that it acts on, and the client may send
  the request again elsewhere (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
- Never a part of an answer, an answer other than 200, or silence.

A client that is answered with `connection: close` does not use that connection again. The server exits with 0 within
its drain timeout.
"""
import signal
import threading
import time
from dataclasses import dataclass

import pytest

import infer
import networks
from conftest import make_repository
from raw_http import Exchange, Incomplete

SIGNAL_COUNT = 50
KEPT_CLIENT_COUNT, FRESH_CLIENT_COUNT = 3, 2
LOAD_SECONDS = 0.25
DRAIN_TIMEOUT_SECONDS = 10
# limits.drainGraceSeconds has the same value in the server; half of it here is for a busy machine.
GRACE_SECONDS = 0.5
CLIENT_SECONDS = 20

NETWORK = networks.network("digits_cnn")
EXPECTED = NETWORK.expected["output"]


def message(headers, body):
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (f"POST /v2/models/{NETWORK.name}/infer HTTP/1.1\r\nhost: h\r\ncontent-length: {len(body)}\r\n{fields}"
            "\r\n").encode() + body


MESSAGES = (message({}, infer.json_body("input", NETWORK.inputs["input"])),
            message(*infer.binary_body("input", NETWORK.inputs["input"])))


@dataclass(frozen=True)
class Sent:
    """One request that was sent completely, and what came of it: an answer, nothing or a part."""
    opened: float
    sent: float
    answer: object
    problem: str | None = None


class Client(threading.Thread):
    """Posts predictions until the server takes none any more."""

    def __init__(self, server, keeps_alive, index):
        super().__init__(daemon=True)
        self.server, self.keeps_alive, self.index = server, keeps_alive, index
        self.requests = []
        self.error = None
        self.must_end = threading.Event()

    def run(self):
        try:
            while not self.must_end.is_set() and self.use_connection():
                pass
        except Exception as error:
            self.error = error

    def use_connection(self):
        """Returns whether to open another one."""
        try:
            exchange = Exchange(self.server.host, self.server.port, CLIENT_SECONDS)
        except (ConnectionRefusedError, ConnectionResetError):
            return False
        opened = time.monotonic()
        with exchange:
            while not self.must_end.is_set():
                answer = self.post(exchange, opened)
                if answer is None:
                    return False
                if answer.headers.get("connection") == "close" or not self.keeps_alive:
                    return True
        return False

    def post(self, exchange, opened):
        content = MESSAGES[(self.index + len(self.requests)) % len(MESSAGES)]
        exchange.deadline = time.monotonic() + CLIENT_SECONDS
        try:
            exchange.socket.settimeout(CLIENT_SECONDS)
            exchange.socket.sendall(content)
        except (ConnectionResetError, BrokenPipeError):
            # Not sent completely; whether the connection may end here is judged by when it did.
            self.requests.append(Sent(opened, time.monotonic(), None))
            return None
        sent = time.monotonic()
        answer, problem = None, None
        try:
            answer = exchange.answer()
        except Incomplete as error:
            problem = f"a part of an answer: {error}"
        except TimeoutError as error:
            problem = f"silence: {error}"
        self.requests.append(Sent(opened, sent, answer, problem))
        return answer


def violations(request, signalled):
    """What must not happen to a request, given when SIGTERM was sent."""
    if request.problem:
        yield request.problem
    elif request.answer is not None:
        if request.answer.status != 200:
            yield f"status {request.answer.status}: {request.answer.body[:200]!r}"
    elif request.sent <= signalled:
        yield f"no answer to a request sent {signalled - request.sent:.4f} s before SIGTERM"
    elif request.opened <= signalled and request.sent <= signalled + GRACE_SECONDS / 2:
        yield (f"no answer to a request sent {request.sent - signalled:.4f} s after SIGTERM on a connection opened "
               f"{signalled - request.opened:.4f} s before it")


@pytest.fixture(scope="module")
def small_repository(tmp_path_factory):
    return make_repository(tmp_path_factory.mktemp("small"), [NETWORK])


@pytest.fixture(scope="module")
def totals():
    totals = {"signals": 0, "answered": 0, "refused": 0}
    yield totals
    print(f"\n{totals['signals']} times SIGTERM: {totals['answered']} requests answered, "
          f"{totals['refused']} refused unread after it")


@pytest.mark.parametrize("repetition", range(SIGNAL_COUNT))
def test_no_request_is_lost(start_server, small_repository, totals, repetition):
    server = start_server(
        small_repository, "--log-level", "warning",
        FOLDSERVE_DRAIN_TIMEOUT_SECONDS=str(DRAIN_TIMEOUT_SECONDS),
        FOLDSERVE_LIMITS_DRAIN_GRACE_SECONDS=str(GRACE_SECONDS))
    clients = []
    try:
        server.wait_until_ready()
        clients = [Client(server, index < KEPT_CLIENT_COUNT, index)
                   for index in range(KEPT_CLIENT_COUNT + FRESH_CLIENT_COUNT)]
        for client in clients:
            client.start()
        # A different moment in the flow of requests each time.
        time.sleep(LOAD_SECONDS * (0.5 + repetition / SIGNAL_COUNT))
        signalled = time.monotonic()
        status = server.stop()
        seconds = time.monotonic() - signalled
    finally:
        if server.process.poll() is None:
            server.process.kill()
        for client in clients:
            client.must_end.set()
            client.join(CLIENT_SECONDS)
    assert status == 0, server.tail()
    assert seconds < DRAIN_TIMEOUT_SECONDS, f"stopped after {seconds:.1f} s"
    requests = []
    for client in clients:
        assert not client.is_alive() and client.error is None, client.error
        assert any(request.answer is not None for request in client.requests), "there was no load"
        requests += client.requests
    found = [text for request in requests for text in violations(request, signalled)]
    assert not found, f"{len(found)} of {len(requests)} requests: {found[:5]}"
    for request in requests:
        if request.answer is not None:
            headers, body = request.answer.headers, request.answer.body
            networks.assert_close(infer.outputs(headers, body)["output"], EXPECTED, 1e-4)
    totals["signals"] += 1
    totals["answered"] += sum(request.answer is not None for request in requests)
    totals["refused"] += sum(request.answer is None for request in requests)


def test_idle_connections_do_not_hold_the_server_up(start_server, small_repository):
    with start_server(small_repository) as server:
        server.wait_until_ready()
        idle = [Exchange(server.host, server.port, CLIENT_SECONDS) for _ in range(20)]
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < 5
        for exchange in idle:
            assert exchange.is_at_end()
            exchange.socket.close()


def test_a_request_that_is_half_sent_at_sigterm_is_answered(start_server, small_repository):
    with start_server(small_repository) as server:
        server.wait_until_ready()
        with Exchange(server.host, server.port, CLIENT_SECONDS) as exchange:
            content = MESSAGES[0]
            exchange.send(content[:len(content) // 2])
            # Until the server has read it: it answers others in the meantime.
            assert server.get("/v2/health/live")[0] == 200
            server.process.terminate()
            time.sleep(0.3)
            exchange.send(content[len(content) // 2:])
            answer = exchange.answer()
            assert answer is not None and answer.status == 200
            assert answer.headers["connection"] == "close"
        assert server.wait() == 0


def test_a_second_signal_and_a_client_that_never_finishes_do_not_hang(start_server, small_repository):
    with start_server(small_repository, FOLDSERVE_DRAIN_TIMEOUT_SECONDS="1") as server:
        server.wait_until_ready()
        with Exchange(server.host, server.port, CLIENT_SECONDS) as exchange:
            exchange.send(MESSAGES[0][:-1])
            assert server.get("/v2/health/live")[0] == 200
            start = time.monotonic()
            server.process.terminate()
            server.process.terminate()
            status = server.wait()
            assert time.monotonic() - start < 5
            assert status in (0, -15)


def test_sigint_stops_like_sigterm(start_server, small_repository):
    with start_server(small_repository) as server:
        server.wait_until_ready()
        server.process.send_signal(signal.SIGINT)
        assert server.wait() == 0
