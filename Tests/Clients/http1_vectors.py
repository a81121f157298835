"""HTTP/1.1 messages that two servers in a row could cut differently, each beside its well-formed twin.

An attack is complete and valid but for one fault, and carries a whole second request. It is refused, the connection ends,
and neither the carried request nor the one behind it is answered. The controls have the same form without the fault.
"""
import json
from dataclasses import dataclass

PATH = b"/v2/models/cancer_mlp/infer"
LIVE = b"GET /v2/health/live HTTP/1.1\r\nhost: h\r\n\r\n"
SMUGGLED = b"GET /v2/models/smuggled HTTP/1.1\r\nhost: h\r\n\r\n"
BODY = json.dumps(
    {"inputs": [{"name": "input", "shape": [1, 30], "datatype": "FP32", "data": [1] * 30}]},
    separators=(",", ":")).encode()
N = len(BODY)


@dataclass(frozen=True)
class Vector:
    # The RFC's section that makes it a fault.
    section: str
    attack: bytes
    # Each answered with 200 on one connection.
    controls: tuple
    statuses: tuple = (400,)


def post(body, *lines, version=b"HTTP/1.1", target=PATH):
    fields = b"".join(line + b"\r\n" for line in (b"host: h", *lines))
    return b"POST " + target + b" " + version + b"\r\n" + fields + b"\r\n" + body


def get(*lines, target=b"/v2/health/live", method=b"GET", version=b"HTTP/1.1", host=b"host: h"):
    fields = b"".join(line + b"\r\n" for line in (*([host] if host is not None else []), *lines))
    return method + b" " + target + b" " + version + b"\r\n" + fields + b"\r\n"


def chunks(body, *trailers, size=50, extension=b"", last=b"0"):
    pieces = [body[start:start + size] for start in range(0, len(body), size)]
    return (b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
            + last + b"\r\n" + b"".join(line + b"\r\n" for line in trailers) + b"\r\n")


CHUNKED = b"transfer-encoding: chunked"
SIZED = b"content-length: %d" % N
GOOD_SIZED = post(BODY, SIZED)
GOOD_CHUNKED = post(chunks(BODY), CHUNKED)
# Read as chunked, the body ends early and a request follows; read by its length, all of it is the body.
ENDS_EARLY = b"0\r\n\r\n" + SMUGGLED
EARLY_LENGTH = b"content-length: %d" % len(ENDS_EARLY)


def length(value, *more):
    """A body whose length is said in a questionable way: read as no body, it is a request."""
    return post(SMUGGLED, b"content-length: " + value, *more)


def sized(*values):
    return tuple(post(BODY, *(b"content-length: " + item for item in value))
                 for value in (value if isinstance(value, tuple) else (value,) for value in values))


S = len(SMUGGLED)
BOTH = {
    f"both-{name}": Vector("9112 §6.1", attack, (GOOD_SIZED, GOOD_CHUNKED)) for name, attack in {
        "length-first": post(ENDS_EARLY, EARLY_LENGTH, CHUNKED),
        "coding-first": post(ENDS_EARLY, CHUNKED, EARLY_LENGTH),
        "apart": post(ENDS_EARLY, EARLY_LENGTH, b"x: y", CHUNKED),
        "length-of-the-chunk-line": post(chunks(SMUGGLED), b"content-length: 4", CHUNKED),
        "length-0": post(chunks(SMUGGLED), b"content-length: 0", CHUNKED),
        "upper-case": post(ENDS_EARLY, EARLY_LENGTH, b"TRANSFER-ENCODING: CHUNKED"),
        "after-a-tab": post(ENDS_EARLY, EARLY_LENGTH, b"transfer-encoding:\tchunked"),
        "after-no-space": post(ENDS_EARLY, EARLY_LENGTH, b"transfer-encoding:chunked"),
        "before-a-space": post(ENDS_EARLY, EARLY_LENGTH, b"transfer-encoding: chunked "),
        "in-a-list-of-one": post(ENDS_EARLY, EARLY_LENGTH, b"transfer-encoding: ,chunked"),
        "with-an-empty-coding": post(ENDS_EARLY, EARLY_LENGTH, b"transfer-encoding:"),
        "hidden-by-connection": post(
            ENDS_EARLY, EARLY_LENGTH, CHUNKED, b"connection: transfer-encoding"),
        "length-hidden-by-connection": post(
            ENDS_EARLY, EARLY_LENGTH, CHUNKED, b"connection: content-length"),
    }.items()
}

