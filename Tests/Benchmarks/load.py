#!/usr/bin/env python3
"""Loads foldserve, MLServer and a FastAPI server with ONNX Runtime with the same requests, and writes a Markdown table.

    load.py MODELS --foldserve COMMAND [--cases MODEL:FORM:CLIENTS …] [--servers SERVER …] [--rounds 3] [--seconds 5]
            [--json FILE] [--output load-table.md]
    load.py --readme      puts load-table.md's table into README.md
    load.py --check       fails when README.md has another table than load-table.md

MODELS is a repository with `mobilenetv2` and `digits_cnn`, each with one open axis for the items. All servers run at once and
are loaded in turn, in an order that rotates from round to round; server and client share the machine's processors. The client
is h2load over HTTP/1.1, every connection sends its next request when it has its answer. A figure is the median over the
rounds. Answers are compared before anything is timed. The file of --json keeps what was measured, so that a later run with
other --cases adds to it or replaces those. Needs what load-requirements.txt beside this file pins, and nghttp2-client.
"""
import argparse
import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import engine_table
import readme_table

HERE = Path(__file__).resolve().parent
TABLE, README = HERE / "load-table.md", HERE.parents[1] / "README.md"
TABLE_NAME = "load-table"
TITLES = {"foldserve": "foldserve", "mlserver": "MLServer", "fastapi": "FastAPI + ONNX Runtime"}
MODELS, FORMS, CLIENTS = ("mobilenetv2", "digits_cnn"), ("binary", "json"), (1, 4, 16, 64)
HEADER = "Inference-Header-Content-Length"
TOLERANCE = 1e-3
START_SECONDS, WARM_UP_SECONDS = 60, 1
LEGEND = """\
Requests a second and the 99th percentile of their milliseconds, of one item each, by connections that always have one request
under way. The client runs on the same processors as the server. “–”: the server refuses the form, or did not answer
every request. Every server has its own defaults: MLServer runs ONNX Runtime in one worker process, FastAPI in threads of one
process."""


