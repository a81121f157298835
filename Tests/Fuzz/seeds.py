#!/usr/bin/env python3
"""Writes seeds for the fuzz targets: seeds.py FOLDER

    FOLDER/onnx/    a model of one node for each operator, from Tests/Fixtures/operators, and all small fixture models
    FOLDER/npy/     the fixtures' small arrays
    FOLDER/http1/   messages as Tests/Clients sends them, and http2/ frames
    FOLDER/infer/   requests with JSON, and grpc/ calls: see serving_seeds.py; configuration/ variables and files
    FOLDER/zip/     archives, and hdf5/, keras/, pytorch/: see model_seeds.py
    FOLDER/planted/ what each target starts from when it looks for its planted crash
    FOLDER/*.dict   words that chance would not find
"""
import json
import shutil
import struct
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(TESTS / "Clients"))

import http1_vectors
import http2_cases
import http2_frames
import model_seeds
import serving_seeds

MAXIMUM_BYTE_COUNT = 4096
CASES_PER_OPERATOR = 4
NUMBERS = {
    "float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "bool": 9, "float16": 10,
    "float64": 11, "uint32": 12, "uint64": 13, "bfloat16": 16,
}
WIDTHS = {"float16": 2, "bfloat16": 2, "bool": 1}


def varint(value):
    value &= (1 << 64) - 1
    result = bytearray()
    while value >= 0x80:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(result + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(type, shape, content, name=None):
    parts = [number(1, extent) for extent in shape] + [number(2, NUMBERS[type])]
    return b"".join(parts) + (data(8, name) if name else b"") + data(9, content)


def port(name, type, shape):
    dimensions = b"".join(data(1, number(1, extent)) for extent in shape)
    return data(1, name) + data(2, data(1, number(1, NUMBERS[type]) + data(2, dimensions)))


def elements(value, blob):
    width = WIDTHS.get(value["type"]) or int("".join(c for c in value["type"] if c.isdigit())) // 8
    count = width
    for extent in value["shape"]:
        count *= extent
    return blob[value["offset"]:value["offset"] + count]


def attribute(name, value):
    kind, value = value["kind"].lower(), value["value"]
    body = data(1, name)
    if kind == "string":
        return body + data(4, value) + number(20, 3)
    if kind == "int":
        return body + number(3, value) + number(20, 2)
    if kind == "float":
        return body + varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1)
    if kind == "ints":
        return body + b"".join(number(8, item) for item in value) + number(20, 7)
    if kind == "floats":
        return body + b"".join(varint(7 << 3 | 5) + struct.pack("<f", item) for item in value) + number(20, 6)
    return None


def model(case, blob, constant_from):
    """Inputs from `constant_from` on are initializers."""
    inputs, parts, names = case["inputs"], [], []
    for position, value in enumerate(inputs):
        names.append(f"i{position}" if value else "")
        if not value:
            continue
        if position >= constant_from:
            parts.append(data(5, tensor(value["type"], value["shape"], elements(value, blob), f"i{position}")))
        else:
            parts.append(data(11, port(f"i{position}", value["type"], value["shape"])))
    outputs = [f"o{position}" for position in range(len(case["outputs"]))]
    node = b"".join(data(1, name) for name in names) + b"".join(data(2, name) for name in outputs)
    node += data(4, case["type"])
    for name, value in case["attributes"].items():
        encoded = attribute(name, value)
        if encoded is None:
            return None
        node += data(5, encoded)
    parts.append(data(1, node))
    parts += [data(12, port(name, value["type"], value["shape"])) for name, value in zip(outputs, case["outputs"])]
    return number(1, 8) + data(8, number(2, case["opset"])) + data(7, data(2, "g") + b"".join(parts))


