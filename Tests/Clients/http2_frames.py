"""HTTP/2 frames and field blocks of any shape, as bytes. RFC 9113 §4, RFC 7541."""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, HAS_PRIORITY = 0x4, 0x8, 0x20
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = (
    range(1, 7))
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = range(4)
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = range(5, 10)
ENHANCE_YOUR_CALM = 11
MAXIMUM_FRAME_BYTE_COUNT = 1 << 14


def frame(kind, flags, stream, payload=b"", length=None):
    count = len(payload) if length is None else length
    return count.to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(key.to_bytes(2) + value.to_bytes(4) for key, value in pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4))


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, code.to_bytes(4))


def literal(name, value=b"", prefix=b"\x00"):
    """RFC 7541 §6.2.2: a field in plain letters that enters no table, whatever its bytes."""
    return prefix + hpack_integer(len(name), 7) + name + hpack_integer(len(value), 7) + value


def block(*fields):
    return b"".join(literal(name, value) for name, value in fields)


def hpack_integer(value, bits, first=0):
    """RFC 7541 §5.1."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    result, value = bytearray([first | limit]), value - limit
    while value >= 128:
        result.append(value % 128 + 128)
        value //= 128
    return bytes(result + bytes([value]))


GET = ((b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/v2/health/live"), (b":authority", b"h"))
LIVE = b'{"live":true}'


def headers(stream, *fields, flags=END_STREAM | END_HEADERS):
    return frame(HEADERS, flags, stream, block(*fields))