# What some server takes for chunked and another does not. With the length that another would go by, and without.
OBFUSCATIONS = {
    "prefix": b"transfer-encoding: xchunked",
    "suffix": b"transfer-encoding: chunkedx",
    "cut": b"transfer-encoding: chunke",
    "parameter": b"transfer-encoding: chunked;q=1",
    "quoted": b'transfer-encoding: "chunked"',
    "quoted-singly": b"transfer-encoding: 'chunked'",
    "space-within": b"transfer-encoding: chu nked",
    "nul-behind": b"transfer-encoding: chunked\x00",
    "vertical-tab": b"transfer-encoding: \x0bchunked",
    "form-feed": b"transfer-encoding: \x0cchunked",
    "no-break-space": b"transfer-encoding: \xa0chunked",
    "8-bit-behind": b"transfer-encoding: chunked\xff",
    "delete-behind": b"transfer-encoding: chunked\x7f",
    "carriage-return-before": b"transfer-encoding: \rchunked",
    "carriage-return-behind": b"transfer-encoding: chunked\r",
    "line-feed-before": b"x: y\ntransfer-encoding: chunked",
    "carriage-return-line": b"x: y\rtransfer-encoding: chunked",
    "folded": b"transfer-encoding:\r\n chunked",
    "folded-by-a-tab": b"transfer-encoding:\r\n\tchunked",
    "folded-behind-another": b"x: y\r\n transfer-encoding: chunked",
    "space-before-colon": b"transfer-encoding : chunked",
    "tab-before-colon": b"transfer-encoding\t: chunked",
    "space-before-name": b" transfer-encoding: chunked",
    "carriage-return-before-name": b"\rtransfer-encoding: chunked",
    "nul-in-name": b"transfer\x00-encoding: chunked",
    "8-bit-name": b"transfer-encod\xefng: chunked",
    "no-colon": b"transfer-encoding chunked",
    "two-colons-before": b": transfer-encoding: chunked",
    "identity": b"transfer-encoding: identity",
    "identity-first": b"transfer-encoding: identity, chunked",
    "identity-last": b"transfer-encoding: chunked, identity",
    "twice": b"transfer-encoding: chunked, chunked",
    "two-fields": b"transfer-encoding: chunked\r\ntransfer-encoding: chunked",
    "two-fields-other-last": b"transfer-encoding: chunked\r\ntransfer-encoding: cow",
    "two-fields-other-first": b"transfer-encoding: cow\r\ntransfer-encoding: chunked",
    "gzip-first": b"transfer-encoding: gzip, chunked",
    "gzip-alone": b"transfer-encoding: gzip",
    "empty": b"transfer-encoding:",
    "comma": b"transfer-encoding: ,",
}
CODING = {}
for name, line in OBFUSCATIONS.items():
    CODING[f"coding-{name}"] = Vector(
        "9112 §6.1", post(chunks(BODY) + SMUGGLED, line), (GOOD_CHUNKED,), (400, 501))
    CODING[f"coding-{name}-and-length"] = Vector(
        "9112 §6.1", post(ENDS_EARLY, EARLY_LENGTH, line), (GOOD_CHUNKED, GOOD_SIZED), (400, 501))
CODING["coding-in-http-1.0"] = Vector(
    "9112 §6.1", post(ENDS_EARLY, CHUNKED, b"connection: keep-alive", version=b"HTTP/1.0"),
    (post(BODY, SIZED, b"connection: keep-alive", version=b"HTTP/1.0"), GOOD_CHUNKED))
CODING["coding-in-http-1.0-and-length"] = Vector(
    "9112 §6.1", post(ENDS_EARLY, EARLY_LENGTH, CHUNKED, b"connection: keep-alive", version=b"HTTP/1.0"),
    (post(BODY, SIZED, b"connection: keep-alive", version=b"HTTP/1.0"), GOOD_CHUNKED))

