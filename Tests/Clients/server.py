"""Starts `foldserve serve` on a free port of 127.0.0.1 and stops it."""
import http.client
import json
import os
import selectors
import signal
import ssl
import subprocess
import time

import command

START_SECONDS = 30
READY_SECONDS = 60
STOP_SECONDS = 40
LINE = "listening on "


class Server:
    """A running server. Leaving the `with` block stops it and checks that it ended well."""

    def __init__(self, models, log, *arguments, **variables):
        self.log = log
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(
                [command.FOLDSERVE, "serve", "--models", str(models), "--host", "127.0.0.1", "--port", "0",
                 *map(str, arguments)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                env=command.clean_environment(**variables))
        try:
            self.url = self.read_url()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.host, port = self.url.split("//")[1].rsplit(":", 1)
        self.port = int(port)
        self.is_secure = self.url.startswith("https")

    def read_url(self):
        """The address in the line that the server prints once it listens."""
        deadline, text = time.monotonic() + START_SECONDS, ""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                if not selector.select(deadline - time.monotonic()):
                    continue
                piece = os.read(self.process.stdout.fileno(), 4096).decode()
                text += piece
                for line in text.splitlines(keepends=True):
                    if line.startswith(LINE) and line.endswith("\n"):
                        # What else it says, it says in the same breath.
                        self.said = text
                        return line.removeprefix(LINE).strip()
                if not piece:
                    break
        raise AssertionError(f"the server did not say where it listens; it said {text!r} and logged:\n{self.tail()}")

    @property
    def admin_url(self):
        """The address of the admin listener."""
        return next(line.removeprefix("admin on ") for line in self.said.splitlines() if line.startswith("admin on "))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.stop()
        # A failure inside the block says more than what came after it.
        if kind is None:
            assert status == 0, f"the server ended with {status}; it logged:\n{self.tail()}"

    def stop(self):
        """Sends SIGTERM and returns the exit status, negative for a signal."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, seconds=STOP_SECONDS):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not stop in {seconds} s; it logged:\n{self.tail()}") from None
        finally:
            self.process.stdout.close()

    def tail(self, byte_count=4000):
        return self.log.read_bytes()[-byte_count:].decode("utf-8", "replace")

    def connect(self, timeout_seconds=20):
        if self.is_secure:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout_seconds, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout_seconds)

    def request(self, method, path, body=None, headers=None):
        """One request over a connection of its own: (status, header fields, body)."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def get_json(self, path):
        status, headers, body = self.get(path)
        assert status == 200, f"{path}: {status} {body!r}"
        assert headers["content-type"] == "application/json", path
        return json.loads(body)

    def wait_until_settled(self):
        """Waits until no model is loading any more; returns whether the server is ready."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            status, _, reason = self.get("/v2/health/ready")
            if status == 200:
                return True
            states = [self.get(f"/v2/models/{name}/ready") for name in self.get_json("/v2/models")["models"]]
            # A model is ready with one version while another is loading.
            if b"loading" not in reason and not any(
                    status == 503 and b"loading" in body for status, _, body in states):
                # The last one may have become ready since the first question.
                return self.get("/v2/health/ready")[0] == 200
            time.sleep(0.02)
        raise AssertionError(f"models are still loading after {READY_SECONDS} s; the server logged:\n{self.tail()}")

    def wait_until_ready(self):
        assert self.wait_until_settled(), f"the server is not ready: {self.get('/v2/health/ready')[2]!r}"
        return self
