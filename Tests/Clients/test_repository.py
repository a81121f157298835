"""A repository that changes while clients ask, the admin listener, tokens, and certificates that are renewed."""
import json
import os
import shutil
import socket
import ssl
import subprocess
import time

import numpy
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

import changing
from changing import Load, Repository, model, reload_damaged, reload_good
from raw_http import Exchange

SECONDS = 20
RELOAD_COUNT = int(os.environ.get("FOLDSERVE_TEST_RELOADS", "6"))
FAILURE_COUNT = int(os.environ.get("FOLDSERVE_TEST_FAILURES", "3"))
TOKENS = {"admin": "admin-token-0123456789", "predict": "predict-token-0123456789",
          "introspect": "introspect-token-0123456789", "metrics": "metrics-token-0123456789"}
POLL = {"FOLDSERVE_REPOSITORY_MODE": "poll", "FOLDSERVE_REPOSITORY_POLL_SECONDS": "0.1"}


def bearer(scope):
    return {} if scope is None else {"Authorization": f"Bearer {TOKENS[scope]}"}


@pytest.fixture
def folder(tmp_path):
    repository = Repository(tmp_path / "models")
    repository.put("m/1", 1.0)
    return repository


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("".join(f"{token} {scope}\n" for scope, token in TOKENS.items()))
    return path


@pytest.fixture
def explicit(start_server, folder, token_file):
    """A server in explicit mode with an admin listener."""
    with start_server(
            folder.folder, FOLDSERVE_REPOSITORY_MODE="explicit", FOLDSERVE_ADMIN_PORT="0",
            FOLDSERVE_ADMIN_TOKEN_FILE=str(token_file)) as server:
        yield server.wait_until_ready()


# Reloading

def test_reloads_lose_no_request_and_mix_no_answer(start_server, folder):
    folder.put_file("m/model.json", b'{"versionPolicy": {"latest": 1}}')
    with start_server(folder.folder, **POLL) as server:
        server.wait_until_ready()
        with Load(server) as load:
            for step in range(1, RELOAD_COUNT + 1):
                reload_good(load, folder, step)
        assert load.factors[0] == 1.0 and set(load.factors) == {1.0} | {step + 2.0 for step in range(1, RELOAD_COUNT + 1)}


def test_failed_reloads_keep_what_serves_and_say_why(start_server, folder):
    reasons = set()
    with start_server(folder.folder, **POLL) as server:
        server.wait_until_ready()
        with Load(server) as load:
            for step in range(FAILURE_COUNT):
                kind = changing.KINDS[step % len(changing.KINDS)]
                reasons.add(kind + ": " + reload_damaged(load, server, folder, kind, step + 2, 1.0))
        assert set(load.factors) == {1.0}
        assert server.get("/v2/health/ready")[0] == 200
        log = server.tail(1 << 20)
    assert any("golden check failed" in reason for reason in reasons) or FAILURE_COUNT < 2, reasons
    assert any("weight 'u' is not finite at element 195" in reason for reason in reasons) or FAILURE_COUNT < 3, reasons
    assert log.count("model unavailable") == FAILURE_COUNT


def test_a_file_cut_short_in_place_ends_neither_the_server_nor_its_answers(start_server, folder):
    with start_server(folder.folder, **POLL) as server:
        server.wait_until_ready()
        path = folder.folder / "m" / "1" / "model.onnx"
        with Load(server) as load:
            os.truncate(path, 100)
            load.wait_for(lambda: "reason" in changing.index(server)["m", "1"])
            assert changing.index(server)["m", "1"]["state"] == "READY"
            for document in ("fold", "graph"):
                status, _, body = server.get(f"/v2/models/m/{document}")
                assert status == 503 and b"written in place" in body, body
            answered = load.answered
            load.wait_for(lambda: load.answered > answered + 20)
            folder.put_file("m/1/model.onnx", model(1.0).SerializeToString())
            load.wait_for(lambda: "reason" not in changing.index(server)["m", "1"])
            assert server.get("/v2/models/m/fold")[0] == 200


def test_a_model_that_is_being_copied_is_not_served_until_it_is_whole(start_server, folder):
    content = model(5.0).SerializeToString()
    with start_server(folder.folder, **POLL) as server:
        server.wait_until_ready()
        with Load(server) as load:
            (folder.folder / "m" / "2").mkdir()
            with open(folder.folder / "m" / "2" / "model.onnx", "wb") as file:
                for start in range(0, len(content), 1024):
                    file.write(content[start:start + 1024])
                    file.flush()
                    time.sleep(0.01)
            load.wait_for_factor(5.0)
        assert set(load.factors) == {1.0, 5.0}


