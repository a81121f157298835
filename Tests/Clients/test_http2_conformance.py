"""HTTP/2 as RFC 9113 has it, by frames whose every byte is chosen, and by the h2 package as a careful client."""
import socket
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

import infer
import networks
from http2_cases import ANSWER, CASES, CONNECTION, NOTHING, PATH, POST, STREAM
from http2_frames import (
    DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GET, HEADERS, INITIAL_WINDOW_SIZE, LIVE, MAX_CONCURRENT_STREAMS,
    PING, PREFACE, PRIORITY, PROTOCOL_ERROR, REFUSED_STREAM, SETTINGS, block, frame, headers, literal, reset,
    settings, window_update)
from raw_http import Incomplete
from raw_http2 import Peer

# Waiting for what must come; nothing is decided by time.
SECONDS = 30
HEADER_BYTE_LIMIT, TARGET_BYTE_LIMIT, BODY_BYTE_LIMIT, STREAM_LIMIT = 8 << 10, 2 << 10, 4 << 20, 20
# What a connection may hold of what is neither sent nor answered.
GROWTH_LIMIT_KIBIBYTES = 32 << 10
NETWORK = networks.network("cancer_mlp")
# A stream number that no case uses.
LATER = 1001


@pytest.fixture(scope="module")
def target(start_server, repository):
    with start_server(
            repository,
            FOLDSERVE_LIMITS_MAXIMUM_HEADER_BYTE_COUNT=str(HEADER_BYTE_LIMIT),
            FOLDSERVE_LIMITS_MAXIMUM_TARGET_BYTE_COUNT=str(TARGET_BYTE_LIMIT),
            FOLDSERVE_LIMITS_MAXIMUM_BODY_BYTE_COUNT=str(BODY_BYTE_LIMIT),
            FOLDSERVE_LIMITS_MAXIMUM_CONCURRENT_STREAMS=str(STREAM_LIMIT)) as server:
        yield server.wait_until_ready()


@pytest.fixture
def connect(target):
    def connect(preface=None):
        return Peer(target.host, target.port, SECONDS, *(() if preface is None else (preface,)))
    return connect


def assert_goes_on(peer):
    assert peer.ping(b"goes on!"), f"the connection ended: {peer.goaway}"
    assert peer.get(LATER) == 200 and peer.bodies[LATER] == LIVE
    assert peer.goaway is None, peer.goaway


def assert_ends(peer, codes):
    """RFC 9113 §5.4.1: GOAWAY with the error, and the end."""
    try:
        peer.finish()
    except Incomplete:
        # A reset may take back the rest of what was under way.
        assert peer.was_reset
    if peer.goaway is None:
        assert peer.was_reset or None in codes, "closed without GOAWAY"
    else:
        assert peer.goaway.error_code in codes, peer.goaway


# More takes too long byte by byte.
BYTEWISE_LIMIT = 2000


@pytest.mark.parametrize("name, delivery", [
    (name, delivery) for name, case in CASES.items() for delivery in ("whole", "bytewise")
    if delivery == "whole" or len(case.content) <= BYTEWISE_LIMIT])
def test_case(target, connect, name, delivery):
    case = CASES[name]
    with connect(case.preface) as peer:
        (peer.send if delivery == "whole" else peer.send_bytewise)(case.content)
        if case.outcome == CONNECTION:
            if None in case.codes:
                # To end the connection is allowed, not demanded; a later ping tells.
                if not peer.ping(b"the end?"):
                    assert_ends(peer, case.codes)
                assert 3 not in peer.fields
            else:
                assert_ends(peer, case.codes)
        elif case.outcome == STREAM:
            over = lambda: 1 in peer.resets or 1 in peer.ended
            alive = peer.ping(b"stream 1") and (None in case.codes or peer.read_until(over))
            if not alive:
                # §5.4.1: a stream error may be taken for one of the connection.
                assert_ends(peer, case.codes)
            elif over() or None not in case.codes:
                assert peer.resets.get(1) in case.codes or peer.status(1) in case.statuses, (
                    peer.resets, peer.fields, peer.bodies)
                assert_goes_on(peer)
        elif case.outcome == ANSWER:
            assert peer.read_until(lambda: 1 in peer.ended), (peer.resets, peer.goaway)
            assert peer.status(1) in case.statuses, (peer.fields, peer.bodies)
        else:
            assert case.outcome == NOTHING
            assert_goes_on(peer)
    assert target.get("/v2/health/live")[0] == 200


