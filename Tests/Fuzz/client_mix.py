#!/usr/bin/env python3
"""Clients of every kind side by side, while models and certificates change: client_mix.py SECONDS [CLIENTS]

FOLDSERVE names the server's binary; two servers run, one of them with TLS. Every answer is compared with what the model
gives or must be an overload's 503; both servers must end well and have logged nothing of a sanitizer. Needs what
Tests/requirements.txt names, and openssl.
"""
import collections
import contextlib
import gzip
import itertools
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Clients"))

import conftest  # noqa: F401 - sets what NumPy and gRPC must find when they are imported
import changing
import grpc
import infer
import networks
import numpy
from http1_vectors import LIVE, VECTORS
from http2_cases import CASES
from http2_frames import GET, PREFACE, headers, reset, settings
from raw_http import Exchange, Incomplete
from raw_http2 import Peer
from server import Server
from tritonclient.grpc import service_pb2, service_pb2_grpc

SECONDS = 120
CHANGE_SECONDS = 0.5
KEPT_VERSION_COUNT = 4
CLIENTS = 12
MAXIMUM_ITEM_COUNT = 4
TOLERANCE = 1e-4
CHOSEN = [networks.network(name) for name in ("cancer_mlp", "digits_cnn", "digits_dwsep")]
PATHS = ["/metrics", "/v2", "/v2/health/ready", "/v2/models/stats", "/v2/models/digits_cnn/fold", "/v1/models/digits_cnn"]