def test_sighup_looks_at_once(start_server, folder):
    with start_server(
            folder.folder, FOLDSERVE_REPOSITORY_MODE="poll", FOLDSERVE_REPOSITORY_POLL_SECONDS="3600") as server:
        server.wait_until_ready()
        folder.put("m/2", 7.0)
        deadline = time.monotonic() + changing.SECONDS
        while ("m", "2") not in changing.index(server) or changing.index(server)["m", "2"]["state"] != "READY":
            assert time.monotonic() < deadline
            # Two looks have to agree.
            server.process.send_signal(1)
            time.sleep(0.1)


def test_kill_and_start_again_serves_again(start_server, folder):
    server = start_server(folder.folder, **POLL)
    try:
        server.wait_until_ready()
        with Load(server) as load:
            pass
        folder.put("m/2", 3.0)
    finally:
        server.process.kill()
        server.process.wait()
        server.process.stdout.close()
    assert load.factors == [1.0]
    with start_server(folder.folder, **POLL) as server:
        server.wait_until_ready()
        with Load(server) as load:
            pass
        assert load.factors == [3.0]


# The admin listener

def test_stock_http_client_loads_and_unloads(explicit, folder):
    address = explicit.admin_url.removeprefix("http://")
    with tritonclient.http.InferenceServerClient(address) as client:
        headers = bearer("admin")
        assert client.get_model_repository_index(headers=headers) == [
            {"name": "m", "version": "1", "state": "UNAVAILABLE", "reason": "unloaded"}]
        client.load_model("m", headers=headers)
        assert client.get_model_repository_index(headers=headers) == [
            {"name": "m", "version": "1", "state": "READY"}]
        with Load(explicit) as load:
            folder.put("m/2", 2.0)
            client.load_model("m", headers=headers)
            load.wait_for_factor(2.0)
        client.unload_model("m", headers=headers)
        assert {entry["reason"] for entry in client.get_model_repository_index(headers=headers)} == {"unloaded"}
        assert client.is_server_ready() and explicit.get("/v2/health/ready")[0] == 200
        status, _, body = explicit.request("POST", "/v2/models/m/infer", changing.BODY)
        assert status == 503 and b"unloaded" in body
        refusals = {
            "config": ({"config": json.dumps({"name": "m"})}, "config"),
            "files": ({"config": json.dumps({"name": "m"}), "files": {"file:1/model.onnx": b"x"}}, "file:|config"),
        }
        for arguments, text in refusals.values():
            with pytest.raises(InferenceServerException, match=text) as failure:
                client.load_model("m", headers=headers, **arguments)
            assert failure.value.status() == "501"
        with pytest.raises(InferenceServerException, match="not found"):
            client.load_model("no_such_model", headers=headers)
        for call in (client.load_model, client.unload_model):
            with pytest.raises(InferenceServerException, match="needs a bearer token"):
                call("m")


def test_stock_grpc_client_loads_and_unloads(explicit, folder):
    address = explicit.admin_url.removeprefix("http://")
    with tritonclient.grpc.InferenceServerClient(address) as client:
        headers = {"authorization": f"Bearer {TOKENS['admin']}"}
        client.load_model("m", headers=headers)
        (entry,) = client.get_model_repository_index(headers=headers, as_json=True)["models"]
        assert entry["state"] == "READY"
        client.unload_model("m", headers=headers)
        (entry,) = client.get_model_repository_index(headers=headers, as_json=True)["models"]
        assert entry["state"] == "UNAVAILABLE" and entry["reason"] == "unloaded"
        expected = (
            (lambda: client.load_model("m"), "UNAUTHENTICATED"),
            (lambda: client.load_model("m", headers={"authorization": f"Bearer {TOKENS['predict']}"}),
             "PERMISSION_DENIED"),
            (lambda: client.load_model("m", headers=headers, config="{}"), "UNIMPLEMENTED"),
            (lambda: client.load_model("z", headers=headers), "NOT_FOUND"))
        for call, code in expected:
            with pytest.raises(InferenceServerException) as failure:
                call()
            assert code in failure.value.status(), failure.value


def test_a_load_that_fails_says_why_and_keeps_what_serves(explicit, folder):
    address = explicit.admin_url.removeprefix("http://")
    with tritonclient.http.InferenceServerClient(address) as client:
        client.load_model("m", headers=bearer("admin"))
        with Load(explicit) as load:
            for kind in changing.KINDS:
                content, golden_factor = changing.damaged(kind, 4.0)
                folder.remove("m/1")
                folder.put_version("m/1", content, golden_factor)
                with pytest.raises(InferenceServerException, match="is not loaded: version 1: ") as failure:
                    client.load_model("m", headers=bearer("admin"))
                assert failure.value.status() == "400"
        assert set(load.factors) == {1.0}


