"""HTTP/1.1 by hand: bytes out, and what came back taken apart strictly."""
import contextlib
import socket
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes


class Incomplete(Exception):
    """The connection ended within an answer."""


class Exchange:
    """One connection. Every wait ends at `deadline`."""

    def __init__(self, host, port, seconds):
        self.deadline = time.monotonic() + seconds
        self.socket = socket.create_connection((host, port), seconds)
        self.received = b""
        self.was_reset = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends all of it, unless the other side has closed: it may have answered already."""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            self.socket.settimeout(self.left())
            self.socket.sendall(data)

    def end(self):
        """Says that nothing more will come."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"nothing happened; received so far: {self.received[:500]!r}")
        return left

    def more(self):
        """Receives a piece; False at the end of the connection."""
        self.socket.settimeout(self.left())
        try:
            piece = self.socket.recv(1 << 16)
        except ConnectionResetError:
            self.was_reset = True
            piece = b""
        self.received += piece
        return bool(piece)

    def answer(self):
        """The next final answer; None when the connection ended before its first byte."""
        while True:
            head = self.until(b"\r\n\r\n")
            if head is None:
                return None
            lines = head.decode("latin-1").split("\r\n")
            version, status, *_ = lines[0].split(" ")
            assert version == "HTTP/1.1" and len(status) == 3, lines[0]
            if status.startswith("1"):
                continue
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                assert name.lower() not in headers, f"{name} twice"
                headers[name.lower()] = value.strip()
            return Answer(int(status), headers, self.exactly(int(headers["content-length"])))

    def until(self, mark):
        while mark not in self.received:
            if not self.more():
                if self.received:
                    raise Incomplete(repr(self.received[:500]))
                return None
        head, self.received = self.received.split(mark, 1)
        return head

    def exactly(self, count):
        while len(self.received) < count:
            if not self.more():
                raise Incomplete(f"{len(self.received)} of {count} bytes")
        body, self.received = self.received[:count], self.received[count:]
        return body

    def is_at_end(self):
        """Waits for the other side to close; whatever else it sends is an error."""
        while self.more():
            pass
        return not self.received