def test_there_are_enough_cases():
    assert len(CASES) >= 200 and {case.outcome for case in CASES.values()} == {CONNECTION, STREAM, ANSWER, NOTHING}


# What goes over several turns.


def test_a_preface_that_is_none_is_http_1(connect):
    """RFC 9113 §3.4."""
    with connect(b"PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n") as peer:
        assert peer.answer().status in (400, 505) and peer.is_at_end()


def test_settings_are_acknowledged_each_and_pings_given_back(connect):
    """RFC 9113 §6.5.3, §6.7."""
    with connect() as peer:
        peer.send(settings() * 4 + b"".join(frame(PING, 0, 0, b"ping  %02d" % index) for index in range(20)))
        assert peer.read_until(lambda: len(peer.pings) == 20 and peer.acknowledged == 5)
        assert peer.pings == [b"ping  %02d" % index for index in range(20)]
        assert peer.settings[0].get(MAX_CONCURRENT_STREAMS) == STREAM_LIMIT


def test_the_window_of_a_stream_bounds_its_answer(connect):
    """RFC 9113 §6.9.2: nothing at 0, then as many bytes as there is room for; a smaller setting leaves a debt."""
    with connect(PREFACE + settings((INITIAL_WINDOW_SIZE, 0))) as peer:
        peer.send(headers(1, *GET))
        assert peer.ping(b"nothing?")
        assert peer.read_until(lambda: peer.status(1) == 200)
        assert peer.ping(b"nothing!") and not peer.bodies.get(1)
        peer.send(window_update(1, 4))
        assert peer.read_until(lambda: len(peer.bodies.get(1, b"")) >= 4)
        assert peer.ping(b"four    ") and peer.bodies[1] == LIVE[:4]
        # From 0 to 3: three more for this stream too.
        peer.send(settings((INITIAL_WINDOW_SIZE, 3)))
        assert peer.read_until(lambda: len(peer.bodies[1]) >= 7)
        # Back to 0, three in debt.
        peer.send(settings((INITIAL_WINDOW_SIZE, 0)) + window_update(1, 3))
        assert peer.ping(b"in debt ") and peer.bodies[1] == LIVE[:7]
        peer.send(window_update(1, 100))
        assert peer.read_until(lambda: 1 in peer.ended) and peer.bodies[1] == LIVE


def test_the_window_of_the_connection_bounds_all_answers(connect):
    """RFC 9113 §6.9.1: 65,535 bytes, whatever the streams may send."""
    path = (b":path", b"/v2/models/unet/graph")
    fields = [pair if pair[0] != b":path" else path for pair in GET]
    with connect(PREFACE + settings((INITIAL_WINDOW_SIZE, 1 << 30))) as peer:
        whole = b""
        assert peer.get(1, *fields) == 200
        whole = peer.bodies[1]
        count = 65_535 // len(whole) + 2
        streams = [3 + 2 * index for index in range(min(count, STREAM_LIMIT - 1))]
        if len(whole) * (len(streams) + 1) <= 65_535:
            pytest.skip("the answers are too small")
        for stream in streams:
            peer.send(headers(stream, *fields))
        total = lambda: sum(map(len, peer.bodies.values()))
        assert peer.read_until(lambda: total() >= 65_535) and peer.ping(b"no more!")
        assert total() == 65_535
        peer.send(window_update(0, 1 << 24))
        assert peer.read_until(lambda: all(stream in peer.ended for stream in streams))
        assert all(peer.bodies[stream] == whole for stream in streams)