def default_cases():
    return [f"{model}:{form}:{clients}" for model in MODELS for form in FORMS for clients in CLIENTS]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server of all models in a process of its own."""

    def __init__(self, name, models, foldserve, folder):
        self.port = free_port()
        self.log = folder / f"{name}.log"
        commands = {
            "foldserve": [foldserve, "serve", "--models", models, "--host", "127.0.0.1", "--port", self.port,
                          "--log-level", "error"],
            "fastapi": [sys.executable, HERE / "load_fastapi.py", models, self.port],
            "mlserver": [Path(sys.executable).with_name("mlserver"), "start", folder]}
        if name == "mlserver":
            self.configure(models, folder)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in commands[name]], stdout=log, stderr=log, cwd=folder,
                env={**os.environ, "PYTHONPATH": str(HERE)})

    def configure(self, models, folder):
        (folder / "settings.json").write_text(json.dumps({
            "host": "127.0.0.1", "http_port": self.port, "grpc_port": free_port(), "metrics_port": free_port(),
            "debug": False}))
        for model in models.glob("*/1/model.onnx"):
            place = folder / model.parts[-3]
            place.mkdir()
            (place / "model-settings.json").write_text(json.dumps({
                "name": place.name, "implementation": "load_mlserver.ONNXModel", "parameters": {"uri": str(model)}}))

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def wait(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(self.url("/v2/health/ready")) as answer:
                    if answer.status == 200:
                        return
            time.sleep(0.1)
        raise SystemExit(f"a server did not start: {self.log.read_text()[-2000:]}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Request:
    """One item for a model, and what ONNX Runtime answers to it."""

    def __init__(self, model, form, models, folder):
        import numpy
        import onnxruntime
        session = onnxruntime.InferenceSession(models / model / "1/model.onnx", providers=["CPUExecutionProvider"])
        port = session.get_inputs()[0]
        shape = [extent if isinstance(extent, int) else 1 for extent in port.shape]
        tensor = numpy.random.default_rng(0).standard_normal(shape).astype(numpy.float32)
        self.expected = session.run(None, {port.name: tensor})[0].ravel()
        self.path, self.headers = f"/v2/models/{model}/infer", {"content-type": "application/json"}
        described = {"name": port.name, "shape": shape, "datatype": "FP32"}
        if form == "json":
            data = "[" + ",".join(map(str, tensor.ravel())) + "]"
            body = json.dumps({"inputs": [{**described, "data": None}]}).replace("null", data).encode()
        else:
            described["parameters"] = {"binary_data_size": tensor.nbytes}
            head = json.dumps({"inputs": [described], "parameters": {"binary_data_output": True}}).encode()
            self.headers = {"content-type": "application/octet-stream", HEADER: str(len(head))}
            body = head + tensor.tobytes()
        self.file = folder / f"{model}.{form}"
        self.file.write_bytes(body)

    def is_answered(self, server):
        """Whether the server gives the right answer; None where it does not take the request."""
        import numpy
        try:
            request = urllib.request.Request(server.url(self.path), self.file.read_bytes(), self.headers)
            with urllib.request.urlopen(request) as answer:
                body, length = answer.read(), answer.headers.get(HEADER)
        except urllib.error.HTTPError:
            return None
        head = json.loads(body[:int(length)] if length else body)
        data = numpy.frombuffer(body, numpy.float32, offset=int(length)) if length else head["outputs"][0]["data"]
        error = numpy.abs(numpy.array(data) - self.expected).max() / numpy.abs(self.expected).max()
        return bool(error <= TOLERANCE)

    def load(self, server, clients, seconds):
        """Requests a second and the 99th percentile's milliseconds; None when a request failed."""
        with tempfile.NamedTemporaryFile() as log:
            done = subprocess.run(
                ["h2load", "--h1", "-t", "1", "-c", str(clients), "-D", str(seconds), f"--warm-up-time={WARM_UP_SECONDS}",
                 "-d", self.file, f"--log-file={log.name}",
                 *(f"--header={name}: {value}" for name, value in self.headers.items()), server.url(self.path)],
                capture_output=True, text=True, check=True)
            lines = [line.split() for line in Path(log.name).read_text().splitlines()]
        rate = re.search(r"finished in .*?, ([0-9.]+) req/s", done.stdout)
        times = sorted(int(line[2]) for line in lines)
        if not rate or not times or any(line[1] != "200" for line in lines):
            return None
        return float(rate[1]), times[min(len(times) - 1, len(times) * 99 // 100)] / 1000


def measure(case, request, servers, options):
    """For each server throughput and p99, or None."""
    clients = int(case.split(":")[2])
    rounds = {}
    for name, server in servers.items():
        answer = request.is_answered(server)
        if answer is False:
            raise SystemExit(f"{case}: {name} gives another answer")
        if answer:
            rounds[name] = []
    order = list(rounds)
    for index in range(options.rounds):
        for name in order[index % len(order):] + order[:index % len(order)]:
            rounds[name].append(request.load(servers[name], clients, options.seconds))
    row = dict.fromkeys(servers)
    for name, results in rounds.items():
        if all(results):
            row[name] = [statistics.median(values) for values in zip(*results)]
    return row


def cell(result, best):
    if result is None:
        return "–", "–"
    rate, late = result
    texts = f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}", f"{late:.3g}" if late < 1000 else f"{late:.0f}"
    return tuple(f"**{text}**" if value == found else text for text, value, found in zip(texts, result, best))


def line(case, row):
    found = [result for result in row.values() if result]
    best = max(rate for rate, _ in found), min(late for _, late in found)
    cells = [text for name in TITLES for text in cell(row.get(name), best)]
    return "| " + " | ".join([*case.split(":"), *cells]) + " |"


def table(results):
    titles = [text for title in TITLES.values() for text in (f"{title}, req/s", "p99 ms")]
    lines = ["| Model | Form | Clients | " + " | ".join(titles) + " |", "|---|---|---:|" + "---:|" * len(titles)]
    order = {case: index for index, case in enumerate(default_cases())}
    lines += [line(case, results[case]) for case in sorted(results, key=lambda case: (order.get(case, len(order)), case))]
    return "\n".join(lines) + "\n"


def document(results, command):
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    versions = [f"foldserve {version}"] + [
        f"{name} {importlib.metadata.version(name)}" for name in ("mlserver", "fastapi", "uvicorn", "onnxruntime")]
    return "\n\n".join([
        "# How servers stand load", LEGEND, readme_table.marked(TABLE_NAME, table(results)),
        f"Measured on {datetime.date.today()} on {engine_table.machine()}, with " + ", ".join(versions)
        + f", Python {platform.python_version()}; written by `load.py`."]) + "\n"


def main(arguments):
    if arguments in (["--readme"], ["--check"]):
        return readme_table.update(TABLE_NAME, TABLE, README, "load.py", is_check=arguments == ["--check"])
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", type=lambda text: Path(text).resolve())
    parser.add_argument("--foldserve", default="foldserve", metavar="COMMAND")
    parser.add_argument("--cases", nargs="+", metavar="MODEL:FORM:CLIENTS", default=default_cases())
    parser.add_argument("--servers", nargs="+", choices=TITLES, default=list(TITLES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="keeps what was measured")
    parser.add_argument("--output", type=Path, help="the table; without it, standard output")
    options = parser.parse_args(arguments)
    results = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    servers = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name in options.servers:
                place = Path(folder) / name
                place.mkdir()
                servers[name] = Server(name, options.models, options.foldserve, place)
            for server in servers.values():
                server.wait()
            for case in options.cases:
                model, form, _ = case.split(":")
                request = Request(model, form, options.models, Path(folder))
                results[case] = {**results.get(case, {}), **measure(case, request, servers, options)}
                print(line(case, results[case]), file=sys.stderr, flush=True)
                if options.json:
                    options.json.write_text(json.dumps(results, indent=1))
        finally:
            for server in servers.values():
                server.stop()
    text = document(results, options.foldserve)
    if options.output:
        options.output.write_text(text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