LENGTHS = {
    # RFC 9110 §8.6 lets equal lengths be one; zeros in front are digits.
    f"length-{name}": Vector(
        "9112 §6.3", attack, sized(b"%d" % N, b"%d, %d" % (N, N), (b"%d" % N, b"%d" % N), b"00%d" % N,
                                   b" %d\t" % N), statuses)
    for name, attack, statuses in [
        ("plus", length(b"+%d" % S), (400,)),
        ("minus", length(b"-%d" % S), (400,)),
        ("minus-0", length(b"-0"), (400,)),
        ("hexadecimal", length(b"0x%x" % S), (400,)),
        ("hexadecimal-bare", length(b"2e"), (400,)),
        ("real", length(b"%d.0" % S), (400,)),
        ("exponent", length(b"%de0" % S), (400,)),
        ("underscore", length(b"4_6"), (400,)),
        ("space-within", length(b"0 %d" % S), (400,)),
        ("tab-within", length(b"0\t%d" % S), (400,)),
        ("semicolon", length(b"0;%d" % S), (400,)),
        ("quoted", length(b'"%d"' % S), (400,)),
        ("nul-behind", length(b"%d\x00" % S), (400,)),
        ("vertical-tab", length(b"\x0b%d" % S), (400,)),
        ("8-bit-digit", length(b"\xb2"), (400,)),
        ("wide-digits", length("４６".encode()), (400,)),
        ("empty", length(b""), (400,)),
        ("list-differing", length(b"0, %d" % S), (400,)),
        ("list-differing-swapped", length(b"%d, 0" % S), (400,)),
        ("list-empty-element", length(b"%d,,%d" % (S, S)), (400,)),
        ("list-trailing-comma", length(b"%d," % S), (400,)),
        ("list-one-bad", length(b"%d, +%d" % (S, S)), (400,)),
        ("two-differing", length(b"0", b"content-length: %d" % S), (400,)),
        ("two-differing-swapped", length(b"%d" % S, b"content-length: 0"), (400,)),
        ("two-one-empty", length(b"%d" % S, b"content-length:"), (400,)),
        ("two-one-negative", length(b"%d" % S, b"content-length: -%d" % S), (400,)),
        ("two-apart", length(b"%d" % S, b"x: y", b"Content-Length: 1"), (400,)),
        ("two-differing-by-a-zero", length(b"%d" % S, b"content-length: %d0" % S), (400,)),
        ("folded", length(b"0\r\n %d" % S), (400,)),
        ("folded-empty", length(b"\r\n %d" % S), (400,)),
        ("space-before-colon", post(SMUGGLED, b"content-length : %d" % S), (400,)),
        ("space-before-name", post(SMUGGLED, b" content-length: %d" % S), (400,)),
        ("carriage-return", length(b"0\r%d" % S), (400,)),
        ("line-feed", post(SMUGGLED, b"x: y\ncontent-length: %d" % S), (400,)),
        ("over-32-bits", length(b"%d" % ((1 << 32) + S)), (413,)),
        ("over-63-bits", length(b"%d" % ((1 << 63) + S)), (400, 413)),
        ("over-64-bits", length(b"%d" % ((1 << 64) + S)), (400, 413)),
        ("over-128-bits", length(b"%d" % ((1 << 128) + S)), (400, 413)),
        ("of-a-thousand-digits", length(b"9" * 1000), (400, 413)),
    ]
}


def chunk(content):
    """A chunked message whose body is `content`, with a request behind."""
    return post(content + SMUGGLED, CHUNKED)


