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
        # Statuses of interim answers.
        self.interim = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends all of it, unless the other side has closed: it may have answered already."""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            self.socket.settimeout(self.left())
            self.socket.sendall(data)

    def send_bytewise(self, data):
        """Sends each byte by itself: whatever the pieces, the answers must be the same."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            for index in range(len(data)):
                self.socket.settimeout(self.left())
                self.socket.sendall(data[index:index + 1])

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

    def answer(self, has_body=True):
        """The next final answer, without a body to HEAD; None when the connection ended before its first byte."""
        while True:
            head = self.until(b"\r\n\r\n")
            if head is None:
                return None
            lines = head.decode("latin-1").split("\r\n")
            version, status, *_ = lines[0].split(" ")
            assert version == "HTTP/1.1" and len(status) == 3, lines[0]
            if status.startswith("1"):
                self.interim.append(int(status))
                continue
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                assert name.lower() not in headers, f"{name} twice"
                headers[name.lower()] = value.strip()
            return Answer(
                int(status), headers, self.exactly(int(headers["content-length"])) if has_body else b"")

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
