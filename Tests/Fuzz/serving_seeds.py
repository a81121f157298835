"""Seeds of requests and settings: JSON with binary tensors behind it, gRPC messages, configurations."""
import json
import struct
from pathlib import Path

SETTINGS = Path(__file__).resolve().parents[2] / "config/foldserve.json"
# Numbers of FuzzInfer's paths, and the flag that says a header is sent.
M, WIDE, PAIR, HALF, PREDICT_M, PREDICT_WIDE, PREDICT_PAIR, INDEX = range(8)
HEADER = 0x80
# Numbers of FuzzGRPC's methods.
INFER, METADATA, CONFIG, READY, STATISTICS, REPOSITORY, HEALTH = range(7)


def request(path, document, tensors=b"", announced=None):
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    text = text.encode()
    if announced is None and tensors:
        announced = len(text)
    head = struct.pack("<BH", path | (HEADER if announced is not None else 0), announced or 0)
    return head + text + tensors


def tensor(name, datatype, shape, data=None, **parameters):
    result = {"name": name, "shape": shape, "datatype": datatype}
    if parameters:
        result["parameters"] = parameters
    return result if data is None else {**result, "data": data}


X = tensor("x", "FP32", [1, 4], [1, 2.5, -3e-3, 0.1])
A = tensor("a", "INT64", [2], [9007199254740993, -1])
B = tensor("b", "BOOL", [3], [True, False, 1])
NUMBERS = '{"inputs":[{"name":"a","shape":[2,3],"datatype":"FP64","data":[[1e308,5e-324,-0.0],[0.1,123456789012345678,NaN]]}]}'


def infer():
    yield request(M, {"inputs": [X]})
    yield request(M, {"id": "r1", "inputs": [X], "outputs": [{"name": "y", "parameters": {"classification": 2}}]})
    yield request(M, {"inputs": [{"data": [1, 2, 3, 4], **tensor("x", "FP32", [1, 4])}], "parameters": {"timeout": 9, "priority": 1}})
    yield request(M, {"inputs": [tensor("x", "FP32", [1, 4], binary_data_size=16)],
                      "outputs": [{"name": "y", "parameters": {"binary_data": True}}]}, struct.pack("<4f", 1, 2, 3, 4))
    yield request(M, {"inputs": [tensor("x", "FP32", [2, 4], binary_data_size=32)], "parameters": {"binary_data_output": True}},
                  bytes(32))
    yield request(M, "", struct.pack("<4f", 1, 2, 3, 4), announced=0)
    yield request(WIDE, NUMBERS)
    yield request(WIDE, {"inputs": [tensor("a", "FP64", [0, 3], [])]})
    yield request(WIDE, {"inputs": [tensor("a", "FP64", [1, 1], [[0.30000000000000004]])]})
    yield request(PAIR, {"inputs": [A, B]})
    yield request(PAIR, {"inputs": [A, tensor("b", "BOOL", [2], binary_data_size=2)],
                         "outputs": [{"name": "d"}, {"name": "c", "parameters": {"binary_data": True}}]}, b"\x01\x00")
    yield request(HALF, {"inputs": [tensor("a", "FP16", [1], binary_data_size=2)], "parameters": {"binary_data_output": True}}, b"\0<")
    yield request(PREDICT_M, {"signature_name": "serving_default", "instances": [[1, 2, 3, 4], [5, 6, 7, 8.5]]})
    yield request(PREDICT_M, {"inputs": {"x": [[1, 2, 3, 4]]}})
    yield request(PREDICT_WIDE, {"instances": [{"b64": "AAAAAAAA8D8="}]})
    yield request(PREDICT_PAIR, {"inputs": {"a": [1, 2], "b": [True, False]}})
    yield request(INDEX, {"ready": True})
    yield request(INDEX, "")
    yield request(M, '{"\\u0069d":"\\ud83d\\ude00\\n","x":[[{"y":null}],"\\"",1.5e3],"inputs":null}')


def grpc(number, data):
    def frame(method, message, flag=0):
        return bytes([method, flag]) + struct.pack(">I", len(message)) + message

    def port(name, datatype, shape, contents=b""):
        extents = b"".join(number(3, extent) for extent in shape)
        return data(1, name) + data(2, datatype) + extents + (data(5, contents) if contents else b"")

    floats = struct.pack("<4f", 1, 2, 3, 4)
    parameter = data(1, "classification") + data(2, number(2, 2))
    yield frame(INFER, data(1, "m") + data(3, "r1") + data(5, port("x", "FP32", [1, 4])) + data(7, floats))
    yield frame(INFER, data(1, "m") + data(5, port("x", "FP32", [1, 4], data(6, floats))))
    yield frame(INFER, data(1, "m") + data(5, port("x", "FP32", [1, 4], data(6, floats)))
                + data(6, data(1, "y") + data(2, parameter)))
    yield frame(INFER, data(1, "pair") + data(2, "1") + data(4, data(1, "timeout") + data(2, number(2, 9)))
                + data(5, port("a", "INT64", [2], number(3, 7) + number(3, -7)))
                + data(5, port("b", "BOOL", [2], data(1, b"\1\0"))))
    yield frame(INFER, data(1, "wide") + data(5, port("a", "FP64", [1, 2], data(7, struct.pack("<2d", 1, 2)))))
    yield frame(INFER, data(1, "half") + data(5, port("a", "FP16", [1])) + data(7, b"\0<"))
    for method in (METADATA, CONFIG, READY, STATISTICS):
        yield frame(method, data(1, "m") + data(2, "1"))
    yield frame(STATISTICS, b"")
    yield frame(REPOSITORY, number(2, 1))
    yield frame(HEALTH, b"")
    yield frame(HEALTH, data(1, "inference.GRPCInferenceService"))
    yield frame(INFER, bytes(8), flag=1)


def configuration():
    yield SETTINGS.read_bytes()
    yield b"FOLDSERVE_PORT=9\nFOLDSERVE_LIMITS_MAXIMUM_BODY_BYTE_COUNT=1000\nPATH=/bin\n\n{}"
    yield b"FOLDSERVE_TLS_KEY=k\nFOLDSERVE_PROT=1\n\n" + json.dumps({"limits": {"headerTimeoutSeconds": 1e-3}}).encode()
    yield json.dumps({"admin": {"host": "h", "port": 1, "tokenFile": None}, "models": "m", "eventLoops": "2"}).encode()


def planted(number, data):
    """One input each, some changes away from the planted crash."""
    unknown = data(1, "x") + data(2, "1")
    return {
        "infer": request(M, {"inputs": [X], "outputs": [{"name": "y", "parameters": {"a": 2}}]}),
        "grpc": bytes([READY, 0]) + struct.pack(">I", len(unknown)) + unknown,
        "configuration": json.dumps({"admin": {"keepdims": 7}}).encode(),
    }


def write(folder, number, data):
    """Returns how many there are. `number` and `data` encode a protobuf message's fields."""
    seeds = {"infer": list(infer()), "grpc": list(grpc(number, data)), "configuration": list(configuration())}
    for name, contents in [*seeds.items(), *((f"planted/{name}", [seed]) for name, seed in planted(number, data).items())]:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index, content in enumerate(contents):
            (folder / name / str(index)).write_bytes(content)
    return sum(map(len, seeds.values()))