def test_a_body_is_given_room_as_it_is_read(connect):
    """RFC 9113 §6.9: with windows handed back, a body larger than they are arrives."""
    with connect() as peer:
        stream_window = peer.take_settings().get(INITIAL_WINDOW_SIZE, 65_535)
        sent, size, piece = 0, BODY_BYTE_LIMIT, bytes(1 << 14)
        peer.send(headers(1, *POST, flags=END_HEADERS))
        window = lambda stream, first: first + peer.window_updates.get(stream, 0) - sent
        while sent < size:
            peer.read_until(lambda: min(window(0, 65_535), window(1, stream_window)) >= len(piece))
            sent += len(piece)
            peer.send(frame(DATA, END_STREAM if sent == size else 0, 1, piece))
        assert peer.read_until(lambda: 1 in peer.ended)
        assert peer.status(1) == 400


def test_a_client_that_sends_beyond_every_window_is_refused(connect):
    """RFC 9113 §6.9.1; whichever bound is met first."""
    with connect() as peer:
        peer.send(headers(1, *POST, flags=END_HEADERS))
        for _ in range(40):
            peer.send(frame(DATA, 0, 1, bytes(1 << 14)) * 32)
        alive = peer.read_until(lambda: peer.status(1) is not None or 1 in peer.resets)
        assert not alive or peer.status(1) == 413 or 1 in peer.resets


def test_streams_beyond_the_bound_are_refused_and_the_others_answered(connect):
    """RFC 9113 §5.1.2: a stream error PROTOCOL_ERROR or REFUSED_STREAM; those that are open are not lost."""
    with connect(PREFACE) as peer:
        # As long as the server's settings are not acknowledged, it must not take an excess for an error of the
        # connection: they may have been under way.
        peer.send(settings() + b"".join(
            headers(1 + 2 * index, *POST, flags=END_HEADERS) for index in range(STREAM_LIMIT + 3)))
        late = [1 + 2 * index for index in range(STREAM_LIMIT, STREAM_LIMIT + 3)]
        assert peer.read_until(lambda: all(stream in peer.resets for stream in late)), peer.goaway
        assert all(peer.resets[stream] in (PROTOCOL_ERROR, REFUSED_STREAM) for stream in late)
        for index in range(STREAM_LIMIT):
            peer.send(frame(DATA, END_STREAM, 1 + 2 * index, b"{}"))
        assert peer.read_until(lambda: all(1 + 2 * index in peer.ended for index in range(STREAM_LIMIT)))
        assert all(peer.status(1 + 2 * index) == 400 for index in range(STREAM_LIMIT))


def test_a_request_behind_an_error_of_its_stream_is_answered(connect):
    with connect() as peer:
        for stream in range(1, 60, 2):
            if stream % 4 == 1:
                peer.send(headers(stream, *GET, (b"Upper", b"x")))
            else:
                assert peer.get(stream) == 200
        assert peer.goaway is None


def test_goaway_lets_open_streams_end(connect):
    """RFC 9113 §6.8."""
    with connect() as peer:
        peer.send(headers(1, *POST, flags=END_HEADERS) + frame(7, 0, 0, bytes(8)))
        assert peer.ping(b"still on")
        peer.send(frame(DATA, END_STREAM, 1, b"{}"))
        assert peer.read_until(lambda: 1 in peer.ended) and peer.status(1) == 400
        peer.finish()


@pytest.mark.parametrize("fields, status", [
    ((), 200), (((b"expect", b"100-continue"),), 200), (((b"trailer", b"x"),), 200)])
