"""The same answers over HTTP/1.1, HTTP/2 in plain text, and both over TLS, asked by curl and by `foldserve health`."""
import json
import shutil
import socket
import subprocess

import numpy
import pytest

import command
import infer
import networks

SECONDS = 20
MODEL = "digits_dwsep"
PATHS = ("/v2", "/v2/health/live", "/v2/health/ready", "/v2/models", f"/v2/models/{MODEL}",
         f"/v2/models/{MODEL}/versions/1", f"/v2/models/{MODEL}/ready", f"/v2/models/{MODEL}/fold",
         f"/v2/models/{MODEL}/graph", "/v2/models/no_such_model", "/no/such/path")
PROTOCOLS = {
    "http1": ("plain", ["--http1.1"], "1.1"),
    "http2": ("plain", ["--http2-prior-knowledge"], "2"),
    "https1": ("tls", ["--http1.1", "--insecure"], "1.1"),
    "https2": ("tls", ["--http2", "--insecure"], "2"),
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for this machine and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True, timeout=SECONDS)
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def secure_server(start_server, repository, certificate):
    with start_server(
            repository, "--tls-certificate", certificate[0], "--tls-key", certificate[1]) as server:
        assert server.is_secure, server.url
        yield server.wait_until_ready()


@pytest.fixture
def ask(request, curl, server, tmp_path):
    """ask(protocol, path, *arguments): (status, header fields by lower-case name, body), by curl."""
    def ask(protocol, path, *arguments):
        kind, flags, version = PROTOCOLS[protocol]
        target = request.getfixturevalue("secure_server") if kind == "tls" else server
        completed = subprocess.run(
            [curl, "--silent", "--show-error", "--max-time", str(SECONDS), "--dump-header", tmp_path / "head",
             "--output", tmp_path / "body", "--write-out", "%{http_version} %{http_code} %{num_connects}",
             *flags, *map(str, arguments), target.url + path],
            capture_output=True, timeout=SECONDS + 5)
        assert completed.returncode == 0, completed.stderr.decode()
        spoken, status, _ = completed.stdout.decode().split()
        assert spoken == version
        return int(status), fields(tmp_path / "head"), read(tmp_path / "body")
    return ask


