#!/usr/bin/env python3
"""Processor time of a small GET: foldserve beside h2o over HTTP/1.1 and beside nghttpd over HTTP/2.

    small_get.py FOLDSERVE [--requests N] [--rounds N] [--limit RATIO]

Each server answers the same 13 bytes to h2load (nghttp2-client) with one thread, one after the other in each round, all in
one run; what is compared is user and system time of the server's processes divided by the requests, the median over the
rounds. The exit status is 1 when foldserve takes more than RATIO (1.3) times the other's. Debian: h2o, nghttp2-server,
nghttp2-client.
"""
import argparse
import contextlib
import os
import re
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

BODY = b'{"live":true}'
TARGET = "/v2/health/live"
START_SECONDS = 30
RUN_SECONDS = 300
# HTTP/1.1: one request at a time on each of 32 connections; HTTP/2: 32 streams at a time on each of 4.
LOADS = {"HTTP/1.1": ["--h1", "-c", "32", "-m", "1"], "HTTP/2": ["-c", "4", "-m", "32"]}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def foldserve(binary, folder, port):
    (folder / "models").mkdir(exist_ok=True)
    return [binary, "serve", "--models", folder / "models", "--host", "127.0.0.1", "--port", str(port)]


def h2o(folder, port):
    """h2o gives a file; no log, one thread, as many worker processes as foldserve has loops."""
    (folder / "h2o.conf").write_text(f"""
num-threads: 1
listen: {{ host: 127.0.0.1, port: {port} }}
hosts: {{ default: {{ paths: {{ /: {{ file.dir: {folder / "www"} }} }} }} }}
file.mime.setdefaulttype: application/json
""" + (f"user: {os.environ.get('USER', 'root')}\n" if os.geteuid() == 0 else ""))
    return ["h2o", "-c", folder / "h2o.conf"]


def nghttpd(folder, port):
    return ["nghttpd", "--no-tls", "-n", "1", "--address", "127.0.0.1", "-d", folder / "www", str(port)]


@contextlib.contextmanager
def running(command, port):
    process = subprocess.Popen(
        list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} does not listen")
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait()


def processes(root):
    """`root` and its descendants."""
    children = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, pending = [], [root]
    while pending:
        found.append(pending.pop())
        pending += children.get(found[-1], [])
    return found


def cpu_seconds(root):
    ticks = 0
    for process in processes(root):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def load(port, arguments, requests):
    completed = subprocess.run(
        ["h2load", "-t", "1", "-n", str(requests), *arguments, f"http://127.0.0.1:{port}{TARGET}"],
        capture_output=True, text=True, timeout=RUN_SECONDS)
    succeeded = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", completed.stdout)
    assert succeeded and int(succeeded[1]) == requests, completed.stdout + completed.stderr


def microseconds(command, port, arguments, requests):
    """Of one request."""
    with running(command, port) as process:
        load(port, arguments, requests // 20)
        before = cpu_seconds(process.pid)
        load(port, arguments, requests)
        return (cpu_seconds(process.pid) - before) / requests * 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("foldserve")
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.3)
    options = parser.parse_args()
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        file = folder / "www" / TARGET[1:]
        file.parent.mkdir(parents=True)
        file.write_bytes(BODY)
        folder.chmod(0o755)
        for protocol, other in (("HTTP/1.1", h2o), ("HTTP/2", nghttpd)):
            figures = {"foldserve": [], other.__name__: []}
            for _ in range(options.rounds):
                for name, make in (("foldserve", lambda *rest: foldserve(options.foldserve, *rest)),
                                   (other.__name__, other)):
                    port = free_port()
                    figures[name].append(
                        microseconds(make(folder, port), port, LOADS[protocol], options.requests))
            ours, theirs = (statistics.median(values) for values in figures.values())
            shown = ", ".join(f"{name} {' '.join(f'{value:.2f}' for value in values)}" for name, values in figures.items())
            print(f"{protocol}: {ours / theirs:.2f} × {other.__name__} ({shown} µs a request)", flush=True)
            if ours > options.limit * theirs:
                status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
