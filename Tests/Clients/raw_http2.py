"""HTTP/2 by hand: any bytes out, and what came back taken apart by hyperframe and hpack."""
import hpack
from hyperframe.frame import Frame

from http2_frames import ACK, GET, MAXIMUM_FRAME_BYTE_COUNT, PING, PREFACE, SETTINGS, frame, headers, settings
from raw_http import Exchange, Incomplete


class Peer(Exchange):
    """A connection whose preface is sent, and what each stream has received."""

    def __init__(self, host, port, seconds, preface=PREFACE + settings()):
        super().__init__(host, port, seconds)
        self.decoder = hpack.Decoder()
        self.fields, self.bodies, self.ended, self.resets = {}, {}, set(), {}
        self.goaway = None
        self.pings, self.settings, self.acknowledged = [], [], 0
        self.window_updates = {}
        self.pieces = []
        self.is_closed = False
        self.send(preface)

    def next(self):
        """The next frame, noted; None at the end of the connection."""
        if len(self.received) < 9 and not self.has(9):
            return None
        head, length = Frame.parse_frame_header(memoryview(self.received[:9]))
        # We never allow more.
        assert length <= MAXIMUM_FRAME_BYTE_COUNT, f"a frame of {length} bytes"
        if not self.has(9 + length):
            raise Incomplete(f"{len(self.received)} of {9 + length} bytes")
        head.parse_body(memoryview(self.received[9:9 + length]))
        self.received = self.received[9 + length:]
        self.note(head)
        return head

    def has(self, count):
        while len(self.received) < count:
            if not self.more():
                self.is_closed = True
                return False
        return True

    def note(self, item):
        stream = item.stream_id
        match item.type:
            case 0:
                self.bodies[stream] = self.bodies.get(stream, b"") + bytes(item.data)
            case 1 | 9:
                self.pieces.append(item.data)
                if "END_HEADERS" in item.flags:
                    fields = self.decoder.decode(b"".join(self.pieces))
                    self.pieces = []
                    self.fields.setdefault(stream, []).append(dict(fields))
            case 3:
                self.resets[stream] = item.error_code
            case 4:
                if "ACK" in item.flags:
                    self.acknowledged += 1
                else:
                    self.settings.append(dict(item.settings))
            case 6:
                if "ACK" in item.flags:
                    self.pings.append(item.opaque_data)
            case 7:
                self.goaway = item
            case 8:
                self.window_updates[stream] = self.window_updates.get(stream, 0) + item.window_increment
        if item.type in (0, 1) and "END_STREAM" in item.flags:
            self.ended.add(stream)

    def read_until(self, condition):
        """Reads frames until the condition holds; returns whether it does before the connection ends."""
        while not condition():
            if self.next() is None:
                return False
        return True

    def ping(self, data):
        """Everything before it has been read when it comes back; False when the connection ended instead."""
        self.send(frame(PING, 0, 0, data))
        return self.read_until(lambda: data in self.pings)

    def take_settings(self):
        """Waits for the server's settings and acknowledges them: from then on both go by them."""
        assert self.read_until(lambda: self.settings)
        self.send(frame(SETTINGS, ACK, 0))
        return self.settings[0]

    def finish(self):
        """Reads to the end of the connection."""
        while self.next() is not None:
            pass

    def status(self, stream):
        """That of the final answer."""
        found = [fields[":status"] for fields in self.fields.get(stream, []) if ":status" in fields]
        found = [status for status in found if not status.startswith("1")]
        return int(found[0]) if found else None

    def get(self, stream, *fields):
        """A good request, and its answer's status; None when the stream or the connection ended without."""
        self.send(headers(stream, *(fields or GET)))
        self.read_until(lambda: stream in self.ended or stream in self.resets)
        return self.status(stream)
