"""HTTP/1.1 messages that a server must not accept: {name: Message}."""
from dataclasses import dataclass

# Below the bounds that the test gives to the server.
HEADER_BYTE_LIMIT, BODY_BYTE_LIMIT, TARGET_BYTE_LIMIT = 16 << 10, 1 << 20, 8 << 10
PATH = b"/v2/models/cancer_mlp/infer"


@dataclass(frozen=True)
class Message:
    content: bytes
    # The statuses that are right; empty: none is, the connection is closed.
    statuses: tuple
    # Whether the client says that nothing more comes. If not, the server must act by itself.
    ends: bool = False
    # Whether closing without an answer is right too.
    may_close: bool = False
    # Good requests, each with its 200, that come before the bad one.
    good_answers: int = 0
    # Whether it is clear where the next request begins, so that the connection may go on.
    may_go_on: bool = False


def get(*lines, target=b"/v2", method=b"GET", version=b"HTTP/1.1", host=b"host: h\r\n"):
    fields = host + b"".join(line + b"\r\n" for line in lines)
    return method + b" " + target + b" " + version + b"\r\n" + fields + b"\r\n"


def post(body, *lines):
    return get(*lines, target=PATH, method=b"POST") + body


def chunked(body):
    return post(body, b"transfer-encoding: chunked")


