"""Requests that are good HTTP and must be refused: {name: Request}. The model is cancer_mlp: `input` [N, 30] FP32."""
import json
import struct
from dataclasses import dataclass, field

from infer import HEADER

MODEL = "cancer_mlp"
PATH = f"/v2/models/{MODEL}/infer"
ITEM = [0.0] * 30


@dataclass(frozen=True)
class Request:
    body: bytes = b""
    statuses: tuple = (400,)
    method: str = "POST"
    path: str = PATH
    headers: dict = field(default_factory=dict)
    # What the error has to mention.
    mentions: str = ""


def text(body, **more):
    return Request(body if isinstance(body, bytes) else body.encode(), **more)


def tensor(**changes):
    """A request whose only input is right but for `changes`; a change to None removes the member."""
    member = {"name": "input", "shape": [1, 30], "datatype": "FP32", "data": ITEM, **changes}
    return {"inputs": [{name: value for name, value in member.items() if value is not None}]}


def changed(mentions="", statuses=(400,), **changes):
    return text(json.dumps(tensor(**changes)), mentions=mentions, statuses=statuses)


def with_data(data):
    """A request whose data is the given text."""
    return text(b'{"inputs":[{"name":"input","shape":[1,30],"datatype":"FP32","data":' + data + b"}]}")


def with_number(number):
    return with_data(b"[" + number + b",0" * 29 + b"]")


def whole(**members):
    """A right request with members added or replaced."""
    return text(json.dumps({**tensor(), **members}))


def outputs(value):
    return whole(outputs=value)


def binary(data=struct.pack("<30f", *ITEM), header=None, size=120, envelope=None, mentions="", **more):
    """Binary data appended; `header` is the value of the length field, by default the right one."""
    if envelope is None:
        envelope = json.dumps(tensor(data=None, parameters={"binary_data_size": size})).encode()
    length = str(len(envelope)) if header is None else header
    return Request(envelope + data, headers={HEADER: length}, mentions=mentions, **more)


def get(path, *statuses):
    return Request(method="GET", path=path, statuses=statuses or (404,))


def for_path(*statuses, path, mentions=""):
    """A right body for a wrong path."""
    return Request(json.dumps(tensor()).encode(), statuses, path=path, mentions=mentions)


def deep(opening, closing, depth=100_000):
    return opening * depth + closing * depth


