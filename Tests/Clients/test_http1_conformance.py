"""HTTP/1.1 as RFC 9110 and 9112 have it, by messages whose every byte is chosen."""
import re
import socket

import pytest

from http1_vectors import (
    BODY, CHUNKED, GOOD_CHUNKED, GOOD_SIZED, LIVE, PATH, SIZED, SMUGGLED, VECTORS, chunks, get, post)
from raw_http import Exchange

# Waiting for what must come; nothing is decided by time.
SECONDS = 30
HEADER_BYTE_LIMIT, TARGET_BYTE_LIMIT, BODY_BYTE_LIMIT, FIELD_LIMIT = 4 << 10, 1 << 10, 1 << 16, 20
PIPELINE_LIMIT = 16


@pytest.fixture(scope="module")
def target(start_server, repository):
    with start_server(
            repository,
            FOLDSERVE_LIMITS_MAXIMUM_HEADER_BYTE_COUNT=str(HEADER_BYTE_LIMIT),
            FOLDSERVE_LIMITS_MAXIMUM_HEADER_COUNT=str(FIELD_LIMIT),
            FOLDSERVE_LIMITS_MAXIMUM_TARGET_BYTE_COUNT=str(TARGET_BYTE_LIMIT),
            FOLDSERVE_LIMITS_MAXIMUM_BODY_BYTE_COUNT=str(BODY_BYTE_LIMIT)) as server:
        yield server.wait_until_ready()


@pytest.fixture
def connect(target):
    return lambda: Exchange(target.host, target.port, SECONDS)


DELIVERIES = {"whole": Exchange.send, "bytewise": Exchange.send_bytewise}


def assert_live(answer):
    assert answer is not None, "no answer"
    assert answer.status == 200 and answer.body == b'{"live":true}', answer


def assert_refused(exchange, statuses):
    """One error, and the end: whatever else was sent is not taken for a request."""
    answer = exchange.answer()
    assert answer is not None, "closed without an answer"
    assert answer.status in statuses, answer
    assert answer.headers["connection"].lower() == "close"
    assert answer.headers["content-type"] == "application/json" and b'"error"' in answer.body
    assert b"smuggled" not in answer.body
    assert exchange.is_at_end(), f"more was answered: {exchange.received[:500]}"


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("name", VECTORS)
def test_an_ambiguous_message_is_refused_and_nothing_in_or_behind_it_answered(connect, name, delivery):
    vector = VECTORS[name]
    with connect() as exchange:
        DELIVERIES[delivery](exchange, vector.attack + LIVE)
        assert_refused(exchange, vector.statuses)


@pytest.mark.parametrize("name", VECTORS)
def test_an_ambiguous_message_behind_a_good_one_is_refused(connect, name):
    vector = VECTORS[name]
    with connect() as exchange:
        exchange.send(LIVE + vector.attack + LIVE)
        assert_live(exchange.answer())
        assert_refused(exchange, vector.statuses)


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("controls", sorted({vector.controls for vector in VECTORS.values()}), ids=lambda x: "")
def test_the_same_forms_without_a_fault_are_answered(connect, controls, delivery):
    with connect() as exchange:
        for control in controls:
            DELIVERIES[delivery](exchange, control + LIVE)
            answer = exchange.answer()
            assert answer.status == 200, (control, answer)
            assert_live(exchange.answer())


@pytest.mark.parametrize("message", [
    post(b"", b"content-length: 0"),
    post(SMUGGLED, b"content-length: %d" % len(SMUGGLED)),
    post(chunks(SMUGGLED, size=7), CHUNKED),
    # Not the fields that frame.
    post(SMUGGLED, b"content-length: %d" % len(SMUGGLED), b"transfer_encoding: chunked"),
    post(SMUGGLED, b"content-length: %d" % len(SMUGGLED), b"content-encoding: chunked"),
    post(SMUGGLED, b"content-length: %d" % len(SMUGGLED), b"x-transfer-encoding: chunked"),
    post(chunks(SMUGGLED), CHUNKED, b"content_length: 3"),
    get(b"content-length: %d" % len(SMUGGLED), target=b"/v2/nothing") + SMUGGLED,
    get(CHUNKED, target=b"/v2/nothing") + chunks(SMUGGLED),
])
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_request_inside_a_body_is_data(connect, message, delivery):
    with connect() as exchange:
        DELIVERIES[delivery](exchange, message + LIVE)
        answer = exchange.answer()
        assert 400 <= answer.status < 500 and "connection" not in answer.headers, answer
        assert_live(exchange.answer())