def fields(path):
    lines = path.read_text().split("\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if value}


def read(path):
    return path.read_bytes() if path.exists() else b""


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("path", PATHS)
def test_get_answers_the_same(ask, server, protocol, path):
    status, headers, body = server.get(path)
    assert status == (404 if path.startswith(("/no/", "/v2/models/no_")) else 200)
    answer = ask(protocol, path)
    assert answer[0] == status
    assert answer[1]["content-type"] == headers["content-type"] == "application/json"
    assert answer[1]["content-length"] == headers["content-length"] == str(len(body))
    assert json.loads(answer[2]) == json.loads(body)
    if status != 200:
        assert json.loads(body)["error"]


def test_what_the_plain_endpoints_say(server):
    names = [network.name for network in networks.NETWORKS]
    assert server.get_json("/v2/health/live") == {"live": True}
    assert server.get_json("/v2/health/ready") == {"ready": True}
    assert server.get_json(f"/v2/models/{MODEL}/ready") == {"name": MODEL, "ready": True}
    assert sorted(server.get_json("/v2/models")["models"]) == sorted(names)
    assert server.get_json("/v2")["name"] == "foldserve"
    metadata = server.get_json(f"/v2/models/{MODEL}")
    assert metadata["versions"] == ["1"] and metadata["labels"] == [str(digit) for digit in range(10)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_the_body(ask, server, protocol, path):
    get_status, get_headers, _ = server.get(path)
    status, headers, body = ask(protocol, path, "--head")
    assert status == get_status
    assert headers["content-type"] == get_headers["content-type"]
    assert headers["content-length"] == get_headers["content-length"]
    # With --head curl writes the head where the body would go.
    assert body.startswith(b"HTTP/") and body.split(b"\r\n\r\n", 1)[1] == b""


def posting(path, fields=()):
    """Arguments of curl that send the file at `path` with header fields."""
    arguments = ["--data-binary", f"@{path}"]
    for field in fields:
        arguments += ["--header", field]
    return arguments


# HTTP/2 frames a body itself.
@pytest.mark.parametrize("protocol, framing", [
    (protocol, framing) for protocol, (_, _, version) in PROTOCOLS.items()
    for framing in ("content-length", "chunked", "expect") if version == "1.1" or framing != "chunked"])
@pytest.mark.parametrize("form", ["json", "binary"])
def test_infer_answers_the_same(ask, protocol, form, framing, tmp_path):
    network = networks.network(MODEL)
    tensor = network.inputs["input"]
    extra, body = ({}, infer.json_body("input", tensor)) if form == "json" else infer.binary_body("input", tensor)
    (tmp_path / "request").write_bytes(body)
    fields = [f"{name}: {value}" for name, value in extra.items()]
    fields.append({"content-length": "Expect:", "chunked": "Transfer-Encoding: chunked",
                   "expect": "Expect: 100-continue"}[framing])
    status, headers, answer = ask(protocol, f"/v2/models/{MODEL}/infer", *posting(tmp_path / "request", fields))
    assert status == 200, answer
    networks.assert_close(
        infer.outputs(headers, answer)["output"], network.expected["output"], 1e-4, protocol)


def test_all_protocols_give_the_same_bits(ask, tmp_path):
    tensor = networks.network(MODEL).items(3)["input"]
    answers = []
    for protocol in PROTOCOLS:
        extra, body = infer.binary_body("input", tensor)
        (tmp_path / "request").write_bytes(body)
        fields = [f"{name}: {value}" for name, value in extra.items()]
        _, headers, answer = ask(protocol, f"/v2/models/{MODEL}/infer", *posting(tmp_path / "request", fields))
        answers.append(infer.outputs(headers, answer)["output"])
    (tmp_path / "request").write_bytes(infer.json_body("input", tensor))
    _, headers, answer = ask("http1", f"/v2/models/{MODEL}/infer", *posting(tmp_path / "request"))
    answers.append(infer.outputs(headers, answer)["output"])
    for answer in answers[1:]:
        assert numpy.array_equal(answer, answers[0])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_connection_is_kept_alive(request, curl, server, protocol):
    kind, flags, _ = PROTOCOLS[protocol]
    target = request.getfixturevalue("secure_server") if kind == "tls" else server
    version = subprocess.run([curl, "--version"], capture_output=True, text=True, timeout=SECONDS).stdout.split()[1]
    if protocol == "http2" and version.startswith("7."):
        pytest.skip(f"curl {version} cannot use a connection with prior knowledge again; 8.0 can")
    count = 5
    completed = subprocess.run(
        [curl, "--silent", "--show-error", "--max-time", str(SECONDS), *flags,
         "--write-out", "%{num_connects}\n", *(["--output", "/dev/null", target.url + "/v2/health/live"] * count)],
        capture_output=True, timeout=SECONDS + 5, text=True)
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout.split() == ["1"] + ["0"] * (count - 1)


def test_http_1_0_is_answered_and_closed_unless_it_asks_to_keep_alive(server):
    for field, stays in [(b"", False), (b"Connection: keep-alive\r\n", True)]:
        with socket.create_connection((server.host, server.port), SECONDS) as connection:
            connection.sendall(b"GET /v2/health/live HTTP/1.0\r\n" + field + b"\r\n")
            answer = b""
            while b'{"live":true}' not in answer:
                piece = connection.recv(4096)
                assert piece, answer
                answer += piece
            assert answer.startswith(b"HTTP/1.1 200 ") or answer.startswith(b"HTTP/1.0 200 ")
            assert (b"connection: keep-alive" in answer.lower()) == stays
            if stays:
                connection.sendall(b"GET /v2/health/live HTTP/1.0\r\n\r\n")
                assert connection.recv(4096)
            while connection.recv(4096):
                pass


def test_pipelined_requests_are_answered_in_order(server):
    paths = ["/v2/health/live", f"/v2/models/{MODEL}", "/no/such/path", "/v2/health/live"]
    with socket.create_connection((server.host, server.port), SECONDS) as connection:
        request = "".join(f"GET {path} HTTP/1.1\r\nhost: h\r\n\r\n" for path in paths[:-1])
        request += f"GET {paths[-1]} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
        connection.sendall(request.encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"200", b"404", b"200"]


def test_http2_streams_follow_one_another_on_a_connection(server):
    """RFC 9113 §6, RFC 7541 §6: GET / three times, by frames put together by hand."""
    def frame(kind, flags, stream, payload=b""):
        return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload
    # :method GET, :scheme http, :path /, :authority h
    fields = b"\x82\x86\x84\x41\x01h"
    with socket.create_connection((server.host, server.port), SECONDS) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
        received = b""
        for stream in (1, 3, 5):
            connection.sendall(frame(1, 5, stream, fields))
            ended = False
            while not ended:
                while len(received) < 9 or len(received) < 9 + int.from_bytes(received[:3]):
                    piece = connection.recv(65536)
                    assert piece, "the connection was closed"
                    received += piece
                length, kind, flags = int.from_bytes(received[:3]), received[3], received[4]
                assert kind not in (3, 7), "reset or GOAWAY"
                of, payload = int.from_bytes(received[5:9]), received[9:9 + length]
                received = received[9 + length:]
                ended = of == stream and kind == 0 and flags & 1
            assert json.loads(payload) == {"status": "alive"}


# foldserve health


def test_health_is_0_when_ready(server, secure_server):
    for target in (server, secure_server):
        completed = command.run("health", "--url", target.url)
        assert completed.status == 0, completed.errors


def test_health_asks_the_configured_server(server):
    completed = command.run("health", FOLDSERVE_PORT=str(server.port), FOLDSERVE_HOST="127.0.0.1")
    assert completed.status == 0, completed.errors


def test_health_is_1_when_a_model_is_not_ready(start_server, tmp_path):
    (tmp_path / "broken" / "1").mkdir(parents=True)
    (tmp_path / "broken" / "1" / "model.onnx").write_bytes(b"not a model")
    with start_server(tmp_path) as server:
        assert not server.wait_until_settled()
        completed = command.run("health", "--url", server.url)
        assert completed.status == 1 and len(completed.errors.splitlines()) == 1


def test_health_is_1_when_nobody_answers():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        completed = command.run("health", "--url", url)
    assert completed.status == 1 and url in completed.errors


def test_health_does_not_wait_for_a_server_that_says_nothing():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        completed = command.run(
            "health", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout-seconds", "1")
    assert completed.status == 1 and completed.seconds < 5


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://127.0.0.1:99999", "http://",
                                 "http://127.0.0.1:8080/v2", "http://127.0.0.1:x", ""])
def test_health_refuses_what_is_no_url(url):
    completed = command.run("health", "--url", url)
    assert completed.status == command.USAGE, completed


def test_plain_text_on_the_secure_port_does_not_hang(secure_server):
    with socket.create_connection((secure_server.host, secure_server.port), SECONDS) as connection:
        connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: h\r\n\r\n")
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
    assert secure_server.get("/v2/health/live")[0] == 200


@pytest.mark.parametrize("version, accepted", [("1.1", False), ("1.2", True), ("1.3", True)])
def test_tls_versions(secure_server, curl, version, accepted):
    completed = subprocess.run(
        [curl, "--silent", "--insecure", f"--tlsv{version}", "--tls-max", version, "--max-time", str(SECONDS),
         "--ciphers", "DEFAULT:@SECLEVEL=0", secure_server.url + "/v2/health/live"],
        capture_output=True, timeout=SECONDS + 5)
    assert (completed.returncode == 0) == accepted, completed.stderr