def test_the_port_of_predictions_loads_nothing(start_server, folder, token_file):
    with start_server(folder.folder) as server:
        server.wait_until_ready()
        for verb in ("load", "unload"):
            status, _, body = server.request("POST", f"/v2/repository/models/m/{verb}", b"{}")
            assert status == 501 and b"admin listener" in body
        assert server.said.count("admin") == 0


# Tokens

OPEN = ("/v2/health/live", "/v2/health/ready")


@pytest.mark.parametrize("scope", [None, *TOKENS])
def test_paths_open_to_their_scopes(start_server, folder, token_file, scope):
    table = [("GET", "/v2", "predict introspect"), ("GET", "/v2/models/m", "predict introspect"),
             ("POST", "/v2/models/m/infer", "predict"), ("GET", "/v2/models/m/fold", "introspect"),
             ("GET", "/v2/models/stats", "introspect"), ("GET", "/metrics", "metrics"),
             ("POST", "/v2/repository/index", "introspect admin"),
             ("POST", "/v2/repository/models/m/load", "admin"), *(("GET", path, None) for path in OPEN)]
    with start_server(folder.folder, FOLDSERVE_ACCESS_TOKEN_FILE=str(token_file)) as server:
        deadline = time.monotonic() + changing.SECONDS
        while server.get(OPEN[1])[0] != 200:
            assert time.monotonic() < deadline
        for method, path, scopes in table:
            body = changing.BODY if path.endswith("infer") else None
            status, headers, answer = server.request(method, path, body, bearer(scope))
            if scopes is None or (scope and scope in scopes.split()):
                assert status in (200, 501), (path, status, answer)
            else:
                assert status == (403 if scope else 401), (path, status)
                assert (headers["www-authenticate"] == "Bearer") == (scope is None)
                assert list(json.loads(answer)) == ["error"]


@pytest.mark.parametrize("framing", ["content-length: 60000000", "transfer-encoding: chunked"])
def test_who_has_no_token_is_told_before_sending_a_body(start_server, folder, token_file, framing):
    variables = {"FOLDSERVE_ACCESS_TOKEN_FILE": str(token_file), "FOLDSERVE_ADMIN_PORT": "0",
                 "FOLDSERVE_ADMIN_TOKEN_FILE": str(token_file)}
    with start_server(folder.folder, **variables) as server:
        server.get("/v2/health/live")
        for port, path in ((server.port, "/v2/models/m/infer"),
                           (int(server.admin_url.rsplit(":", 1)[1]), "/v2/repository/models/m/load")):
            for scope, status in ((None, 401), ("metrics", 403)):
                token = f"authorization: Bearer {TOKENS[scope]}\r\n" if scope else ""
                with Exchange(server.host, port, SECONDS) as exchange:
                    exchange.send(f"POST {path} HTTP/1.1\r\nhost: h\r\n{token}{framing}\r\n"
                                  "expect: 100-continue\r\n\r\n".encode())
                    answer = exchange.answer()
                    assert answer.status == status and answer.headers["connection"] == "close", answer
                    assert not exchange.interim and exchange.is_at_end()


def test_tokens_are_read_again(start_server, folder, token_file):
    with start_server(folder.folder, FOLDSERVE_ACCESS_TOKEN_FILE=str(token_file)) as server:
        assert server.request("GET", "/v2", None, bearer("predict"))[0] == 200
        new = {"Authorization": "Bearer another-token-0123456789"}
        renewed = token_file.with_suffix(".new")
        renewed.write_text("another-token-0123456789 predict\n")
        os.replace(renewed, token_file)
        deadline = time.monotonic() + changing.SECONDS
        while server.request("GET", "/v2", None, new)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert server.request("GET", "/v2", None, bearer("predict"))[0] == 401
        token_file.write_text("short predict\n")
        deadline = time.monotonic() + changing.SECONDS
        while "tokens not replaced" not in server.tail():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert server.request("GET", "/v2", None, new)[0] == 200
        assert "another-token" not in server.tail()


# Nothing outside of the repository

ATTEMPTS = (
    "..", "%2e%2e", "%2E%2E%2Foutside", "..%2foutside", "%2e%2e%2foutside", "../outside", "../../outside", "m/../../outside",
    "m%2f..%2f..%2foutside", "%2foutside", "%2Fetc", "//etc", "%00", "m%00", "m%00/../outside", "..%5coutside", "..%c0%af",
    "%c0%ae%c0%ae", "%252e%252e", "link", ".hidden", ".", "%2e", "%", "%2", "%zz", "m%2f1", "~", "file:..", "outside")


def attempts(folder, outside):
    absolute = str(outside).replace("/", "%2f")
    return ATTEMPTS + (str(outside), absolute)