SPLIT = {
    "sized": GOOD_SIZED + LIVE,
    "chunked": post(chunks(BODY, b"x: y", extension=b";a", size=60), CHUNKED) + LIVE,
    "refused-chunk": post(b"3\r\nabc\r\nz\r\n", CHUNKED) + LIVE,
    "both": VECTORS["both-length-first"].attack + LIVE,
    "pipeline": LIVE + get(method=b"HEAD") + GOOD_SIZED[:60] + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", SPLIT)
def test_the_answers_do_not_depend_on_where_a_message_is_cut(connect, name):
    """The bytes before the cut are known to have arrived when the answer to a request in front of them has."""
    message = SPLIT[name]

    def answers(cut):
        with connect() as exchange:
            exchange.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            exchange.send(LIVE + message[:cut])
            assert_live(exchange.answer())
            exchange.send(message[cut:])
            exchange.end()
            while exchange.more():
                pass
            # Whether the end has been seen when an answer is written is a matter of time.
            return re.sub(rb"(date|server-timing|connection|[a-z-]*id): [^\r]*\r\n", b"", exchange.received)

    expected = answers(0)
    assert expected
    for cut in range(1, len(message)):
        assert answers(cut) == expected, f"cut at {cut}: {message[:cut]!r}"


# Targets and hosts that are right. RFC 9112 §3.2.


@pytest.mark.parametrize("message", [
    get(target=b"/v2/health/live?x=y"),
    get(target=b"http://h/v2/health/live"),
    get(target=b"HTTP://H:80/v2/health/live"),
    get(target=b"https://h/v2/health/live"),
    # RFC 9112 §3.2.2: the target's authority counts, not the field.
    get(target=b"http://other:8080/v2/health/live"),
    get(target=b"http://[::1]:80/v2/health/live", host=b"host: [::1]:80"),
    get(host=b"host:"), get(host=b"HOST:h"), get(host=b"host: \t h \t"), get(host=b"host: h:"),
    get(host=b"host: 127.0.0.1:8080"), get(host=b"host: [::1]"), get(host=b"host: [::1]:80"),
    get(host=b"host: a-b.c_d~e:65535"), get(host=b"host: %61"),
    get(version=b"HTTP/1.2"), get(version=b"HTTP/1.9"),
])
def test_a_target_and_host_that_are_right_are_taken(connect, message):
    with connect() as exchange:
        exchange.send(message + LIVE)
        assert_live(exchange.answer())
        assert_live(exchange.answer())


def test_options_of_everything_is_answered(connect):
    """RFC 9112 §3.2.4; which methods a resource has is said with 405."""
    with connect() as exchange:
        exchange.send(get(method=b"OPTIONS", target=b"*") + LIVE)
        assert exchange.answer().status in (200, 204, 404, 405, 501)
        assert_live(exchange.answer())


@pytest.mark.parametrize("method", [b"TRACE", b"PUT", b"DELETE", b"PATCH", b"BREW", b"get", b"PRI"])
def test_a_method_that_is_not_there_is_refused_and_the_next_request_answered(connect, method):
    """RFC 9110 §15.5.6: with the methods that are; TRACE gives nothing back (§9.3.8)."""
    with connect() as exchange:
        exchange.send(get(b"x: secret", method=method) + LIVE)
        answer = exchange.answer()
        assert answer.status in (405, 501) and b"secret" not in answer.body
        if answer.status == 405:
            assert "GET" in answer.headers["allow"]
        assert_live(exchange.answer())


# HEAD, persistence, pipelines.


@pytest.mark.parametrize("path", [b"/v2/health/live", b"/v2", b"/v2/nothing", b"/metrics"])
def test_head_has_the_head_of_get_and_no_body(connect, path):
    """RFC 9110 §9.3.2."""
    with connect() as exchange:
        exchange.send(get(target=path) + get(method=b"HEAD", target=path) + LIVE)
        whole, head = exchange.answer(), exchange.answer(has_body=False)
        assert head.status == whole.status and head.headers.keys() == whole.headers.keys()
        if path != b"/metrics":
            assert head.headers["content-length"] == whole.headers["content-length"]
        assert_live(exchange.answer())


@pytest.mark.parametrize("message, closes", [
    (get(), False), (get(b"connection: keep-alive"), False), (get(b"connection: x, y"), False),
    (get(b"connection: close"), True), (get(b"Connection: CLOSE"), True), (get(b"connection: x, close ,"), True),
    (get(b"connection: x", b"connection: close"), True), (get(b"connection: keep-alive, close"), True),
    (get(version=b"HTTP/1.0"), True), (get(b"connection: keep-alive", version=b"HTTP/1.0"), False),
    (get(b"connection: close", version=b"HTTP/1.0"), True), (get(version=b"HTTP/1.0", host=None), True),
    (get(b"proxy-connection: keep-alive", version=b"HTTP/1.0"), True),
    (post(BODY, SIZED, b"connection: close"), True), (post(chunks(BODY), CHUNKED, b"connection: close"), True),
])
def test_a_connection_persists_as_it_says(connect, message, closes):
    """RFC 9112 §9.3, §9.6: a request behind one that closes is not answered."""
    with connect() as exchange:
        exchange.send(message + LIVE)
        answer = exchange.answer()
        assert answer.status == 200
        if closes:
            assert answer.headers["connection"] == "close"
            assert exchange.is_at_end()
        else:
            assert answer.headers.get("connection", "keep-alive") == "keep-alive"
            assert_live(exchange.answer())


def test_a_pipeline_longer_than_the_bound_is_answered_whole_and_in_order(connect):
    """RFC 9112 §9.3.2."""
    count = 5 * PIPELINE_LIMIT
    paths = [(b"/v2/health/live", 200), (b"/v2/nothing", 404), (PATH, 405)]
    with connect() as exchange:
        sent = b""
        for index in range(count):
            sent += GOOD_CHUNKED if index % 4 == 3 else get(target=paths[index % 4][0])
        exchange.send(sent)
        exchange.end()
        for index in range(count):
            assert exchange.answer().status == (200 if index % 4 == 3 else paths[index % 4][1]), index
        assert exchange.is_at_end()


def test_an_error_within_a_pipeline_comes_behind_the_answers_before_it(connect):
    with connect() as exchange:
        exchange.send(GOOD_SIZED * 3 + get(b"x y") + LIVE)
        for _ in range(3):
            assert exchange.answer().status == 200
        assert_refused(exchange, (400,))


# Expect. RFC 9110 §10.1.1.


@pytest.mark.parametrize("body, framing", [(BODY, SIZED), (chunks(BODY), CHUNKED)], ids=["sized", "chunked"])
@pytest.mark.parametrize("value", [b"100-continue", b"100-Continue"])
def test_a_client_that_waits_is_told_to_continue(connect, body, framing, value):
    with connect() as exchange:
        exchange.send(post(b"", framing, b"expect: " + value))
        assert exchange.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        exchange.send(body + LIVE)
        assert exchange.answer().status == 200
        assert_live(exchange.answer())
        assert not exchange.interim, "told twice"


def test_a_client_that_does_not_wait_need_not_be_told(connect):
    with connect() as exchange:
        exchange.send(post(BODY, SIZED, b"expect: 100-continue") + LIVE)
        assert exchange.answer().status == 200
        assert_live(exchange.answer())
        assert exchange.interim in ([], [100])


@pytest.mark.parametrize("message", [
    get(b"expect: 100-continue"),
    post(BODY, SIZED, b"expect: 100-continue", b"connection: keep-alive", version=b"HTTP/1.0"),
    post(BODY, SIZED, b"expect: other", b"connection: keep-alive", version=b"HTTP/1.0"),
])
def test_no_interim_answer_without_a_body_or_to_http_1_0(connect, message):
    with connect() as exchange:
        exchange.send(message + LIVE)
        assert exchange.answer().status == 200
        assert_live(exchange.answer())
        assert not exchange.interim


@pytest.mark.parametrize("value", [b"200-ok", b"100-continue, x", b"100", b"100-continue=1"])
def test_an_expectation_that_cannot_be_met_is_refused(connect, value):
    with connect() as exchange:
        exchange.send(post(BODY, SIZED, b"expect: " + value) + SMUGGLED)
        assert_refused(exchange, (417,))


def test_a_body_too_large_is_refused_before_it_is_sent(connect):
    with connect() as exchange:
        exchange.send(post(b"", b"content-length: %d" % (BODY_BYTE_LIMIT + 1), b"expect: 100-continue"))
        assert_refused(exchange, (413,))
        assert not exchange.interim


# Upgrades. RFC 9110 §7.8: a server may ignore them.


@pytest.mark.parametrize("fields", [
    (b"connection: upgrade, http2-settings", b"upgrade: h2c", b"http2-settings: AAMAAABkAARAAAAAAAIAAAAA"),
    (b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
     b"sec-websocket-version: 13"),
    (b"connection: upgrade", b"upgrade: HTTP/2.0, TLS/1.0"),
    (b"upgrade: h2c",),
])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_upgrade_is_ignored(connect, fields, method):
    with connect() as exchange:
        exchange.send((get(*fields) if method == "get" else post(BODY, SIZED, *fields)) + LIVE)
        answer = exchange.answer()
        assert answer.status == 200 and "upgrade" not in answer.headers and not exchange.interim
        assert_live(exchange.answer())


# Bounds: one at it, one past it.


def padded_head(byte_count):
    """A request whose field lines have so many bytes."""
    rest = byte_count - len(b"host: h\r\n") - len(b"x: \r\n")
    return get(b"x: " + b"a" * rest)


@pytest.mark.parametrize("at, status, past, refusal", [
    (get(target=b"/".ljust(TARGET_BYTE_LIMIT, b"a")), 404, get(target=b"/".ljust(TARGET_BYTE_LIMIT + 1, b"a")), 414),
    (padded_head(HEADER_BYTE_LIMIT), 200, padded_head(HEADER_BYTE_LIMIT + 1), 431),
    (get(*[b"x: y"] * (FIELD_LIMIT - 1)), 200, get(*[b"x: y"] * FIELD_LIMIT), 431),
    (post(b"a" * BODY_BYTE_LIMIT, b"content-length: %d" % BODY_BYTE_LIMIT), 400,
     post(b"a" * (BODY_BYTE_LIMIT + 1), b"content-length: %d" % (BODY_BYTE_LIMIT + 1)), 413),
    (post(chunks(b"a" * BODY_BYTE_LIMIT, size=9999), CHUNKED), 400,
     post(chunks(b"a" * (BODY_BYTE_LIMIT + 1), size=9999), CHUNKED), 413),
    (post(chunks(BODY, *[b"x: y"] * (FIELD_LIMIT - 2)), CHUNKED), 200,
     post(chunks(BODY, *[b"x: y"] * (FIELD_LIMIT - 1)), CHUNKED), 431),
], ids=["target", "header bytes", "fields", "sized body", "chunked body", "trailers"])
def test_what_is_at_a_bound_is_taken_and_one_past_it_refused(connect, at, status, past, refusal):
    with connect() as exchange:
        exchange.send(at + LIVE)
        assert exchange.answer().status == status
        assert_live(exchange.answer())
    with connect() as exchange:
        exchange.send(past + SMUGGLED)
        assert_refused(exchange, (refusal,))


# What comes back.


@pytest.mark.parametrize("message", [
    LIVE, GOOD_SIZED, get(target=b"/v2/nothing"), get(method=b"DELETE"), get(method=b"HEAD"), get(target=b"/metrics"),
    get(target=b"/v2/models/%0d%0aset-cookie:%20a=b%0d%0a%0d%0aHTTP/1.1"), get(b"x y"),
])
def test_an_answer_is_well_formed(connect, message):
    """RFC 9112 §4, RFC 9110 §5.6.7 and §6.6.1; nothing of the request gets into the head."""
    with connect() as exchange:
        exchange.send(message)
        exchange.end()
        while exchange.more():
            pass
        head, _, body = exchange.received.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert re.fullmatch(rb"HTTP/1\.1 [2-5]\d\d [ -~]*", lines[0])
        assert all(re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [ -~]*", line) for line in lines[1:]), lines
        fields = dict(line.lower().split(b": ", 1) for line in lines[1:])
        assert len(fields) == len(lines) - 1
        assert b"transfer-encoding" not in fields and b"set-cookie" not in fields
        assert re.fullmatch(
            rb"(mon|tue|wed|thu|fri|sat|sun), \d\d (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) \d{4} "
            rb"\d\d:\d\d:\d\d gmt", fields[b"date"])
        assert len(body) == (0 if message.startswith(b"HEAD") else int(fields[b"content-length"]))


def test_there_are_enough_vectors():
    assert len(VECTORS) >= 200