class Mix:
    """What a client does is one method; it picks its own by chance."""

    def __init__(self, servers, roots):
        self.servers, self.roots = servers, roots
        self.counts = collections.Counter()
        self.failures = []
        # What the changing model may answer with.
        self.factors = {1.0}
        self.seen_factors = set()

    def kinds(self):
        return [self.ask, self.ask, self.call, self.ask_changing, self.look, self.leave, self.attack, self.streams]

    def repeat(self, end, step):
        """Takes steps until it is time; whatever fails in one ends the run."""
        while time.monotonic() < end and not self.failures:
            try:
                self.counts[step()] += 1
            except Exception:  # noqa: BLE001
                self.failures.append(traceback.format_exc())

    def client(self, seed):
        chance = random.Random(seed)

        def step():
            kind = chance.choice(self.kinds())
            kind(chance.choice(self.servers), chance)
            return kind.__name__
        return step

    @staticmethod
    def items(chance):
        """A network, its input's name, some items of it and what they give."""
        network = chance.choice(CHOSEN)
        (name,), (output,) = network.input_names, network.output_names
        count = chance.randrange(1, MAXIMUM_ITEM_COUNT + 1)
        return network, name, network.inputs[name][:count], output, network.expected[output][:count]

    def ask(self, server, chance):
        """HTTP/1.1: JSON, binary and TF Serving's form, some of it compressed."""
        with contextlib.closing(server.connect(SECONDS)) as connection:
            for _ in range(chance.randrange(1, 10)):
                network, name, tensor, output, expected = self.items(chance)
                path, extra = f"/v2/models/{network.name}/infer", {}
                form = chance.choice(["json", "binary", "predict"])
                if form == "binary":
                    extra, body = infer.binary_body(name, tensor)
                elif form == "json":
                    body = infer.json_body(name, tensor)
                else:
                    path, body = f"/v1/models/{network.name}:predict", json.dumps({"inputs": tensor.tolist()}).encode()
                if chance.random() < 0.3:
                    extra, body = {**extra, "content-encoding": "gzip"}, gzip.compress(body)
                connection.request("POST", path, body, extra)
                response = connection.getresponse()
                fields, answer = {key.lower(): value for key, value in response.getheaders()}, response.read()
                if response.status == 503:
                    self.counts["503"] += 1
                    continue
                assert response.status == 200, (response.status, answer[:300])
                actual = (numpy.array(json.loads(answer)["outputs"], numpy.float32) if form == "predict"
                          else infer.outputs(fields, answer)[output])
                networks.assert_close(actual, expected, TOLERANCE, network.name)

    def call(self, server, chance):
        """gRPC: calls side by side, some cancelled."""
        address = f"{server.host}:{server.port}"
        channel = (grpc.secure_channel(address, grpc.ssl_channel_credentials(self.roots)) if server.is_secure
                   else grpc.insecure_channel(address))
        with channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            pending = []
            for _ in range(chance.randrange(1, 8)):
                network, name, tensor, _, expected = self.items(chance)
                request = service_pb2.ModelInferRequest(
                    model_name=network.name, raw_input_contents=[tensor.tobytes()],
                    inputs=[{"name": name, "datatype": "FP32", "shape": tensor.shape}])
                future = stub.ModelInfer.future(request, timeout=SECONDS)
                if chance.random() < 0.2:
                    future.cancel()
                else:
                    pending.append((network, future, expected))
            for network, future, expected in pending:
                try:
                    raw = future.result().raw_output_contents[0]
                except grpc.RpcError as error:
                    assert error.code() == grpc.StatusCode.UNAVAILABLE and "overloaded" in error.details(), error
                    self.counts["503"] += 1
                    continue
                actual = numpy.frombuffer(raw, numpy.float32).reshape(expected.shape)
                networks.assert_close(actual, expected, TOLERANCE, network.name)

    def ask_changing(self, server, chance):
        with contextlib.closing(server.connect(SECONDS)) as connection:
            for _ in range(chance.randrange(1, 10)):
                connection.request("POST", "/v2/models/m/infer", changing.BODY)
                response = connection.getresponse()
                body = response.read()
                if response.status == 503:
                    self.counts["503"] += 1
                    continue
                assert response.status == 200, (response.status, body[:300])
                factor = changing.factor_of(json.loads(body))
                assert factor in self.factors, factor
                self.seen_factors.add(factor)

    def look(self, server, chance):
        for _ in range(3):
            path = chance.choice(PATHS)
            status, _, body = server.get(path)
            assert status in (200, 503) and body, (path, status)

    def leave(self, server, chance):
        """Sends a request, or a part of one, and does not wait for the answer."""
        network, name, tensor, *_ = self.items(chance)
        body = infer.json_body(name, tensor)
        head = b"POST /v2/models/%b/infer HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n"
        message = head % (network.name.encode(), len(body)) + body
        with self.exchange(server) as exchange, contextlib.suppress(OSError):
            exchange.send(message[:chance.randrange(len(message) + 1)] if chance.random() < 0.5 else message)

    def attack(self, server, chance):
        """What RFC 9112 forbids, behind a request that is answered."""
        with self.exchange(server) as exchange, contextlib.suppress(OSError):
            exchange.send(LIVE + chance.choice(list(VECTORS.values())).attack)
            if not server.is_secure:
                exchange.end()
                while exchange.more():
                    pass

    def streams(self, server, chance):
        """HTTP/2 by hand: requests side by side, some reset, and at the end now and then a fault."""
        with self.exchange(server, "h2") as peer:
            peer.send(PREFACE + settings())
            kept = []
            for stream in range(1, 2 * chance.randrange(1, 30), 2):
                peer.send(headers(stream, *GET))
                if chance.random() < 0.2:
                    peer.send(reset(stream))
                else:
                    kept.append(stream)
            assert peer.read_until(lambda: all(stream in peer.ended for stream in kept)), peer.goaway
            assert all(peer.status(stream) == 200 for stream in kept)
            if chance.random() < 0.5:
                with contextlib.suppress(OSError, Incomplete):
                    peer.send(chance.choice(list(CASES.values())).content)
                    if not server.is_secure:
                        peer.end()
                        peer.finish()

    @staticmethod
    def exchange(server, protocol="http/1.1"):
        kind = Peer if protocol == "h2" else Exchange
        more = {"preface": b""} if protocol == "h2" else {}
        exchange = kind(server.host, server.port, SECONDS, **more)
        if server.is_secure:
            context = ssl._create_unverified_context()
            context.set_alpn_protocols([protocol])
            exchange.socket = context.wrap_socket(exchange.socket)
        return exchange

    def changes(self, repository, certificates):
        """New versions, good and damaged ones, and a certificate that is renewed."""
        versions = itertools.count(2)

        def step():
            version = next(versions)
            if version % 4 == 0:
                content, golden = changing.damaged(changing.KINDS[version // 4 % len(changing.KINDS)], 900.0)
                repository.put_version(f"m/{version}", content, golden)
            else:
                self.factors.add(float(version))
                repository.put(f"m/{version}", float(version))
            for path in (repository.folder / "m").iterdir():
                if path.name.isdigit() and int(path.name) < version - KEPT_VERSION_COUNT:
                    repository.remove(f"m/{path.name}")
            renewed = certificates[0].with_suffix(".new")
            shutil.copy(certificates[1 + version % 2], renewed)
            os.replace(renewed, certificates[0])
            for server in self.servers:
                server.process.send_signal(signal.SIGHUP)
            time.sleep(CHANGE_SECONDS)
            return "changes"
        return step


def make_certificates(folder):
    """The certificate that is used, two that it is in turn, and their one key."""
    key = folder / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", key],
                   check=True, capture_output=True)
    paths = [folder / f"certificate{index}.pem" for index in range(3)]
    for path in paths[1:]:
        subprocess.run(
            ["openssl", "req", "-x509", "-key", key, "-days", "2", "-subj", f"/CN={path.stem}", "-addext",
             "subjectAltName=IP:127.0.0.1", "-out", path], check=True, capture_output=True)
    shutil.copy(paths[1], paths[0])
    return paths, key


def main(seconds, clients):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = Path(folder)
        repository = changing.Repository(folder / "models")
        conftest.make_repository(repository.folder, CHOSEN)
        repository.put("m/1", 1.0)
        repository.put_file("m/model.json", b'{"versionPolicy": {"latest": 1}}')
        certificates, key = make_certificates(folder)
        variables = {"FOLDSERVE_REPOSITORY_MODE": "poll", "FOLDSERVE_REPOSITORY_POLL_SECONDS": "0.2",
                     "FOLDSERVE_EVENT_LOOPS": "2"}
        secure = {"FOLDSERVE_TLS_CERTIFICATE": str(certificates[0]), "FOLDSERVE_TLS_KEY": str(key)}
        servers = [stack.enter_context(Server(repository.folder, folder / name, **variables, **more))
                   for name, more in (("plain.log", {}), ("secure.log", secure))]
        for server in servers:
            server.wait_until_ready()
        mix = Mix(servers, b"".join(path.read_bytes() for path in certificates[1:]))
        end = time.monotonic() + seconds
        steps = [mix.client(seed) for seed in range(clients)] + [mix.changes(repository, certificates)]
        threads = [threading.Thread(target=mix.repeat, args=(end, step)) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"{clients} clients: {dict(sorted(mix.counts.items()))}", flush=True)
        if len(mix.seen_factors) < 2:
            mix.failures.append("no model was replaced")
        statuses = [server.stop() for server in servers]
        for server in servers:
            log = server.log.read_text(errors="replace")
            if "Sanitizer" in log or "runtime error" in log:
                mix.failures.append(log[-20_000:])
        if mix.failures or any(statuses):
            raise SystemExit("\n".join([f"the servers ended with {statuses}", *mix.failures[:3]]))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else CLIENTS)