def test_a_body_is_taken_in_any_number_of_frames(connect, fields, status):
    body = infer.json_body("input", NETWORK.inputs["input"])
    with connect() as peer:
        peer.send(headers(1, *POST, *fields, flags=END_HEADERS))
        for start in range(0, len(body), 777):
            peer.send(frame(DATA, 0, 1, body[start:start + 777]) + frame(DATA, 0, 1))
        peer.send(headers(1, (b"x", b"y")) if (b"trailer", b"x") in fields else frame(DATA, END_STREAM, 1))
        assert peer.read_until(lambda: 1 in peer.ended) and peer.status(1) == status


def test_an_interim_answer_comes_before_the_body(connect):
    """RFC 9113 §8.1, RFC 9110 §10.1.1."""
    body = infer.json_body("input", NETWORK.inputs["input"])
    with connect() as peer:
        peer.send(headers(1, *POST, (b"expect", b"100-continue"), flags=END_HEADERS))
        assert peer.read_until(lambda: 1 in peer.fields)
        assert peer.fields[1][0][":status"] == "100"
        peer.send(frame(DATA, END_STREAM, 1, body))
        assert peer.read_until(lambda: 1 in peer.ended) and peer.status(1) == 200


@pytest.mark.parametrize("path", [b"/v2/health/live", b"/v2/nothing", b"/v2/models"])
def test_head_has_the_fields_of_get_and_no_body(connect, path):
    fields = [(name, path if name == b":path" else value) for name, value in GET]
    with connect() as peer:
        peer.get(1, *fields)
        peer.get(3, (b":method", b"HEAD"), *fields[1:])
        assert peer.status(3) == peer.status(1) and not peer.bodies.get(3)
        assert peer.fields[3][0].keys() == peer.fields[1][0].keys()
        assert peer.fields[3][0]["content-length"] == peer.fields[1][0]["content-length"]


# Floods: RFC 9113 §10.5. The connection ends or is not read; others are served, and memory does not grow.


def resident_kibibytes(server):
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def streams(make, count):
    return b"".join(make(1 + 2 * index) for index in range(count))