# A chunk with its size right, for the faults around it.
X = b"%x" % N
CHUNK_CONTROLS = (
    GOOD_CHUNKED,
    post(chunks(BODY, extension=b";a=b;c"), CHUNKED),
    post(chunks(BODY, extension=b' ; a="b c"'), CHUNKED),
    post(chunks(BODY, last=b"0000"), CHUNKED),
    post(chunks(BODY, last=b"0;last"), CHUNKED),
    post(b"%X\r\n%b\r\n0\r\n\r\n" % (N, BODY), CHUNKED),
    post(b"000%x\r\n%b\r\n0\r\n\r\n" % (N, BODY), CHUNKED),
    post(chunks(BODY, b"checksum: 1", b"x:"), CHUNKED),
    # RFC 9110 §6.5.1: framing fields in a trailer mean nothing.
    post(chunks(BODY, b"content-length: 3", CHUNKED, b"host: other"), CHUNKED),
)
CHUNKS = {
    f"chunk-{name}": Vector("9112 §7.1", chunk(content), CHUNK_CONTROLS, statuses)
    for name, content, statuses in [
        ("size-plus", b"+%b\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("size-minus", b"-%b\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("size-prefix", b"0x%b\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("size-underscore", b"0_%b\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("size-space-before", b" %b\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("size-space-behind", b"%b \r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("size-word-behind", b"%b x\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("size-letter-behind", b"%bg\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("size-nul-behind", b"%b\x00\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("size-empty", b"\r\n%b\r\n0\r\n\r\n" % BODY, (400,)),
        ("size-extension-alone", b";a\r\n%b\r\n0\r\n\r\n" % BODY, (400,)),
        ("size-of-64-bits", b"ffffffffffffffff\r\n%b\r\n0\r\n\r\n" % BODY, (400, 413)),
        ("size-of-63-bits", b"7fffffffffffffff\r\n%b\r\n0\r\n\r\n" % BODY, (400, 413)),
        ("size-wraps-32-bits", b"1%08x\r\n%b\r\n0\r\n\r\n" % (N, BODY), (400, 413)),
        ("size-wraps-64-bits", b"1%016x\r\n%b\r\n0\r\n\r\n" % (N, BODY), (400, 413)),
        ("size-wraps-128-bits", b"1%032x\r\n%b\r\n0\r\n\r\n" % (N, BODY), (400, 413)),
        ("size-too-small", b"%x\r\n%b\r\n0\r\n\r\n" % (N - 1, BODY), (400,)),
        ("size-too-large", b"%x\r\n%b\r\n0\r\n\r\n" % (N + 1, BODY), (400,)),
        ("line-feed-behind-size", b"%b\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("carriage-return-behind-size", b"%b\r%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("two-carriage-returns-behind-size", b"%b\r\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("line-feed-behind-data", b"%b\r\n%b\n0\r\n\r\n" % (X, BODY), (400,)),
        ("carriage-return-behind-data", b"%b\r\n%b\r0\r\n\r\n" % (X, BODY), (400,)),
        ("nothing-behind-data", b"%b\r\n%b0\r\n\r\n" % (X, BODY), (400,)),
        ("two-bytes-behind-data", b"%b\r\n%bXX0\r\n\r\n" % (X, BODY), (400,)),
        ("space-behind-data", b"%b\r\n%b \r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("empty-line-behind-data", b"%b\r\n%b\r\n\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("extension-line-feed", b"%b;a\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("extension-line-feed-within", b"%b;\nxx\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("extension-carriage-return", b"%b;\rxx\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("extension-nul", b"%b;a\x00\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("extension-without-semicolon", b"%b a=b\r\n%b\r\n0\r\n\r\n" % (X, BODY), (400,)),
        ("extensions-too-long", b"%b;%b\r\n%b\r\n0\r\n\r\n" % (X, b"a" * 5000, BODY), (400, 431)),
        ("last-line-feed", b"%b\r\n%b\r\n0\n\r\n" % (X, BODY), (400,)),
        ("last-line-feed-behind-trailers", b"%b\r\n%b\r\n0\r\n\n" % (X, BODY), (400,)),
        ("last-carriage-return", b"%b\r\n%b\r\n0\r\r\n" % (X, BODY), (400,)),
        ("last-minus-0", b"%b\r\n%b\r\n-0\r\n\r\n" % (X, BODY), (400,)),
        ("last-without-its-end", b"%b\r\n%b\r\n0\r\n" % (X, BODY), (400,)),
        ("trailer-no-colon", b"%b\r\n%b\r\n0\r\nx\r\n\r\n" % (X, BODY), (400,)),
        ("trailer-space-before-colon", b"%b\r\n%b\r\n0\r\nx : y\r\n\r\n" % (X, BODY), (400,)),
        ("trailer-folded", b"%b\r\n%b\r\n0\r\nx: y\r\n z\r\n\r\n" % (X, BODY), (400,)),
        ("trailer-line-feed", b"%b\r\n%b\r\n0\r\nx: y\n\r\n" % (X, BODY), (400,)),
        ("trailer-carriage-return", b"%b\r\n%b\r\n0\r\nx: y\rz\r\n\r\n" % (X, BODY), (400,)),
        ("trailer-nul", b"%b\r\n%b\r\n0\r\nx: \x00\r\n\r\n" % (X, BODY), (400,)),
        ("trailer-8-bit-name", b"%b\r\n%b\r\n0\r\n\xff: y\r\n\r\n" % (X, BODY), (400,)),
    ]
}

HEAD_CONTROLS = (
    get(), get(b"x:"), get(b"x: y \t"), get(b"x:y", b"x: z"), get(b"x: \xc3\xa9 \xff"), get(b"!#$%&'*+-.^_`|~09aZ: y"),
    b"\r\n" + get(),
)
HEADS = {
    f"head-{name}": Vector(section, attack + SMUGGLED, HEAD_CONTROLS, statuses)
    for name, section, attack, statuses in [
        ("space-before-colon", "9112 §5.1", get(b"x : y"), (400,)),
        ("tab-before-colon", "9112 §5.1", get(b"x\t: y"), (400,)),
        ("space-in-name", "9112 §5.1", get(b"x y: z"), (400,)),
        ("space-before-first-name", "9112 §2.2", get(host=b" host: h"), (400,)),
        ("folded", "9112 §5.2", get(b"x: y", b" z"), (400,)),
        ("folded-by-a-tab", "9112 §5.2", get(b"x: y", b"\tz"), (400,)),
        ("folded-to-a-field", "9112 §5.2", get(b"x: y", b" host: other"), (400,)),
        ("line-of-a-space", "9112 §5.2", get(b"x: y", b" "), (400,)),
        ("no-colon", "9112 §5", get(b"x"), (400,)),
        ("no-name", "9112 §5", get(b": x"), (400,)),
        ("name-separator", "9110 §5.1", get(b"x(y): z"), (400,)),
        ("name-quoted", "9110 §5.1", get(b'"x": y'), (400,)),
        ("name-8-bit", "9110 §5.1", get(b"\xe9: y"), (400,)),
        ("name-nul", "9110 §5.1", get(b"x\x00: y"), (400,)),
        ("value-nul", "9110 §5.5", get(b"x: y\x00z"), (400,)),
        ("value-carriage-return", "9112 §2.2", get(b"x: y\rz"), (400,)),
        ("value-carriage-return-last", "9112 §2.2", get(b"x: y\r"), (400,)),
        ("value-line-feed", "9112 §2.2", get(b"x: y\nz: 1"), (400,)),
        ("value-control", "9110 §5.5", get(b"x: \x01"), (400,)),
        ("value-delete", "9110 §5.5", get(b"x: \x7f"), (400,)),
        ("line-feed-ends-the-line", "9112 §2.2", b"GET /v2/health/live HTTP/1.1\nhost: h\r\n\r\n", (400,)),
        ("line-feed-ends-a-field", "9112 §2.2", b"GET /v2/health/live HTTP/1.1\r\nhost: h\n\r\n", (400,)),
        ("line-feed-ends-the-head", "9112 §2.2", b"GET /v2/health/live HTTP/1.1\r\nhost: h\r\n\n", (400,)),
        ("line-feeds-alone", "9112 §2.2", b"GET /v2/health/live HTTP/1.1\nhost: h\n\n", (400,)),
        ("carriage-return-ends-the-line", "9112 §2.2", b"GET /v2/health/live HTTP/1.1\rhost: h\r\n\r\n", (400,)),
        ("carriage-return-before-the-end", "9112 §2.2", b"GET /v2/health/live HTTP/1.1\r\r\nhost: h\r\n\r\n", (400,)),
        ("empty-lines-before", "9112 §2.2", b"\r\n\r\n" + get(), (400,)),
        ("line-feed-before", "9112 §2.2", b"\n" + get(), (400,)),
        ("two-spaces", "9112 §3", get(method=b"GET "), (400,)),
        ("two-spaces-before-version", "9112 §3", get(version=b" HTTP/1.1"), (400,)),
        ("tab-for-a-space", "9112 §3", b"GET\t/v2/health/live HTTP/1.1\r\nhost: h\r\n\r\n", (400,)),
        ("space-behind-version", "9112 §3", get(version=b"HTTP/1.1 "), (400,)),
        ("word-behind-version", "9112 §3", get(version=b"HTTP/1.1 x"), (400,)),
        ("space-before-method", "9112 §3", b" " + get(), (400,)),
        ("version-of-0.9", "9112 §2.3", b"GET /v2/health/live\r\n\r\n", (400,)),
        ("version-lower-case", "9112 §2.3", get(version=b"http/1.1"), (400,)),
        ("version-two-digits", "9112 §2.3", get(version=b"HTTP/1.11"), (400,)),
        ("version-space-within", "9112 §2.3", get(version=b"HTTP/ 1.1"), (400,)),
        ("version-2", "9110 §15.6.6", get(version=b"HTTP/2.0"), (505,)),
        ("version-3", "9110 §15.6.6", get(version=b"HTTP/3.0"), (505,)),
        ("method-separator", "9110 §9.1", get(method=b"G:T"), (400,)),
        ("method-8-bit", "9110 §9.1", get(method=b"G\xc9T"), (400,)),
        ("method-long", "9112 §3", get(method=b"G" * 100), (400, 414, 501)),
        ("target-space", "9112 §3.2", get(target=b"/v2/health/live x"), (400,)),
        ("target-control", "9112 §3.2", get(target=b"/v2\x0b"), (400,)),
        ("target-carriage-return", "9112 §3.2", get(target=b"/v2\rx"), (400,)),
        ("target-8-bit", "9112 §3.2", get(target=b"/v2/\xe9"), (400,)),
        ("target-fragment", "9112 §3.2", get(target=b"/v2#x"), (400,)),
        ("target-empty", "9112 §3.2", get(target=b""), (400,)),
        ("target-relative", "9112 §3.2.1", get(target=b"v2"), (400,)),
        ("target-asterisk-of-get", "9112 §3.2.4", get(target=b"*"), (400,)),
        ("target-authority-of-get", "9112 §3.2.3", get(target=b"h:80"), (400,)),
        ("target-connect", "9110 §9.3.6", get(method=b"CONNECT", target=b"h:80"), (400, 405, 501)),
        ("target-connect-to-a-path", "9110 §9.3.6", get(method=b"CONNECT"), (400, 405, 501)),
        ("target-other-scheme", "9112 §3.2.2", get(target=b"ftp://h/v2"), (400,)),
        ("target-one-slash", "9112 §3.2.2", get(target=b"http:/h/v2"), (400,)),
        ("target-no-host", "9110 §4.2.1", get(target=b"http:///v2"), (400,)),
        ("target-port-alone", "9110 §4.2.1", get(target=b"http://:80/v2"), (400,)),
        ("target-user", "9110 §4.2.4", get(target=b"http://u:p@h/v2"), (400,)),
        ("target-bad-port", "9110 §4.2.1", get(target=b"http://h:x/v2"), (400,)),
        ("host-missing", "9112 §3.2", get(host=None), (400,)),
        ("host-missing-in-absolute-form", "9112 §3.2", get(target=b"http://h/v2/health/live", host=None), (400,)),
        ("host-twice", "9112 §3.2", get(b"host: h"), (400,)),
        ("host-twice-differing", "9112 §3.2", get(b"x: y", b"Host: other"), (400,)),
        ("host-one-empty", "9112 §3.2", get(b"host:"), (400,)),
        ("host-two-in-one", "9112 §3.2", get(host=b"host: h, other"), (400,)),
        ("host-path", "9112 §3.2", get(host=b"host: h/v2"), (400,)),
        ("host-query", "9112 §3.2", get(host=b"host: h?x"), (400,)),
        ("host-user", "9112 §3.2", get(host=b"host: u@h"), (400,)),
        ("host-url", "9112 §3.2", get(host=b"host: http://h"), (400,)),
        ("host-8-bit", "9112 §3.2", get(host=b"host: \xe9"), (400,)),
        ("host-space", "9112 §3.2", get(host=b"host: a b"), (400,)),
        ("host-port-word", "9112 §3.2", get(host=b"host: h:x"), (400,)),
        ("host-two-ports", "9112 §3.2", get(host=b"host: h:1:2"), (400,)),
        ("host-port-negative", "9112 §3.2", get(host=b"host: h:-1"), (400,)),
        ("host-bracket-open", "9112 §3.2", get(host=b"host: [::1"), (400,)),
        ("host-bracket-within", "9112 §3.2", get(host=b"host: a[::1]"), (400,)),
        ("host-behind-bracket", "9112 §3.2", get(host=b"host: [::1]a"), (400,)),
        ("host-bad-escape", "9112 §3.2", get(host=b"host: %zz"), (400,)),
        ("host-folded", "9112 §5.2", get(host=b"host:\r\n h"), (400,)),
        ("host-space-before-colon", "9112 §5.1", get(host=b"host : h"), (400,)),
    ]
}

VECTORS = {**BOTH, **CODING, **LENGTHS, **CHUNKS, **HEADS}