def write_onnx(folder):
    counts = {}
    path = TESTS / "Fixtures/operators" / "random.json"
    blob = path.with_suffix(".bin").read_bytes()
    for case in json.loads(path.read_text()):
        for constant_from in (1, 0):
            key = (case["type"], constant_from)
            encoded = model(case, blob, constant_from)
            if encoded is None or len(encoded) > MAXIMUM_BYTE_COUNT or counts.get(key, 0) >= CASES_PER_OPERATOR:
                continue
            counts[key] = counts.get(key, 0) + 1
            (folder / f"{case['type']}_{constant_from}_{counts[key]}").write_bytes(encoded)
    (folder / "Affine").write_bytes(affine())
    for path in sorted(TESTS.glob("Fixtures/**/*.onnx")):
        if path.stat().st_size <= 3 * MAXIMUM_BYTE_COUNT:
            shutil.copy(path, folder / "_".join(path.relative_to(TESTS / "Fixtures").with_suffix("").parts))
    return len({type for type, _ in counts})


def affine():
    """A convolution without a bias behind foldserve's own operator, as in a cached fold."""
    def doubles(name, *values):
        return data(5, data(1, name) + data(5, tensor("float64", [len(values)], struct.pack(f"<{len(values)}d", *values)))
                    + number(20, 4))
    node = data(1, "x") + data(2, "h") + data(3, "bn") + data(4, "Affine") + data(7, "foldserve")
    node += doubles("scale", 2, -0.5) + doubles("shift", 1, 3) + data(5, attribute("axis", {"kind": "int", "value": 1}))
    convolution = data(1, "h") + data(1, "w") + data(2, "y") + data(4, "Conv")
    weight = tensor("float32", [2, 2, 1, 1], struct.pack("<4f", 1, 2, 3, 4), "w")
    ports = data(11, port("x", "float32", [1, 2, 3, 3])) + data(12, port("y", "float32", [1, 2, 3, 3]))
    graph = data(2, "g") + data(1, node) + data(1, convolution) + data(5, weight) + ports
    return number(1, 8) + data(8, number(2, 17)) + data(7, graph)


def write(folder, name, contents):
    (folder / name).mkdir(parents=True, exist_ok=True)
    for index, content in enumerate(contents):
        (folder / name / str(index)).write_bytes(content)


def dictionary(words):
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word.encode()) + '"\n' for word in words)


HTTP1_WORDS = [
    "\r\n", "\r\n\r\n", "GET ", "POST ", "HEAD ", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "host: h\r\n", "content-length: ",
    "transfer-encoding: chunked\r\n", "connection: close\r\n", "connection: keep-alive\r\n", "expect: 100-continue\r\n",
    "0\r\n\r\n", "1\r\nx\r\n", "/h", "/d", "/t", "/n", "http://h/"]


def write_serving(folder):
    """Returns how many seeds there are in all."""
    vectors = http1_vectors.VECTORS.values()
    one = b"GET /aaaa HTTP/1.1\r\nhost: h\r\n\r\n"
    http1 = {message for vector in vectors for message in (vector.attack, *vector.controls) if len(message) <= 1024}
    http1 |= {http1_vectors.get(target=target) * 3 for target in (b"/h", b"/d", b"/t", b"/n")}
    frames = http2_frames.headers(1, *[(name, b"/aaaa" if name == b":path" else value) for name, value in http2_frames.GET])
    http2 = [case.content for case in http2_cases.CASES.values() if case.preface is None and len(case.content) <= 1024]
    corpora = {"http1": sorted(http1), "http2": http2}
    for name, seeds in corpora.items():
        write(folder, name, seeds)
    planted = {"http1": one, "http2": frames}
    for name, seed in planted.items():
        write(folder / "planted", name, [seed])
    (folder / "http1.dict").write_text(dictionary(HTTP1_WORDS))
    return sum(map(len, corpora.values()))


def main(folder):
    for name in ("onnx", "npy", "planted/onnx", "planted/npy"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for path in TESTS.glob("Fixtures/chains/*.npy"):
        shutil.copy(path, folder / "npy" / path.name)
    operators = write_onnx(folder / "onnx")
    # One seed, so that the crash is a matter of mutation and coverage.
    shutil.copy(folder / "onnx/PRelu_1_1", folder / "planted/onnx")
    messages = write_serving(folder)
    messages += serving_seeds.write(folder, number, data)
    models = model_seeds.write(folder)
    print(f"seeds: {len(list((folder / 'onnx').iterdir()))} models of {operators} operators, "
          f"{len(list((folder / 'npy').iterdir()))} arrays, {messages} messages, "
          f"{models} files of model formats")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