RESETS = {
    "rapid-reset": (lambda stream: headers(stream, *GET) + reset(stream), 20_000),
    "reset-of-open-streams": (lambda stream: headers(stream, *POST, flags=END_HEADERS) + reset(stream), 20_000),
    # The client has the server do the resetting.
    "reset-by-window": (lambda stream: headers(stream, *POST, flags=END_HEADERS) + window_update(stream, 0), 20_000),
    "reset-by-overflow": (
        lambda stream: headers(stream, *POST, flags=END_HEADERS) + window_update(stream, (1 << 31) - 1), 20_000),
    "reset-by-fields": (lambda stream: headers(stream, *GET, (b"Upper", b"x")), 20_000),
    "reset-by-length": (lambda stream: headers(stream, *POST, (b"content-length", b"5")), 20_000),
}
FLOODS = {
    "ping": frame(PING, 0, 0, bytes(8)) * 200_000,
    "settings": settings((INITIAL_WINDOW_SIZE, 1)) * 100_000,
    "settings-of-many": frame(SETTINGS, 0, 0, (b"\0\4\0\0\0\1") * 2730) * 200,
    "priority": b"".join(frame(PRIORITY, 0, 1 + 2 * index, bytes(5)) for index in range(200_000)),
    "window-update": window_update(0, 1) * 300_000,
    "unknown": frame(0xBB, 0, 0, b"x" * 20) * 100_000,
    "empty-data": headers(1, *POST, flags=END_HEADERS) + frame(DATA, 0, 1) * 300_000,
    "padding-alone": headers(1, *POST, flags=END_HEADERS) + frame(DATA, 8, 1, b"\xff" + bytes(255)) * 50_000,
    **{name: streams(*reset) for name, reset in RESETS.items()},
    "table-updates": frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\x20" * 16_000) * 100,
    # One byte a field: an entry of the table, again and again.
    "field-bomb": b"".join(
        frame(HEADERS, END_STREAM, 1 + 2 * index, block(*GET) + literal(b"x", b"y" * 3900, b"\x40") + b"\xbe" * 12_000)
        + frame(9, END_HEADERS, 1 + 2 * index, b"\xbe" * 16_000) for index in range(50)),
    "requests-without-reading": streams(lambda stream: headers(stream, *GET), 20_000),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_costs_others_nothing_and_no_memory(target, connect, name):
    before = resident_kibibytes(target)
    with connect() as peer:
        # Nothing is read while it lasts: the answers pile up, or the server stops reading.
        peer.socket.settimeout(1)
        view = memoryview(FLOODS[name])
        try:
            while view:
                view = view[peer.socket.send(view[:1 << 16]):]
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            pass
        assert target.get("/v2/health/live")[0] == 200
        assert resident_kibibytes(target) - before < GROWTH_LIMIT_KIBIBYTES
    assert target.get("/v2/health/live")[0] == 200


@pytest.mark.parametrize("name", RESETS)
def test_resets_without_end_end_the_connection(connect, name):
    """RFC 9113 §10.5: whoever of the two resets."""
    with connect() as peer:
        make, count = RESETS[name]
        for first in range(0, count, 100):
            peer.send(b"".join(make(1 + 2 * index) for index in range(first, first + 100)))
            if not peer.ping(b"%08d" % first):
                break
        else:
            raise AssertionError("all of it was taken")
        # §6.9: a window update of 0 may be taken for an error of the connection at once.
        codes = (ENHANCE_YOUR_CALM, PROTOCOL_ERROR) if name == "reset-by-window" else (ENHANCE_YOUR_CALM,)
        assert peer.goaway is not None and peer.goaway.error_code in codes or peer.was_reset


# A careful client: h2 checks each frame and field that comes.


class Client:
    def __init__(self, server, values):
        self.socket = socket.create_connection((server.host, server.port), SECONDS)
        self.connection = h2.connection.H2Connection(
            h2.config.H2Configuration(header_encoding="utf-8", validate_inbound_headers=True))
        self.connection.initiate_connection()
        if values:
            self.connection.update_settings(values)
        self.bodies, self.fields, self.ended = {}, {}, set()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def read(self):
        data = self.socket.recv(1 << 16)
        assert data, "the connection ended"
        for event in self.connection.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self.fields[event.stream_id] = dict(event.headers)
                case h2.events.DataReceived():
                    self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                    self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.StreamEnded():
                    self.ended.add(event.stream_id)
                case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                    raise AssertionError(event)
        self.flush()

    def post(self, path, body):
        stream = self.connection.get_next_available_stream_id()
        self.connection.send_headers(stream, [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "h"),
            ("content-length", str(len(body)))])
        while body:
            count = min(self.connection.local_flow_control_window(stream), self.connection.max_outbound_frame_size)
            if count == 0:
                self.flush()
                self.read()
                continue
            self.connection.send_data(stream, body[:count])
            body = body[count:]
        self.connection.end_stream(stream)
        self.flush()
        return stream


@pytest.mark.parametrize("values", [
    {}, {h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0}, {h2.settings.SettingCodes.HEADER_TABLE_SIZE: 65_536},
    {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 7}, {h2.settings.SettingCodes.MAX_FRAME_SIZE: 1 << 20}],
    ids=str)
def test_a_careful_client_finds_nothing_wrong(target, values):
    body = infer.json_body("input", NETWORK.inputs["input"])
    with Client(target, values) as client:
        ids = [client.post(PATH.decode(), body) for _ in range(3)]
        ids.append(client.post("/v2/nothing", b"x" * 100_000))
        while not all(stream in client.ended for stream in ids):
            client.read()
        for stream in ids[:3]:
            assert client.fields[stream][":status"] == "200", client.bodies[stream]
            outputs = infer.outputs(client.fields[stream], client.bodies[stream])
            networks.assert_close(outputs["output"], NETWORK.expected["output"], 1e-4)
        assert client.fields[ids[3]][":status"] == "404"