BAD = (400,)
MESSAGES = {
    # Request lines. RFC 9112 §3.
    "line-garbage": Message(b"\x00\x01\x02\xff\xfe\r\n\r\n", BAD),
    "line-text": Message(b"hello there, how are you\r\n\r\n", BAD),
    "line-method-alone": Message(b"GET\r\n\r\n", BAD),
    "line-of-http-0.9": Message(b"GET /v2\r\n\r\n", BAD),
    "line-without-method": Message(b" /v2 HTTP/1.1\r\nhost: h\r\n\r\n", BAD),
    "line-leading-space": Message(b" GET /v2 HTTP/1.1\r\nhost: h\r\n\r\n", BAD),
    "line-two-spaces": Message(b"GET  /v2 HTTP/1.1\r\nhost: h\r\n\r\n", BAD),
    "line-two-spaces-before-version": Message(b"GET /v2  HTTP/1.1\r\nhost: h\r\n\r\n", BAD),
    "line-tabs": Message(b"GET\t/v2\tHTTP/1.1\r\nhost: h\r\n\r\n", BAD),
    "line-trailing-word": Message(b"GET /v2 HTTP/1.1 x\r\nhost: h\r\n\r\n", BAD),
    "line-trailing-space": Message(b"GET /v2 HTTP/1.1 \r\nhost: h\r\n\r\n", BAD),
    "line-bare-line-feeds": Message(b"GET /v2 HTTP/1.1\nhost: h\n\n", BAD),
    "line-bare-carriage-return": Message(b"GET /v2 HTTP/1.1\rhost: h\r\r", BAD, ends=True, may_close=True),
    "line-after-two-empty-lines": Message(b"\r\n\r\n" + get(), BAD),
    "line-after-line-feed": Message(b"\n" + get(), BAD),
    "method-lower-case": Message(get(method=b"get"), (400, 405, 501), may_go_on=True),
    "method-unknown": Message(get(method=b"BREW"), (405, 501), may_go_on=True),
    "method-separator": Message(get(method=b"G(T"), BAD),
    "method-8-bit": Message(get(method=b"G\xc3\x89T"), BAD),
    "method-long": Message(get(method=b"A" * 5000), (400, 414, 431, 501)),
    "method-connect": Message(get(method=b"CONNECT", target=b"h:80"), (400, 405, 501)),
    "version-1.x": Message(get(version=b"HTTP/1.x"), BAD),
    "version-lower-case": Message(get(version=b"http/1.1"), BAD),
    "version-2.0": Message(get(version=b"HTTP/2.0"), (505,)),
    "version-0.9": Message(get(version=b"HTTP/0.9"), (400, 505)),
    "version-1.10": Message(get(version=b"HTTP/1.10"), BAD),
    "version-01.1": Message(get(version=b"HTTP/01.1"), BAD),
    "version-missing-number": Message(get(version=b"HTTP/"), BAD),
    "version-other-protocol": Message(get(version=b"RTSP/1.0"), BAD),
    "target-relative": Message(get(target=b"v2"), BAD),
    "target-asterisk": Message(get(target=b"*"), BAD),
    "target-control-byte": Message(get(target=b"/v2\x01"), BAD),
    "target-nul": Message(get(target=b"/v2\x00"), BAD),
    "target-8-bit": Message(get(target=b"/v2/models/\xff\xfe"), BAD),
    "target-space": Message(get(target=b"/v2/models/a b"), BAD),
    "target-fragment": Message(get(target=b"/v2#x"), (400, 404), may_go_on=True),
    "target-other-scheme": Message(get(target=b"ftp://h/v2"), BAD),
    "target-no-authority": Message(get(target=b"http:///v2"), BAD),
    "target-user-info": Message(get(target=b"http://user@h/v2"), BAD),
    "target-long": Message(get(target=b"/" + b"a" * (TARGET_BYTE_LIMIT + 1)), (414,)),
    "target-endless": Message(b"GET /" + b"a" * (4 * TARGET_BYTE_LIMIT), (414,)),
    "tls-client-hello": Message(
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(160), BAD, ends=True, may_close=True),
    "http2-preface-cut": Message(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", (400, 505), ends=True, may_close=True),

    # Field lines. RFC 9112 §5.
    "host-missing": Message(get(host=b""), BAD),
    "host-twice": Message(get(b"host: h"), BAD),
    "host-other-twice": Message(get(b"Host: other"), BAD),
    "host-slash": Message(get(host=b"host: a/b\r\n"), BAD),
    "host-space": Message(get(host=b"host: a b\r\n"), BAD),
    "host-user-info": Message(get(host=b"host: user@h\r\n"), BAD),
    "field-space-before-colon": Message(get(b"x : 1"), BAD),
    "field-tab-before-colon": Message(get(b"x\t: 1"), BAD),
    "field-leading-space": Message(get(host=b" host: h\r\n"), BAD),
    "field-folded": Message(get(b"x: 1", b" 2"), BAD),
    "field-folded-by-tab": Message(get(b"x: 1", b"\t2"), BAD),
    "field-no-colon": Message(get(b"x"), BAD),
    "field-no-name": Message(get(b": 1"), BAD),
    "field-name-separator": Message(get(b"x(y): 1"), BAD),
    "field-name-8-bit": Message(get(b"\xc3\xa9: 1"), BAD),
    "field-name-nul": Message(get(b"x\x00: 1"), BAD),
    "field-value-nul": Message(get(b"x: a\x00b"), BAD),
    "field-value-carriage-return": Message(get(b"x: a\rb"), BAD),
    "field-value-line-feed": Message(get(b"x: a\nb"), BAD),
    "field-value-control": Message(get(b"x: a\x07b"), BAD),
    "field-value-delete": Message(get(b"x: a\x7fb"), BAD),
    "field-line-feed-ends": Message(b"GET /v2 HTTP/1.1\r\nhost: h\r\nx: 1\n\r\n", BAD),
    "fields-long-value": Message(get(b"x: " + b"a" * (HEADER_BYTE_LIMIT + 1)), (431,)),
    "fields-long-name": Message(get(b"a" * (HEADER_BYTE_LIMIT + 1) + b": 1"), (431,)),
    "fields-many": Message(get(*[b"x: 1"] * 1000), (431,)),
    "fields-endless": Message(b"GET /v2 HTTP/1.1\r\nhost: h\r\nx: " + b"a" * (1 << 20), (431,), may_close=True),

    # Framing and smuggling. RFC 9112 §6.
    "length-word": Message(post(b"", b"content-length: abc"), BAD),
    "length-negative": Message(post(b"", b"content-length: -1"), BAD),
    "length-plus": Message(post(b"12345", b"content-length: +5"), BAD),
    "length-hexadecimal": Message(post(b"12345", b"content-length: 0x5"), BAD),
    "length-real": Message(post(b"12345", b"content-length: 5.0"), BAD),
    "length-exponent": Message(post(b"12345", b"content-length: 5e0"), BAD),
    "length-space-within": Message(post(b"12345", b"content-length: 1 0"), BAD),
    "length-underscore": Message(post(b"12345", b"content-length: 1_0"), BAD),
    "length-empty": Message(post(b"", b"content-length:"), BAD),
    "length-overflow": Message(post(b"", b"content-length: 99999999999999999999"), (400, 413)),
    "length-of-64-bits": Message(post(b"", b"content-length: 18446744073709551617"), (400, 413)),
    "length-of-63-bits": Message(post(b"", b"content-length: 9223372036854775807"), (413,)),
    "length-arabic-digits": Message(post(b"", "content-length: ٥".encode()), BAD),
    "length-twice-differing": Message(post(b"12345", b"content-length: 5", b"content-length: 6"), BAD),
    "length-list-differing": Message(post(b"12345", b"content-length: 5, 6"), BAD),
    "length-list-trailing-comma": Message(post(b"12345", b"content-length: 5,"), BAD),
    "length-and-chunked": Message(post(b"0\r\n\r\n", b"content-length: 5", b"transfer-encoding: chunked"), BAD),
    "chunked-and-length": Message(post(b"0\r\n\r\n", b"transfer-encoding: chunked", b"content-length: 5"), BAD),
    "chunked-and-length-0": Message(post(b"0\r\n\r\n", b"transfer-encoding: chunked", b"content-length: 0"), BAD),
    "coding-gzip": Message(post(b"", b"transfer-encoding: gzip"), (400, 501)),
    "coding-identity": Message(post(b"", b"transfer-encoding: identity"), (400, 501)),
    "coding-unknown": Message(post(b"", b"transfer-encoding: xchunked"), (400, 501)),
    "coding-quoted": Message(post(b"", b'transfer-encoding: "chunked"'), (400, 501)),
    "coding-chunked-twice": Message(post(b"0\r\n\r\n", b"transfer-encoding: chunked, chunked"), BAD),
    "coding-chunked-in-two-fields": Message(
        post(b"0\r\n\r\n", b"transfer-encoding: chunked", b"transfer-encoding: chunked"), BAD),
    "coding-chunked-not-last": Message(post(b"0\r\n\r\n", b"transfer-encoding: chunked, gzip"), (400, 501)),
    "coding-vertical-tab": Message(post(b"0\r\n\r\n", b"transfer-encoding:\x0bchunked"), (400, 501)),
    "coding-space-before-colon": Message(post(b"0\r\n\r\n", b"transfer-encoding : chunked"), BAD),
    "coding-empty": Message(post(b"0\r\n\r\n", b"transfer-encoding:"), BAD),
    "coding-in-http-1.0": Message(get(b"transfer-encoding: chunked", method=b"POST", version=b"HTTP/1.0"), BAD),
    "expectation-unknown": Message(post(b"", b"content-length: 0", b"expect: 200-ok"), (417,)),

    # Chunks. RFC 9112 §7.1.
    "chunk-size-word": Message(chunked(b"Z\r\n"), BAD),
    "chunk-size-empty": Message(chunked(b"\r\n"), BAD),
    "chunk-size-negative": Message(chunked(b"-1\r\n"), BAD),
    "chunk-size-plus": Message(chunked(b"+1\r\na\r\n"), BAD),
    "chunk-size-prefix": Message(chunked(b"0x5\r\n12345\r\n"), BAD),
    "chunk-size-overflow": Message(chunked(b"FFFFFFFFFFFFFFFF1\r\n"), (400, 413)),
    "chunk-size-of-64-bits": Message(chunked(b"FFFFFFFFFFFFFFFF\r\n"), (400, 413)),
    "chunk-size-of-63-bits": Message(chunked(b"7FFFFFFFFFFFFFFF\r\n"), (400, 413)),
    "chunk-size-many-zeros": Message(chunked(b"0" * 5000 + b"1\r\na\r\n0\r\n\r\n"), BAD),
    "chunk-size-leading-space": Message(chunked(b" 5\r\n12345\r\n"), BAD),
    "chunk-size-line-feed": Message(chunked(b"5\n12345\r\n0\r\n\r\n"), BAD),
    "chunk-data-too-long": Message(chunked(b"3\r\n12345\r\n0\r\n\r\n"), BAD),
    "chunk-data-too-short": Message(chunked(b"8\r\n12345\r\n0\r\n\r\n"), BAD),
    "chunk-data-line-feed": Message(chunked(b"5\r\n12345\n0\r\n\r\n"), BAD),
    "chunk-extension-nul": Message(chunked(b"5;a=\x00\r\n12345\r\n0\r\n\r\n"), BAD),
    "chunk-extension-line-feed": Message(chunked(b"5;a=\nb\r\n12345\r\n0\r\n\r\n"), BAD),
    "chunk-extension-huge": Message(chunked(b"5;" + b"a" * 100_000 + b"\r\n12345\r\n"), (400, 431)),
    "chunk-extensions-many": Message(chunked(b"1;aaaaaaaa\r\nb\r\n" * 10_000), (400, 431), may_close=True),
    "chunks-tiny-without-end": Message(chunked(b"1\r\n[\r\n" * 50_000), (400, 413), ends=True, may_close=True),
    "chunks-past-the-limit": Message(chunked((b"10000\r\n" + b" " * 65536 + b"\r\n") * 20), (413,)),
    "trailer-no-colon": Message(chunked(b"0\r\nx\r\n\r\n"), BAD),
    "trailer-folded": Message(chunked(b"0\r\n x: 1\r\n\r\n"), BAD),
    "trailer-huge": Message(chunked(b"0\r\nx: " + b"a" * 100_000 + b"\r\n\r\n"), (400, 431)),

    # Lengths that lie, and clients that stop.
    "length-over-the-limit": Message(post(b"", b"content-length: %d" % (BODY_BYTE_LIMIT + 1)), (413,)),
    "length-over-the-limit-expecting": Message(
        post(b"", b"content-length: %d" % (BODY_BYTE_LIMIT + 1), b"expect: 100-continue"), (413,)),
    "length-too-long-then-end": Message(post(b"12345", b"content-length: 100"), (400, 408), ends=True, may_close=True),
    "length-too-long-then-silence": Message(post(b"12345", b"content-length: 100"), (408,)),
    "length-too-short": Message(post(b'{"inputs":[]}', b"content-length: 2"), BAD, may_go_on=True),
    "length-missing": Message(post(b'{"inputs":[]}'), (400, 411), may_go_on=True),
    "head-cut-then-end": Message(b"GET /v2 HTTP/1.1\r\nhost: h\r\n", (400, 408), ends=True, may_close=True),
    "head-cut-then-silence": Message(b"GET /v2 HTTP/1.1\r\nhost: h\r\n", (408,)),
    "line-cut-then-silence": Message(b"GE", (408,), may_close=True),
    "chunk-cut-then-end": Message(chunked(b"5\r\n12"), (400, 408), ends=True, may_close=True),
    "chunk-cut-then-silence": Message(chunked(b"5\r\n12"), (408,)),
    "nothing-then-end": Message(b"", (), ends=True, may_close=True),
    "second-request-garbage": Message(get() + b"\x00\x01\r\n\r\n", BAD, good_answers=1),
    "second-request-smuggled": Message(
        get() + post(b"0\r\n\r\nGET /x HTTP/1.1\r\nhost: h\r\n\r\n", b"content-length: 5",
                     b"transfer-encoding: chunked"), BAD, good_answers=1),
}