@pytest.mark.parametrize("listener", ["data", "data with tokens", "admin", "admin with a token"])
def test_no_name_reaches_a_file_outside(start_server, folder, token_file, tmp_path, listener):
    outside = Repository(tmp_path / "outside")
    outside.put("1", 66.0)
    os.symlink(outside.folder, folder.folder / "link")
    Repository(folder.folder / ".hidden").put("1", 66.0)
    variables = {"FOLDSERVE_REPOSITORY_MODE": "explicit", "FOLDSERVE_REPOSITORY_LOAD_AT_START": "m",
                 "FOLDSERVE_ADMIN_PORT": "0", "FOLDSERVE_ADMIN_TOKEN_FILE": str(token_file)}
    if listener == "data with tokens":
        variables["FOLDSERVE_ACCESS_TOKEN_FILE"] = str(token_file)
    with start_server(folder.folder, **variables) as server:
        deadline = time.monotonic() + changing.SECONDS
        while server.get("/v2/health/ready")[0] != 200:
            assert time.monotonic() < deadline
        port = int(server.admin_url.rsplit(":", 1)[1]) if listener.startswith("admin") else server.port
        token = f"authorization: Bearer {TOKENS['admin']}\r\n" if listener.endswith("a token") else ""
        for name in attempts(folder, outside.folder):
            for method, path in (("POST", f"/v2/repository/models/{name}/load"), ("GET", f"/v2/models/{name}"),
                                 ("POST", f"/v2/models/{name}/infer"), ("GET", f"/v2/models/{name}/graph"),
                                 ("GET", f"/v2/models/m/versions/{name}"), ("GET", f"/{name}"), ("GET", name),
                                 ("GET", f"/v2/models/m/{name}/model.onnx")):
                for more in ("", f"x-original-url: /v2/repository/models/{name}/load\r\nx-rewrite-url: /{name}\r\n"
                             f"x-http-method-override: PUT\r\nx-forwarded-prefix: /{name}\r\n"):
                    with Exchange(server.host, port, SECONDS) as exchange:
                        exchange.send(f"{method} {path} HTTP/1.1\r\nhost: h\r\n{token}{more}content-length: 0\r\n"
                                      "connection: close\r\n\r\n".encode())
                        answer = exchange.answer()
                    assert 400 <= answer.status < 600 and answer.status != 500, (method, path, answer)
                    assert b"66" not in answer.body and b"root:" not in answer.body, (method, path, answer.body)
        entries = changing.index(server) if listener != "data with tokens" else None
    # The link is listed, and says that it leads out; nothing of it is loaded.
    if entries is not None:
        assert {key for key, entry in entries.items() if entry["state"] == "READY"} == {("m", "1")}
    assert "model ready" in server.tail() and "outside" not in server.tail().replace("leads out", "")


# Certificates

def make_certificate(folder, name):
    """A self-signed pair of its own common name; returns the certificate's and the key's bytes."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=SECONDS)
    return certificate.read_bytes(), key.read_bytes()


def served_certificate(server):
    """What a new connection gets, as PEM."""
    return ssl.get_server_certificate((server.host, server.port), timeout=SECONDS).encode()


def replace(path, content):
    scratch = path.with_name("scratch")
    scratch.write_bytes(content)
    os.replace(scratch, path)


def test_certificates_are_renewed_under_load(start_server, folder, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pairs = [make_certificate(tmp_path, name) for name in ("first", "second", "third")]
    certificate, key = tmp_path / "served.pem", tmp_path / "served.key"
    replace(certificate, pairs[0][0])
    replace(key, pairs[0][1])
    with start_server(folder.folder, "--tls-certificate", certificate, "--tls-key", key) as server:
        server.wait_until_ready()
        context = ssl._create_unverified_context()
        with Load(server, context=context) as kept, Load(server, count=2, context=context, fresh=True) as fresh:
            for pair in pairs[1:]:
                # Between the two the pair does not fit: the one before stays.
                replace(certificate, pair[0])
                replace(key, pair[1])
                kept.wait_for(lambda: served_certificate(server).split() == pair[0].split())
            replace(certificate, b"no certificate")
            kept.wait_for(lambda: "certificate not replaced" in server.tail(1 << 20))
            assert served_certificate(server).split() == pairs[2][0].split()
            replace(certificate, pairs[0][0])
            kept.wait_for(lambda: server.tail(1 << 20).count("certificate not replaced") >= 2)
            assert "does not belong to" in server.tail(1 << 20)
            for load in (kept, fresh):
                answered = load.answered
                load.wait_for(lambda: load.answered > answered + 5)
        assert set(kept.factors) == set(fresh.factors) == {1.0}
