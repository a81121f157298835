#!/usr/bin/env python3
"""Asks foldserve for several times what it can compute, and fails unless the overload is answered well.

    overload.py MODEL.onnx --foldserve COMMAND [--times 5] [--seconds 60] [--clients 64]

Measured one after another: the 99th percentile of one client alone, what 16 clients get through, and then so many times that
at a fixed rate. Passes when the 99th percentile of the answered requests is at most four times the one alone, that of the
refusals is below it, every other answer is 503 with Retry-After, the server answers about as many requests as before, its
memory stays flat, and health and metrics answer meanwhile. Prefer a model that computes much for the bytes that it reads: every
refused body is still received. Needs numpy, onnx and h2load (Debian's nghttp2-client).
"""
import argparse
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random

import numpy
import onnx

HEADER = "Inference-Header-Content-Length"
PORT, PATH = 18_090, "/v2/models/model/infer"
LATENCY_FACTOR, THROUGHPUT_SHARE, MEMORY_GROWTH = 4, 0.7, 0.05
WARM_UP_SECONDS = 3
# The wait that is let in, in terms of a request alone: with its own run and the batch before it four such times.
WAIT_SHARE = 1.0


class Server:
    def __init__(self, command, model, folder, **variables):
        place = Path(folder) / "models/model/1"
        if not place.exists():
            place.mkdir(parents=True)
            shutil.copy(model, place / "model.onnx")
        self.process = subprocess.Popen(
            [command, "serve", "--models", str(Path(folder) / "models"), "--host", "127.0.0.1", "--port", str(PORT),
             "--log-level", "error"], env={**os.environ, **variables}, stdout=subprocess.DEVNULL)
        while self.get("/v2/health/ready") != 200:
            if self.process.poll() is not None:
                raise SystemExit("foldserve ended")
            time.sleep(0.05)

    def get(self, path):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None

    def megabytes(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 1e6

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def write_request(model, folder):
    """The file with one item's request, and its header field."""
    graph = onnx.load(model, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    port = next(port for port in graph.input if port.name not in weights)
    shape = [dimension.dim_value or 1 for dimension in port.type.tensor_type.shape.dim]
    tensor = numpy.random.default_rng(0).standard_normal(shape).astype(numpy.float32)
    head = json.dumps({
        "inputs": [{"name": port.name, "shape": shape, "datatype": "FP32",
                    "parameters": {"binary_data_size": tensor.nbytes}}],
        "parameters": {"binary_data_output": True}}).encode()
    file = Path(folder) / "request"
    file.write_bytes(head + tensor.tobytes())
    return file, f"{HEADER}: {len(head)}"


def load(request, clients, seconds):
    """By clients that always have a request under way: the milliseconds of the answers, ascending, and answers a second."""
    file, header = request
    with tempfile.NamedTemporaryFile() as log:
        done = subprocess.run(
            ["h2load", "--h1", "-t", "1", "-c", str(clients), "-D", str(seconds), "--warm-up-time=1", "-d", file, "-H", header,
             f"--log-file={log.name}", f"http://127.0.0.1:{PORT}{PATH}"], capture_output=True, text=True, check=True)
        lines = [line.split() for line in Path(log.name).read_text().splitlines()]
    if any(line[1] != "200" for line in lines):
        raise SystemExit("a request failed without any overload")
    rate = re.search(r"finished in .*?, ([0-9.]+) req/s", done.stdout)
    return sorted(int(line[2]) / 1000 for line in lines), float(rate[1])


def offer(request, clients, seconds, rate):
    """Requests that come when they come, at a mean rate: the milliseconds of the answers by status, ascending.

    h2load's clients would all send at the same moments.
    """
    file, header = request
    body, fields = file.read_bytes(), dict([header.split(": ")])
    random = Random(0)
    due, moment = [], 0.0
    while moment < seconds:
        due.append(moment)
        moment += random.expovariate(rate)
    waiting, lock, found = iter(due), threading.Lock(), {}
    start = time.monotonic()

    def run():
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        while True:
            with lock:
                moment = next(waiting, None)
            if moment is None:
                return connection.close()
            time.sleep(max(0, start + moment - time.monotonic()))
            sent = time.monotonic()
            connection.request("POST", PATH, body, fields)
            response = connection.getresponse()
            response.read()
            status = response.status
            if status == 503 and not response.headers["retry-after"]:
                status = "503 without Retry-After"
            with lock:
                found.setdefault(status, []).append((time.monotonic() - sent) * 1000)
    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {status: sorted(times) for status, times in found.items()}


def late(times):
    return times[min(len(times) - 1, len(times) * 99 // 100)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--foldserve", default="foldserve", metavar="COMMAND")
    parser.add_argument("--times", type=float, default=5)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        request = write_request(options.model, folder)
        probe_seconds = max(3, options.seconds // 10)
        server = Server(options.foldserve, options.model, folder)
        alone, _ = load(request, 1, probe_seconds)
        _, capacity = load(request, 16, probe_seconds)
        server.stop()
        middle = alone[len(alone) // 2]
        print(f"alone: {middle:.1f} ms, 99 % within {late(alone):.1f} ms; 16 clients: {capacity:.1f} requests/s", flush=True)
        wait = middle * WAIT_SHARE / 1000
        server = Server(options.foldserve, options.model, folder, FOLDSERVE_MAXIMUM_WAIT_SECONDS=f"{wait:.6f}")
        offer(request, options.clients, WARM_UP_SECONDS, capacity * options.times)
        memory, slowest, isDone = [], [0.0], threading.Event()

        def watch():
            while not isDone.wait(0.5):
                memory.append(server.megabytes())
                start = time.monotonic()
                if (server.get("/v2/health/ready"), server.get("/metrics")) != (200, 200):
                    slowest[0] = float("inf")
                slowest[0] = max(slowest[0], (time.monotonic() - start) * 500)
        watcher = threading.Thread(target=watch)
        watcher.start()
        found = offer(request, options.clients, options.seconds, capacity * options.times)
        isDone.set()
        watcher.join()
        server.stop()
    answered, refused = found.pop(200, [float("inf")]), found.pop(503, [float("inf")])
    half = len(memory) // 2
    growth = max(memory[half:]) / max(memory[:half]) - 1
    offered = (len(answered) + len(refused)) / options.seconds
    print(f"offered: {offered:.0f}/s, {offered / capacity:.1f} times; answered: {len(answered) / options.seconds:.1f}/s, "
          f"99 % within {late(answered):.1f} ms ({late(answered) / late(alone):.1f} times); refused: "
          f"{len(refused) / options.seconds:.0f}/s, 99 % within {late(refused):.1f} ms; health and metrics within "
          f"{slowest[0]:.0f} ms; memory {max(memory):.0f} MB, {growth:+.1%}")
    failures = [what for what, isWrong in [
        ("answered too late", late(answered) > LATENCY_FACTOR * late(alone)),
        ("refused too late", late(refused) > late(alone)),
        ("too few answers", len(answered) / options.seconds < THROUGHPUT_SHARE * capacity),
        (f"other answers: {list(found)}", bool(found)),
        ("memory grows", growth > MEMORY_GROWTH),
        ("health or metrics were kept waiting", slowest[0] > 1000)] if isWrong]
    print("; ".join(failures) or "passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
