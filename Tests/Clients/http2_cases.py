"""HTTP/2 as RFC 9113 and RFC 7541 forbid and allow it: {name: Case}."""
from dataclasses import dataclass

from http2_frames import (
    ACK, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GET, GOAWAY, HAS_PRIORITY, HEADER_TABLE_SIZE, HEADERS, INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE, PADDED, PING, PREFACE, PRIORITY, PROTOCOL_ERROR,
    PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, block, frame, headers,
    hpack_integer, literal, reset, settings, window_update)

CONNECTION, STREAM, ANSWER, NOTHING = "connection", "stream", "answer", "nothing"


@dataclass(frozen=True)
class Case:
    section: str
    content: bytes
    # CONNECTION: GOAWAY with one of `codes`, and the end. STREAM: RST_STREAM of stream 1 with one of `codes`, or an
    # answer with one of `statuses`, and the connection goes on; a server may make every stream error one of the
    # connection (§5.4.1). ANSWER: stream 1 is answered with one of `statuses`. NOTHING: the connection goes on.
    outcome: str
    codes: tuple = ()
    statuses: tuple = ()
    # What is sent at the very beginning; None: the preface and empty settings.
    preface: bytes | None = None


PATH = b"/v2/models/cancer_mlp/infer"
POST = ((b":method", b"POST"), (b":scheme", b"http"), (b":path", PATH), (b":authority", b"h"))


def connection(section, content, *codes, preface=None):
    return Case(section, content, CONNECTION, codes, preface=preface)


def stream(section, content, *codes, statuses=()):
    return Case(section, content, STREAM, codes, statuses)


def malformed(section, content, *statuses):
    """§8.1.1: a stream error PROTOCOL_ERROR, before which a server may answer with 400."""
    return Case(section, content, STREAM, (PROTOCOL_ERROR,), (400, *statuses))


def answer(section, content, *statuses, preface=None):
    return Case(section, content, ANSWER, (), statuses or (200,), preface)


def nothing(section, content, preface=None):
    return Case(section, content, NOTHING, preface=preface)


def request(*fields, without=(), first=(), method=GET):
    """GET with more fields, or with fewer."""
    return headers(1, *first, *[pair for pair in method if pair[0] not in without], *fields)


def path(value):
    return request((b":path", value), without=(b":path",))


def raw(payload, flags=END_STREAM | END_HEADERS):
    return frame(HEADERS, flags, 1, payload)


OPEN = headers(1, *POST, flags=END_HEADERS)
# Stream 1 has been answered when a later request has: the tests that need it closed wait for it instead.
DONE = headers(1, *GET)
GOOD = block(*GET)
HALF = len(GOOD) // 2