BODIES = {
    # Not JSON, or not an object. RFC 8259.
    "empty": text(b""),
    "white-space": text(b" \n\t "),
    "brace": text(b"{"),
    "garbage": text(b"\x00\x01\x02\xff"),
    "array": text(b"[]"),
    "null": text(b"null"),
    "string": text(b'"x"'),
    "number": text(b"5"),
    "true": text(b"true"),
    "word": text(b"inputs"),
    "two-values": text(json.dumps(tensor()) + "{}"),
    "trailing-garbage": text(json.dumps(tensor()) + "x"),
    "trailing-nul": text(json.dumps(tensor()) + "\0"),
    "trailing-comma": text(b'{"inputs":[],}'),
    "single-quotes": text(b"{'inputs':[]}"),
    "unquoted-name": text(b"{inputs:[]}"),
    "comment": text(b'/* c */{"inputs":[]}'),
    "missing-colon": text(b'{"inputs" []}'),
    "missing-comma": text(b'{"id":"1" "inputs":[]}'),
    "colon-for-comma": text(b'{"inputs":[1:2]}'),
    "form-feed": text(b"\x0c" + json.dumps(tensor()).encode()),
    "utf-16": text(json.dumps(tensor()).encode("utf-16")),
    "unterminated-string": text(b'{"inputs":[{"name":"input'),
    "unterminated-array": text(b'{"inputs":[{"name":"input","shape":[1,30],"datatype":"FP32","data":[0,0'),
    "unterminated-escape": text(b'{"inputs":[{"name":"\\'),
    "bad-escape": text(json.dumps(tensor()).replace('"input"', r'"inp\xut"')),
    "bad-unicode-escape": text(json.dumps(tensor()).replace('"input"', r'"inpu\u00zz"')),
    "cut-unicode-escape": text(b'{"id":"\\u12"'),
    "lone-surrogate": text(json.dumps(tensor()).replace('"input"', r'"\ud800"')),
    "control-in-string": text(json.dumps(tensor()).replace('"input"', '"inp\tut"')),
    "nul-in-name": text(json.dumps(tensor()).replace('"input"', r'"input\u0000"')),
    "bad-utf8-in-name": text(json.dumps(tensor()).encode().replace(b'"input"', b'"inp\xffut"')),
    "overlong-utf8": text(json.dumps(tensor()).encode().replace(b'"input"', b'"inp\xc0\xafut"')),
    "utf8-surrogate": text(json.dumps(tensor()).encode().replace(b'"input"', b'"inp\xed\xa0\x80ut"')),
    "bad-utf8-in-key": text(b'{"\xff":1}'),
    "misspelt-literal": text(b'{"inputs":nul}'),

    # Deep, wide and long.
    "deep-arrays": text(deep(b"[", b"]")),
    "deep-objects": text(deep(b'{"a":', b"}")),
    "deep-open-arrays": text(b"[" * 500_000),
    "deep-unknown-member": text(b'{"x":' + deep(b"[", b"]") + b',"inputs":[]}'),
    "deep-data": with_data(deep(b"[", b"]")),
    "deep-parameters": text(b'{"parameters":' + deep(b'{"a":', b"}").replace(b":}", b":1}", 1) + b',"inputs":[]}'),
    "many-inputs": text(json.dumps({"inputs": tensor()["inputs"] * 2000})),
    "many-outputs": outputs([{"name": "output"}] * 20_000),
    "many-members": text("{" + ",".join(f'"a{i}":{i}' for i in range(50_000)) + "}"),
    "long-name": changed(name="a" * 500_000),
    "long-shape": changed(shape=[1] * 100_000),

    # Members missing or of the wrong kind.
    "no-inputs": text(b"{}", mentions="inputs"),
    "inputs-null": text(b'{"inputs":null}'),
    "inputs-object": text(b'{"inputs":{}}'),
    "inputs-string": text(b'{"inputs":"input"}'),
    "inputs-empty": text(b'{"inputs":[]}'),
    "inputs-of-null": text(b'{"inputs":[null]}'),
    "inputs-of-arrays": text(b'{"inputs":[[]]}'),
    "inputs-of-numbers": text(b'{"inputs":[1]}'),
    "input-empty": text(b'{"inputs":[{}]}'),
    "inputs-twice": text(json.dumps(tensor())[:-1] + "," + json.dumps(tensor())[1:]),
    "name-missing": changed(name=None),
    "name-number": changed(name=5),
    "name-empty": changed(name=""),
    "name-unknown": changed(name="z", mentions="'z'"),
    "name-other-case": changed(name="Input"),
    "name-twice": text(json.dumps({"inputs": tensor()["inputs"] * 2}), mentions="input"),
    "shape-missing": changed(shape=None, mentions="shape"),
    "shape-number": changed(shape=30),
    "shape-string": changed(shape="1,30"),
    "shape-of-strings": changed(shape=["1", "30"]),
    "shape-of-reals": changed(shape=[1.5, 30]),
    "shape-of-null": changed(shape=[None, 30]),
    "shape-nested": changed(shape=[[1, 30]]),
    "shape-empty": changed(shape=[]),
    "shape-negative": changed(shape=[-1, 30]),
    "shape-both-negative": changed(shape=[-1, -30]),
    "shape-zero-features": changed(shape=[1, 0], data=[]),
    "shape-rank-1": changed(shape=[30], mentions="[30]"),
    "shape-rank-3": changed(shape=[1, 30, 1], mentions="[1,30,1]"),
    "shape-wrong-extent": changed(shape=[1, 29], data=[0.0] * 29, mentions="[1,29]"),
    "shape-transposed": changed(shape=[30, 1]),
    "shape-huge": changed(shape=[1 << 40, 30]),
    "shape-of-2-to-63": changed(shape=[(1 << 63) - 1, 30]),
    "shape-past-64-bits": changed(shape=[1 << 64, 30]),
    "shape-overflows": changed(shape=[(1 << 62) // 15, 30]),
    "shape-exponent": text(json.dumps(tensor()).replace("[1, 30]", "[1e30, 30]")),
    "datatype-missing": changed(datatype=None, mentions="datatype"),
    "datatype-number": changed(datatype=1),
    "datatype-unknown": changed(datatype="FLOAT", mentions="FLOAT"),
    "datatype-lower-case": changed(datatype="fp32"),
    "datatype-empty": changed(datatype=""),
    "datatype-other": changed(datatype="FP64", mentions="FP64"),
    "datatype-integer": changed(datatype="INT64", data=[0] * 30, mentions="INT64"),
    "datatype-bytes": changed(datatype="BYTES", data=["a"] * 30, mentions="BYTES"),
    "datatype-half-as-json": changed(datatype="FP16"),
    "datatype-bool": changed(datatype="BOOL", data=[True] * 30),
    "parameters-string": whole(parameters="x"),
    "parameters-array": whole(parameters=[1]),
    "id-object": whole(id={}),
    "id-array": whole(id=[1]),
    "binary-output-string": whole(parameters={"binary_data_output": "yes"}),
    "outputs-object": outputs({"name": "output"}),
    "outputs-string": outputs("output"),
    "outputs-of-strings": outputs(["output"]),
    "output-empty": outputs([{}]),
    "output-unknown": outputs([{"name": "z"}]),
    "output-twice": outputs([{"name": "output"}, {"name": "output"}]),
    "output-name-number": outputs([{"name": 1}]),
    "output-binary-string": outputs([{"name": "output", "parameters": {"binary_data": "yes"}}]),
    "classification-negative": outputs([{"name": "output", "parameters": {"classification": -1}}]),
    "classification-string": outputs([{"name": "output", "parameters": {"classification": "3"}}]),
    "classification-real": outputs([{"name": "output", "parameters": {"classification": 1.5}}]),
    "timeout-string": whole(parameters={"timeout": "soon"}),
    "timeout-negative": whole(parameters={"timeout": -5}),
    "priority-string": whole(parameters={"priority": "high"}),

    # Data.
    "data-missing": changed(data=None),
    "data-string": changed(data="0" * 30),
    "data-object": changed(data={"0": 0}),
    "data-number": changed(data=0),
    "data-empty": changed(data=[]),
    "data-too-few": changed(data=ITEM[:-1]),
    "data-too-many": changed(data=[*ITEM, 0.0]),
    "data-of-strings": changed(data=["0"] * 30),
    "data-of-booleans": changed(data=[True] * 30),
    "data-of-objects": changed(data=[{}] * 30),
    "data-half-nested": changed(data=[0.0, [0.0] * 29]),
    "data-ragged": changed(shape=[2, 30], data=[ITEM[:-1], [*ITEM, 0.0]]),
    "data-too-deep": changed(data=[[[value] for value in ITEM]]),
    "data-one-string": changed(data=[*ITEM[:-1], "x"]),
    "data-trailing-comma": with_data(b"[" + b"0," * 30 + b"]"),
    "data-leading-comma": with_data(b"[," + b"0," * 29 + b"0]"),
    "data-two-commas": with_data(b"[0,,0" + b",0" * 28 + b"]"),
    "data-no-commas": with_data(b"[" + b"0 " * 30 + b"]"),
    "number-leading-zero": with_number(b"01"),
    "number-leading-zeros": with_number(b"-00"),
    "number-plus": with_number(b"+1"),
    "number-no-integer-part": with_number(b".5"),
    "number-no-fraction": with_number(b"1."),
    "number-no-exponent": with_number(b"1e"),
    "number-no-exponent-digits": with_number(b"1e+"),
    "number-hexadecimal": with_number(b"0x1"),
    "number-two-signs": with_number(b"--1"),
    "number-two-points": with_number(b"1.2.3"),
    "number-sign-alone": with_number(b"-"),
    "number-underscore": with_number(b"1_000"),
    "number-comma-decimal": with_number(b"1,5"),
    "number-nan-misspelt": with_number(b"NaNs"),
    "number-nan-lower-case": with_number(b"nan"),
    "number-infinity-cut": with_number(b"Inf"),
    "number-minus-nan": with_number(b"-NaN"),
    "number-past-float": with_number(b"1e39"),
    "number-past-double": with_number(b"1e999"),
    "number-huge-exponent": with_number(b"1e99999999999999999999"),
    "number-of-many-digits": with_number(b"1" * 200_000),

    # The binary extension.
    "both-data-and-binary": changed(parameters={"binary_data_size": 120}),
    "binary-without-bytes": changed(data=None, parameters={"binary_data_size": 120}),
    "binary-bytes-missing": binary(data=bytes(119)),
    "binary-bytes-left-over": binary(data=bytes(121)),
    "binary-none": binary(data=b""),
    "binary-size-of-another-shape": binary(data=bytes(116), size=116),
    "binary-size-0": binary(data=b"", size=0),
    "binary-size-negative": binary(size=-120),
    "binary-size-huge": binary(size=1 << 62),
    "binary-size-past-64-bits": binary(size=1 << 64),
    "binary-size-string": binary(size="120"),
    "binary-size-real": binary(size=120.5),
    "binary-size-boolean": binary(size=True),
    "header-past-the-body": binary(header="1000000"),
    "header-huge": binary(header="99999999999999999999"),
    "header-of-63-bits": binary(header=str((1 << 63) - 1)),
    "header-negative": binary(header="-1"),
    "header-plus": binary(header="+10"),
    "header-word": binary(header="abc"),
    "header-hexadecimal": binary(header="0x80"),
    "header-real": binary(header="100.0"),
    "header-empty": binary(header=""),
    "header-list": binary(header="100, 100"),
    "header-too-small": binary(header="10"),
    "header-one-too-large": binary(data=bytes(120), envelope=json.dumps(
        tensor(data=None, parameters={"binary_data_size": 120})).encode(), header=str(
        len(json.dumps(tensor(data=None, parameters={"binary_data_size": 120}))) + 1)),
    "header-without-binary": Request(json.dumps(tensor()).encode() + b"....", headers={
        HEADER: str(len(json.dumps(tensor())))}),
    "raw-too-short": Request(bytes(119), headers={HEADER: "0"}),
    "raw-too-long": Request(bytes(124), headers={HEADER: "0"}),
    "raw-empty": Request(b"", headers={HEADER: "0"}),
    "encoding-unknown": text(json.dumps(tensor()), headers={"Content-Encoding": "br"}, statuses=(400, 415)),
    "encoding-gzip-garbage": text(b"\x1f\x8b garbage", headers={"Content-Encoding": "gzip"}, statuses=(400, 415)),
    "encoding-deflate-garbage": text(b"garbage", headers={"Content-Encoding": "deflate"}, statuses=(400, 415)),

    # Models, versions, methods and paths.
    "model-unknown": for_path(404, path="/v2/models/no_such_model/infer",
                             mentions="'no_such_model'"),
    "model-other-case": for_path(404, path="/v2/models/CANCER_MLP/infer"),
    "model-empty": for_path(400, 404, path="/v2/models//infer"),
    "model-long": for_path(400, 404, path=f"/v2/models/{'a' * 4000}/infer"),
    "version-unknown": for_path(404, path=f"/v2/models/{MODEL}/versions/7/infer"),
    "version-0": for_path(400, 404, path=f"/v2/models/{MODEL}/versions/0/infer"),
    "version-leading-zero": for_path(400, 404, path=f"/v2/models/{MODEL}/versions/01/infer"),
    "version-word": for_path(400, 404, path=f"/v2/models/{MODEL}/versions/latest/infer"),
    "version-negative": for_path(400, 404, path=f"/v2/models/{MODEL}/versions/-1/infer"),
    "version-huge": for_path(400, 404, path=f"/v2/models/{MODEL}/versions/{'9' * 40}/infer"),
    "version-empty": for_path(400, 404, path=f"/v2/models/{MODEL}/versions//infer"),
    "method-get-infer": get(PATH, 405),
    "method-put-infer": Request(b"{}", (405,), method="PUT"),
    "method-delete-model": Request(b"", (405,), method="DELETE", path=f"/v2/models/{MODEL}"),
    "method-patch-model": Request(b"", (405,), method="PATCH", path=f"/v2/models/{MODEL}"),
    "method-post-metadata": Request(b"{}", (405,), path=f"/v2/models/{MODEL}"),
    "method-post-health": Request(b"{}", (405,), path="/v2/health/live"),
    "method-post-metrics": Request(b"", (405,), path="/metrics"),
    "method-trace": Request(b"", (405, 501), method="TRACE", path="/v2"),
    "path-root": get("/."),
    "path-unknown": get("/v3"),
    "path-trailing-slash": get("/v2/"),
    "path-two-slashes": get("//v2"),
    "path-prefix": get("/v2x"),
    "path-other-case": get("/V2"),
    "path-dots": get("/v2/models/../models"),
    "path-dots-encoded": get("/v2/models/%2e%2e", 400, 404),
    "path-escape": get("/v2/models/../../../../etc/passwd"),
    "path-escape-encoded": get("/v2/models/..%2f..%2f..%2fetc%2fpasswd", 400, 404),
    "path-escape-double": get("/v2/models/%252e%252e%252fcancer_mlp", 400, 404),
    "path-escape-to-a-model": get(f"/v2/models/x%2f..%2f{MODEL}", 400, 404),
    "path-backslash": get("/v2/models/..\\..\\etc", 400, 404),
    "path-nul": get(f"/v2/models/{MODEL}%00", 400, 404),
    "path-encoded-slash": get(f"/v2%2fmodels%2f{MODEL}", 400, 404),
    "path-bad-escape": get("/v2/models/%zz", 400, 404),
    "path-cut-escape": get("/v2/models/%2", 400, 404),
    "path-bad-utf8": get("/v2/models/%ff%fe", 400, 404),
    "path-file": get(f"/v2/models/{MODEL}/model.json"),
    "path-semicolon": get(f"/v2/models/{MODEL};version=1"),
    # Control over the models is not offered on this port.
    "control-load": Request(b"{}", (403, 404, 405, 501), path=f"/v2/repository/models/{MODEL}/load"),
    "control-unload": Request(b"{}", (403, 404, 405, 501), path=f"/v2/repository/models/{MODEL}/unload"),
    "control-load-with-file": Request(
        json.dumps({"parameters": {"config": "{}", "file:1/model.onnx": "AAAA"}}).encode(), (400, 403, 404, 405, 501),
        path=f"/v2/repository/models/{MODEL}/load"),
}