CASES = {
    # §3.4: the preface.
    "preface-without-settings": connection("3.4", frame(PING, 0, 0, bytes(8)), PROTOCOL_ERROR, preface=PREFACE),
    "preface-then-headers": connection("3.4", DONE, PROTOCOL_ERROR, preface=PREFACE),
    "preface-then-acknowledgement": connection("3.4", frame(SETTINGS, ACK, 0), PROTOCOL_ERROR, preface=PREFACE),
    "preface-then-text": connection(
        "3.4", b"GET / HTTP/1.1\r\nhost: h\r\n\r\n", PROTOCOL_ERROR, FRAME_SIZE_ERROR, preface=PREFACE),
    "preface-then-garbage": connection("3.4", b"\xff" * 200, PROTOCOL_ERROR, FRAME_SIZE_ERROR, preface=PREFACE),
    "preface-with-settings": answer(
        "3.4", DONE, preface=PREFACE + settings((MAX_CONCURRENT_STREAMS, 1), (INITIAL_WINDOW_SIZE, 1 << 20))),

    # §4.1: frames.
    "frame-of-unknown-type": nothing("4.1", frame(0xBB, 0xFF, 1, b"x" * 100) + frame(0xFE, 0, 0)),
    "frame-flags-undefined": answer("4.1", frame(HEADERS, END_STREAM | END_HEADERS | 0xD2 & ~HAS_PRIORITY, 1, GOOD)),
    "frame-reserved-bit": answer("4.1", frame(HEADERS, END_STREAM | END_HEADERS, 0x8000_0001, GOOD)),
    "ping-flags-undefined": nothing("4.1", frame(PING, 0xFE, 0, b"flagged!")),

    # §4.2: sizes.
    "size-data-at-the-bound": answer("4.2", OPEN + frame(DATA, END_STREAM, 1, b"[" * (1 << 14)), 400),
    "size-data": connection("4.2", OPEN + frame(DATA, 0, 1, bytes((1 << 14) + 1)), FRAME_SIZE_ERROR),
    "size-headers": connection("4.2", frame(HEADERS, 5, 1, bytes((1 << 14) + 1)), FRAME_SIZE_ERROR),
    "size-unknown": connection("4.2", frame(0xBB, 0, 1, bytes((1 << 14) + 1)), FRAME_SIZE_ERROR),
    "size-of-16-mebibytes": connection(
        "4.2", OPEN + frame(DATA, 0, 1, b"", 0xFF_FFFF), FRAME_SIZE_ERROR),
    "size-ping-7": connection("6.7", frame(PING, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    "size-ping-9": connection("6.7", frame(PING, 0, 0, bytes(9)), FRAME_SIZE_ERROR),
    "size-ping-0": connection("6.7", frame(PING, 0, 0), FRAME_SIZE_ERROR),
    "size-priority-4": stream("6.3", OPEN + frame(PRIORITY, 0, 1, bytes(4)), FRAME_SIZE_ERROR),
    "size-priority-6": stream("6.3", OPEN + frame(PRIORITY, 0, 1, bytes(6)), FRAME_SIZE_ERROR),
    "size-reset-3": connection("6.4", OPEN + frame(RST_STREAM, 0, 1, bytes(3)), FRAME_SIZE_ERROR),
    "size-reset-5": connection("6.4", OPEN + frame(RST_STREAM, 0, 1, bytes(5)), FRAME_SIZE_ERROR),
    "size-settings-5": connection("6.5", frame(SETTINGS, 0, 0, bytes(5)), FRAME_SIZE_ERROR),
    "size-settings-7": connection("6.5", frame(SETTINGS, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    "size-acknowledgement": connection("6.5", frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE_ERROR),
    "size-goaway-7": connection("6.8", frame(GOAWAY, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    "size-window-update-3": connection("6.9", frame(WINDOW_UPDATE, 0, 0, bytes(3)), FRAME_SIZE_ERROR),
    "size-window-update-5": connection("6.9", frame(WINDOW_UPDATE, 0, 0, bytes(5)), FRAME_SIZE_ERROR),
    "size-window-update-of-a-stream": connection(
        "6.9", OPEN + frame(WINDOW_UPDATE, 0, 1, bytes(5)), FRAME_SIZE_ERROR),
    "size-headers-without-their-priority": connection(
        "6.2", frame(HEADERS, 5 | HAS_PRIORITY, 1, bytes(4)), FRAME_SIZE_ERROR, PROTOCOL_ERROR),

    # §4.3 and RFC 7541: field blocks.
    "hpack-index-0": connection("4.3", raw(b"\x80"), COMPRESSION_ERROR),
    "hpack-index-62": connection("4.3", raw(GOOD + b"\xbe"), COMPRESSION_ERROR),
    "hpack-index-huge": connection("4.3", raw(GOOD + hpack_integer(1 << 30, 7, 0x80)), COMPRESSION_ERROR),
    "hpack-index-overflows": connection("4.3", raw(GOOD + b"\xff" + b"\xff" * 20 + b"\x01"), COMPRESSION_ERROR),
    "hpack-index-endless": connection("4.3", raw(GOOD + b"\xff" + b"\x80" * 200), COMPRESSION_ERROR),
    "hpack-name-index-of-none": connection("4.3", raw(GOOD + b"\x7f\x00\x01x"), COMPRESSION_ERROR),
    "hpack-literal-cut": connection("4.3", raw(GOOD + b"\x00\x05ab"), COMPRESSION_ERROR),
    "hpack-literal-cut-in-its-value": connection("4.3", raw(GOOD + b"\x00\x01a\x05b"), COMPRESSION_ERROR),
    "hpack-literal-without-a-value": connection("4.3", raw(GOOD + b"\x00\x01a"), COMPRESSION_ERROR),
    "hpack-literal-of-gibibytes": connection(
        "4.3", raw(GOOD + b"\x00" + hpack_integer(1 << 31, 7)), COMPRESSION_ERROR),
    "hpack-integer-cut": connection("4.3", raw(GOOD + b"\xff\xff"), COMPRESSION_ERROR),
    "hpack-huffman-padding-of-zeros": connection(
        "4.3", raw(GOOD + b"\x00\x81\x18\x01a"), COMPRESSION_ERROR),
    "hpack-huffman-padding-of-8-bits": connection(
        "4.3", raw(GOOD + b"\x00\x82\x1f\xff\x01a"), COMPRESSION_ERROR),
    "hpack-huffman-end-of-string": connection(
        "4.3", raw(GOOD + b"\x00\x84\xff\xff\xff\xff\x01a"), COMPRESSION_ERROR),
    "hpack-table-too-large": connection("4.3", raw(b"\x3f\xe2\x1f" + GOOD), COMPRESSION_ERROR),
    "hpack-table-huge": connection("4.3", raw(hpack_integer(1 << 30, 5, 0x20) + GOOD), COMPRESSION_ERROR),
    "hpack-table-size-at-the-bound": answer("4.3", raw(b"\x3f\xe1\x1f" + GOOD)),
    "hpack-table-size-0": answer("4.3", raw(b"\x20" + GOOD)),
    "hpack-table-size-twice": answer("4.3", raw(b"\x20\x3f\xe1\x1f" + GOOD)),
    "hpack-table-size-behind-a-field": connection("4.3", raw(GOOD + b"\x20"), COMPRESSION_ERROR),
    "hpack-evicted-entry": connection(
        "4.3", raw(GOOD + literal(b"x", b"a" * 5000, b"\x40") + b"\xbe"), COMPRESSION_ERROR),
    "hpack-entry-used": answer("4.3", raw(GOOD + literal(b"x", b"a", b"\x40") + b"\xbe\xbe")),
    "hpack-never-indexed": answer("4.3", raw(GOOD + literal(b"x", b"a", b"\x10"))),
    "hpack-huffman": answer("4.3", raw(GOOD + b"\x00\x82\x1c\x7f\x01a"), 200, 400),
    "hpack-nothing": malformed("8.3.1", raw(b"")),

    # §5.1: states and numbers of streams.
    "idle-data": connection("5.1", frame(DATA, END_STREAM, 1, b"x"), PROTOCOL_ERROR),
    "idle-reset": connection("5.1", reset(1), PROTOCOL_ERROR),
    "idle-window-update": connection("5.1", window_update(1, 1), PROTOCOL_ERROR),
    "idle-continuation": connection("5.1", frame(CONTINUATION, END_HEADERS, 1, GOOD), PROTOCOL_ERROR),
    "idle-priority": nothing("5.1", frame(PRIORITY, 0, 9, bytes(5))),
    "idle-even-window-update": connection("5.1", window_update(2, 1), PROTOCOL_ERROR),
    "half-closed-data": stream(
        "5.1", headers(1, *POST) + frame(DATA, END_STREAM, 1, b"x"), STREAM_CLOSED, statuses=(400, 200)),
    "half-closed-headers": stream(
        "5.1", headers(1, *POST) + headers(1, *GET), STREAM_CLOSED, PROTOCOL_ERROR, statuses=(400, 200)),
    "half-closed-continuation": connection(
        "5.1", DONE + frame(CONTINUATION, END_HEADERS, 1, GOOD), PROTOCOL_ERROR),
    "half-closed-window-update": answer("5.1", DONE + window_update(1, 100)),
    "reset-then-data": stream("5.1", OPEN + reset(1) + frame(DATA, END_STREAM, 1, b"x"), STREAM_CLOSED, None),
    "reset-then-headers": stream(
        "5.1", OPEN + reset(1) + headers(1, *GET), STREAM_CLOSED, PROTOCOL_ERROR, None),
    "reset-then-continuation": connection(
        "5.1", OPEN + reset(1) + frame(CONTINUATION, END_HEADERS, 1, GOOD), PROTOCOL_ERROR, STREAM_CLOSED),
    "reset-then-reset": nothing("5.1", OPEN + reset(1) + reset(1)),
    "reset-then-window-update": nothing("5.1", OPEN + reset(1) + window_update(1, 1)),
    "reset-then-priority": nothing("5.1", OPEN + reset(1) + frame(PRIORITY, 0, 1, bytes(5))),
    "number-even": connection("5.1.1", headers(2, *GET), PROTOCOL_ERROR),
    # It may be the trailers of a stream that we have reset: read away, as nghttp2 does, or an error of the connection.
    "number-lower": connection(
        "5.1.1", headers(5, *GET) + headers(3, *GET), PROTOCOL_ERROR, STREAM_CLOSED, None),
    "number-0-headers": connection("6.2", headers(0, *GET), PROTOCOL_ERROR),
    "number-0-data": connection("6.1", frame(DATA, 0, 0, b"x"), PROTOCOL_ERROR),
    "number-0-priority": connection("6.3", frame(PRIORITY, 0, 0, bytes(5)), PROTOCOL_ERROR),
    "number-0-reset": connection("6.4", reset(0), PROTOCOL_ERROR),
    "number-0-continuation": connection("6.10", frame(CONTINUATION, 4, 0, GOOD), PROTOCOL_ERROR),
    "number-1-settings": connection("6.5", frame(SETTINGS, 0, 1), PROTOCOL_ERROR),
    "number-1-ping": connection("6.7", frame(PING, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "number-1-goaway": connection("6.8", frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL_ERROR),

    # §5.3 (of RFC 7540, deprecated): a stream that depends on itself; either way.
    "priority-on-itself": stream(
        "5.3", OPEN + frame(PRIORITY, 0, 1, b"\0\0\0\1\0"), PROTOCOL_ERROR, None),
    "priority-exclusive": nothing("5.3", frame(PRIORITY, 0, 1, b"\x80\0\0\0\xff")),
    "priority-in-headers": answer("6.2", frame(HEADERS, 5 | HAS_PRIORITY, 1, b"\0\0\0\0\x10" + GOOD)),

    # §6.1, §6.2: padding.
    "padding-of-data": answer(
        "6.1", OPEN + frame(DATA, END_STREAM | PADDED, 1, b"\x03{}x" + bytes(3)), 400),
    "padding-of-data-alone": answer(
        "6.1", OPEN + frame(DATA, END_STREAM | PADDED, 1, b"\xff" + bytes(255)), 400),
    "padding-of-data-too-long": connection(
        "6.1", OPEN + frame(DATA, END_STREAM | PADDED, 1, b"\x05{}x"), PROTOCOL_ERROR),
    "padding-of-data-as-long-as-the-frame": connection(
        "6.1", OPEN + frame(DATA, END_STREAM | PADDED, 1, b"\x04{}x"), PROTOCOL_ERROR),
    "padding-of-data-without-its-length": connection(
        "6.1", OPEN + frame(DATA, END_STREAM | PADDED, 1), FRAME_SIZE_ERROR, PROTOCOL_ERROR),
    "padding-of-headers": answer("6.2", frame(HEADERS, 5 | PADDED, 1, b"\x07" + GOOD + bytes(7))),
    "padding-of-headers-too-long": connection(
        "6.2", frame(HEADERS, 5 | PADDED, 1, b"\xff" + GOOD), PROTOCOL_ERROR),
    "padding-of-headers-without-its-length": connection(
        "6.2", frame(HEADERS, 5 | PADDED, 1), FRAME_SIZE_ERROR, PROTOCOL_ERROR),

    # §6.5: settings.
    "settings-push-2": connection("6.5.2", settings((ENABLE_PUSH, 2)), PROTOCOL_ERROR),
    "settings-push-huge": connection("6.5.2", settings((ENABLE_PUSH, 0xFFFF_FFFF)), PROTOCOL_ERROR),
    "settings-window-too-large": connection(
        "6.5.2", settings((INITIAL_WINDOW_SIZE, 1 << 31)), FLOW_CONTROL_ERROR),
    "settings-window-largest": answer("6.5.2", settings((INITIAL_WINDOW_SIZE, (1 << 31) - 1)) + DONE),
    "settings-frame-size-too-small": connection(
        "6.5.2", settings((MAX_FRAME_SIZE, (1 << 14) - 1)), PROTOCOL_ERROR),
    "settings-frame-size-0": connection("6.5.2", settings((MAX_FRAME_SIZE, 0)), PROTOCOL_ERROR),
    "settings-frame-size-too-large": connection("6.5.2", settings((MAX_FRAME_SIZE, 1 << 24)), PROTOCOL_ERROR),
    "settings-frame-size-largest": answer("6.5.2", settings((MAX_FRAME_SIZE, (1 << 24) - 1)) + DONE),
    "settings-unknown": answer("6.5.2", settings((0xABCD, 7), (0, 0), (0xFFFF, 0xFFFF_FFFF)) + DONE),
    "settings-zeros": answer(
        "6.5.2", settings((HEADER_TABLE_SIZE, 0), (ENABLE_PUSH, 0), (MAX_CONCURRENT_STREAMS, 0)) + DONE),
    "settings-header-table-huge": answer("6.5.2", settings((HEADER_TABLE_SIZE, 0xFFFF_FFFF)) + DONE),
    "settings-last-value-counts": answer(
        "6.5.3", settings((INITIAL_WINDOW_SIZE, 0), (INITIAL_WINDOW_SIZE, 1000)) + DONE),
    "settings-acknowledged-too-often": Case(
        "6.5.3", frame(SETTINGS, ACK, 0) * 3, CONNECTION, (PROTOCOL_ERROR, None)),

    # §6.6 and §8.4.
    "push-promise": connection("8.4", frame(PUSH_PROMISE, END_HEADERS, 1, bytes(3) + b"\2" + GOOD), PROTOCOL_ERROR),
    "push-promise-on-an-open-stream": connection(
        "8.4", OPEN + frame(PUSH_PROMISE, END_HEADERS, 1, bytes(3) + b"\2" + GOOD), PROTOCOL_ERROR),

    # §6.7, §6.8.
    "ping-acknowledgement-unasked": nothing("6.7", frame(PING, ACK, 0, b"12345678")),
    "goaway-then-request": answer("6.8", DONE + frame(GOAWAY, 0, 0, bytes(8) + b"debug")),
    "goaway-unknown-code": answer("7", DONE + frame(GOAWAY, 0, 0, bytes(4) + b"\xff\xff\xff\xff")),
    "reset-unknown-code": nothing("7", OPEN + reset(1, 0xFFFF_FFFF)),

    # §6.9: flow control.
    "window-0-of-the-connection": connection("6.9", window_update(0, 0), PROTOCOL_ERROR),
    "window-0-of-a-stream": stream("6.9", OPEN + window_update(1, 0), PROTOCOL_ERROR),
    "window-reserved-bit": nothing("6.9", window_update(0, 0x8000_0001)),
    "window-overflows": connection("6.9.1", window_update(0, (1 << 31) - 1), FLOW_CONTROL_ERROR),
    "window-overflows-in-steps": connection("6.9.1", window_update(0, 1 << 30) * 2, FLOW_CONTROL_ERROR),
    "window-at-its-largest": nothing("6.9.1", window_update(0, (1 << 31) - 1 - 65_535)),
    "window-of-a-stream-overflows": stream("6.9.1", OPEN + window_update(1, (1 << 31) - 1), FLOW_CONTROL_ERROR),
    "window-of-a-stream-at-its-largest": answer(
        "6.9.1", OPEN + window_update(1, (1 << 31) - 1 - 65_535) + frame(DATA, END_STREAM, 1), 400),
    # The RFC demands an error of the connection; nghttp2 resets each stream that it concerns.
    "window-overflows-by-settings": stream(
        "6.9.2", OPEN + window_update(1, (1 << 31) - 1 - 65_535) + settings((INITIAL_WINDOW_SIZE, 65_536)),
        FLOW_CONTROL_ERROR),

    # §6.10 and §5.5: a field block is of a piece.
    "continuation": answer(
        "6.10", frame(HEADERS, END_STREAM, 1, GOOD[:HALF]) + frame(CONTINUATION, END_HEADERS, 1, GOOD[HALF:])),
    "continuation-of-nothing": answer(
        "6.10", frame(HEADERS, END_STREAM, 1) + frame(CONTINUATION, 0, 1) + frame(CONTINUATION, END_HEADERS, 1, GOOD)),
    "continuations-of-a-few-bytes": answer(
        "6.10", frame(HEADERS, END_STREAM, 1, GOOD[:-7]) + b"".join(
            frame(CONTINUATION, END_HEADERS if index == 6 else 0, 1, GOOD[len(GOOD) - 7 + index:][:1])
            for index in range(7))),
    "continuation-alone": connection("6.10", frame(CONTINUATION, END_HEADERS, 1, GOOD), PROTOCOL_ERROR),
    "continuation-behind-the-end": connection(
        "6.10", DONE + frame(CONTINUATION, END_HEADERS, 1, literal(b"x", b"y")), PROTOCOL_ERROR),
    "continuation-behind-data": connection(
        "6.10", OPEN + frame(DATA, 0, 1, b"x") + frame(CONTINUATION, 4, 1, b""), PROTOCOL_ERROR),
    "continuation-of-another-stream": connection(
        "6.10", frame(HEADERS, END_STREAM, 1, GOOD) + frame(CONTINUATION, END_HEADERS, 3), PROTOCOL_ERROR),
    **{f"continuation-broken-by-{name}": connection("6.10", frame(HEADERS, END_STREAM, 1, GOOD) + other, PROTOCOL_ERROR)
       for name, other in {
           "data": frame(DATA, 0, 1, b"x"), "headers": headers(3, *GET), "same": headers(1, *GET),
           "priority": frame(PRIORITY, 0, 1, bytes(5)), "ping": frame(PING, 0, 0, bytes(8)), "settings": settings(),
           "unknown": frame(0xBB, 0, 1), "window-update": window_update(0, 1), "reset": reset(1)}.items()},
    "continuations-without-end": connection(
        "10.5", frame(HEADERS, END_STREAM, 1, GOOD) + frame(CONTINUATION, 0, 1, literal(b"x", b"y")) * 2000,
        ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION_ERROR, None),
    "continuations-of-nothing": connection(
        "10.5", frame(HEADERS, END_STREAM, 1, GOOD) + frame(CONTINUATION, 0, 1) * 2000,
        ENHANCE_YOUR_CALM, PROTOCOL_ERROR, None),

    # §8.1, §8.1.1: messages.
    "trailers": answer(
        "8.1", OPEN + frame(DATA, 0, 1, b"{}") + headers(1, (b"checksum", b"1")), 400),
    "trailers-that-do-not-end": malformed(
        "8.1", OPEN + frame(DATA, 0, 1, b"{}") + headers(1, (b"x", b"1"), flags=END_HEADERS)),
    "trailers-twice": stream(
        "8.1", OPEN + headers(1, (b"x", b"1")) + headers(1, (b"x", b"1")), STREAM_CLOSED, PROTOCOL_ERROR,
        statuses=(400,)),
    "trailers-with-a-pseudo-field": malformed("8.1", OPEN + headers(1, (b":path", b"/"))),
    "trailers-with-a-status": malformed("8.1", OPEN + headers(1, (b":status", b"200"))),
    "trailers-upper-case": malformed("8.2.1", OPEN + headers(1, (b"X", b"1"))),
    "trailers-with-connection": malformed("8.2.2", OPEN + headers(1, (b"connection", b"close"))),
    "length-too-long": malformed(
        "8.1.1", headers(1, *POST, (b"content-length", b"3"), flags=END_HEADERS) + frame(DATA, END_STREAM, 1, b"{}")),
    "length-too-short": malformed(
        "8.1.1", headers(1, *POST, (b"content-length", b"1"), flags=END_HEADERS) + frame(DATA, END_STREAM, 1, b"{}")),
    "length-too-short-over-frames": malformed(
        "8.1.1", headers(1, *POST, (b"content-length", b"3"), flags=END_HEADERS)
        + frame(DATA, 0, 1, b"{}") + frame(DATA, END_STREAM, 1, b"{}")),
    "length-without-a-body": malformed("8.1.1", headers(1, *POST, (b"content-length", b"1"))),
    "length-before-trailers": malformed(
        "8.1.1", headers(1, *POST, (b"content-length", b"3"), flags=END_HEADERS) + frame(DATA, 0, 1, b"{}")
        + headers(1, (b"x", b"1"))),
    "length-twice-differing": malformed(
        "8.1.1", headers(1, *POST, (b"content-length", b"2"), (b"content-length", b"3"), flags=END_HEADERS)
        + frame(DATA, END_STREAM, 1, b"{}")),
    **{f"length-{name}": malformed(
        "8.1.1", headers(1, *POST, (b"content-length", value), flags=END_HEADERS) + frame(DATA, END_STREAM, 1, b"{}"))
       for name, value in {"minus": b"-2", "plus": b"+2", "hexadecimal": b"0x2", "word": b"two", "empty": b"",
                           "overflow": b"18446744073709551618", "list": b"2, 3"}.items()},
    "length-right": answer(
        "8.1.1", headers(1, *POST, (b"content-length", b"2"), flags=END_HEADERS) + frame(DATA, END_STREAM, 1, b"{}"),
        400),
    "length-right-with-padding": answer(
        "8.1.1", headers(1, *POST, (b"content-length", b"2"), flags=END_HEADERS)
        + frame(DATA, END_STREAM | PADDED, 1, b"\x05{}" + bytes(5)), 400),
    "length-0": answer("8.1.1", headers(1, *GET, (b"content-length", b"0"))),

    # §8.2: fields.
    **{f"name-{name}": malformed("8.2.1", request((value, b"v"))) for name, value in {
        "upper-case": b"Name", "one-upper-case-letter": b"x-namE", "empty": b"", "space": b"a b", "space-behind": b"a ",
        "colon": b"a:b", "nul": b"a\0", "control": b"a\x01b", "delete": b"a\x7f", "8-bit": b"\xc3\xa9",
        "line-break": b"a\r\nb", "tab": b"a\tb"}.items()},
    **{f"value-{name}": malformed("8.2.1", request((b"x", value))) for name, value in {
        "nul": b"a\0b", "carriage-return": b"a\rb", "line-feed": b"a\nb", "line-break-and-field": b"a\r\ny: b",
        "space-before": b" a", "space-behind": b"a ", "tab-before": b"\ta", "tab-behind": b"a\t"}.items()},
    "value-8-bit": answer("8.2.1", request((b"x", b"\xc3\xa9\xff"))),
    "value-empty": answer("8.2.1", request((b"x", b""))),
    "value-space-within": answer("8.2.1", request((b"x", b"a b\tc"))),
    "cookie-in-pieces": answer("8.2.3", request((b"cookie", b"a=b"), (b"cookie", b"c=d"))),
    **{f"connection-field-{name.decode()}": malformed("8.2.2", request((name, value))) for name, value in {
        b"connection": b"close", b"keep-alive": b"timeout=5", b"proxy-connection": b"keep-alive",
        b"transfer-encoding": b"chunked", b"upgrade": b"h2c", b"te": b"gzip"}.items()},
    "te-trailers-and-more": malformed("8.2.2", request((b"te", b"trailers, deflate"))),
    "te-trailers": answer("8.2.2", request((b"te", b"trailers"))),

    # §8.3: pseudo-fields.
    "pseudo-unknown": malformed("8.3", request(first=((b":test", b"x"),))),
    "pseudo-empty-name": malformed("8.3", request(first=((b":", b"x"),))),
    "pseudo-of-a-response": malformed("8.3", request(first=((b":status", b"200"),))),
    "pseudo-behind-a-field": malformed("8.3", request((b":path", b"/v2"), first=((b"x", b"y"),), without=(b":path",))),
    "pseudo-behind-all": malformed("8.3", request((b"x", b"y"), (b":scheme", b"http"), without=(b":scheme",))),
    **{f"pseudo-{name.decode()[1:]}-missing": malformed("8.3.1", request(without=(name,)))
       for name in (b":method", b":scheme", b":path")},
    **{f"pseudo-{name.decode()[1:]}-twice": malformed("8.3.1", request((name, value)))
       for name, value in GET},
    "pseudo-upper-case": malformed("8.3", request((b":Path", b"/v2"), without=(b":path",))),
    "pseudo-protocol": malformed("8.3", request((b":protocol", b"websocket"))),
    "method-empty": malformed("8.3.1", request((b":method", b""), without=(b":method",))),
    "method-space": malformed("8.3.1", request((b":method", b"GET /x"), without=(b":method",))),
    "method-line-break": malformed("8.3.1", request((b":method", b"GET\r\nx: y"), without=(b":method",))),
    "scheme-empty": malformed("8.3.1", request((b":scheme", b""), without=(b":scheme",))),
    "scheme-bad": malformed("8.3.1", request((b":scheme", b"ht tp"), without=(b":scheme",))),
    "scheme-upper-case": answer("8.3.1", request((b":scheme", b"HTTP"), without=(b":scheme",)), 200, 400),
    "path-empty": malformed("8.3.1", path(b"")),
    "path-relative": malformed("8.3.1", path(b"v2/health/live")),
    "path-asterisk-of-get": malformed("8.3.1", path(b"*")),
    "path-space": malformed("8.3.1", path(b"/v2 HTTP/1.1")),
    "path-line-break": malformed("8.3.1", path(b"/v2\r\nx: y")),
    "path-nul": malformed("8.3.1", path(b"/v2\0")),
    "path-8-bit": malformed("8.3.1", path(b"/v2/\xe9")),
    "path-fragment": malformed("8.3.1", path(b"/v2#x")),
    "path-absolute": malformed("8.3.1", path(b"http://h/v2/health/live")),
    "path-query": answer("8.3.1", path(b"/v2/health/live?x=y")),
    "path-asterisk-of-options": answer(
        "8.3.1", request((b":method", b"OPTIONS"), (b":path", b"*"), without=(b":method", b":path")),
        200, 204, 404, 405, 501),
    "authority-user": malformed("8.3.1", request((b":authority", b"u@h"), without=(b":authority",))),
    "authority-path": malformed("8.3.1", request((b":authority", b"h/v2"), without=(b":authority",))),
    "authority-space": malformed("8.3.1", request((b":authority", b"a b"), without=(b":authority",))),
    "authority-line-break": malformed("8.3.1", request((b":authority", b"h\r\nx: y"), without=(b":authority",))),
    "authority-port-word": malformed("8.3.1", request((b":authority", b"h:x"), without=(b":authority",))),
    "authority-and-another-host": malformed("8.3.1", request((b"host", b"other"))),
    "authority-and-host": answer("8.3.1", request((b"host", b"h"))),
    "host-alone": answer("8.3.1", request((b"host", b"h"), without=(b":authority",))),
    "host-twice": malformed("8.3.1", request((b"host", b"h"), (b"host", b"other"), without=(b":authority",))),
    "authority-and-host-missing": Case(
        "8.3.1", request(without=(b":authority",)), STREAM, (PROTOCOL_ERROR,), (200, 400)),

    # §8.5: CONNECT.
    "connect": stream(
        "8.5", headers(1, (b":method", b"CONNECT"), (b":authority", b"h:80"), flags=END_HEADERS),
        PROTOCOL_ERROR, REFUSED_STREAM, CANCEL, statuses=(400, 405, 501)),
    "connect-with-a-path": malformed("8.5", request((b":method", b"CONNECT"), without=(b":method",)), 405, 501),
    "connect-without-an-authority": malformed("8.5", headers(1, (b":method", b"CONNECT")), 405, 501),
    "connect-extended": malformed(
        "8.5", request((b":method", b"CONNECT"), (b":protocol", b"websocket"), without=(b":method",)), 405, 501),

    # §8.8 and RFC 9110: bounds that are ours.
    "fields-too-many": stream("10.5.1", request(*[(b"x", b"y")] * 150), PROTOCOL_ERROR, statuses=(431,)),
    "fields-too-large": stream("10.5.1", request((b"x", b"y" * 12_000)), PROTOCOL_ERROR, statuses=(431,)),
    "path-too-long": stream("8.3.1", path(b"/" + b"a" * 3000), PROTOCOL_ERROR, statuses=(414,)),
    "method-too-long": stream(
        "8.3.1", request((b":method", b"G" * 100), without=(b":method",)), PROTOCOL_ERROR, statuses=(400, 405, 501)),
    "expectation-unknown": stream("10.1.1", headers(1, *POST, (b"expect", b"x")), PROTOCOL_ERROR, statuses=(417,)),
    "header-list-setting-0": answer("6.5.2", settings((MAX_HEADER_LIST_SIZE, 0)) + DONE),
}
