#!/usr/bin/env python3
"""How fast a server reads and writes a tensor of 150,528 float32 as JSON, by its own Server-Timing.

    python3 Tests/Benchmarks/json_speed.py .build/release/foldserve

The network gives its input back. Two texts: what Python's json makes of a float32 (the double of the same value), and the
shortest decimals, as orjson and foldserve itself write them. Of each round the fastest counts: the machine may do other
things meanwhile. Needs what Tests/requirements.txt pins.
"""
import http.client
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import onnx

SHAPE = [1, 3, 224, 224]
ROUNDS = 40
GOALS = {"read": 500, "serialise": 250}


def make_model(folder):
    folder.mkdir(parents=True)
    ports = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", *SHAPE[1:]]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "same", ports[:1], ports[1:])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8),
              folder / "model.onnx")


def bodies():
    values = numpy.random.default_rng(0).standard_normal(SHAPE, numpy.float32)
    head = {"inputs": [{"name": "x", "datatype": "FP32", "shape": SHAPE, "data": []}]}
    empty = json.dumps(head)
    for name, texts in (("doubles", values.flatten().tolist()), ("shortest", values.flatten())):
        data = ",".join(repr(float(text)) if name == "doubles" else str(text) for text in texts)
        yield name, values, empty.replace('"data": []', f'"data": [{data}]').encode(), len(data)


def main(foldserve):
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder) / "same" / "1")
        server = subprocess.Popen(
            [foldserve, "serve", "--models", folder, "--host", "127.0.0.1", "--port", "0"],
            stdout=subprocess.PIPE, text=True)
        try:
            port = int(server.stdout.readline().rsplit(":", 1)[1])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            while True:
                connection.request("GET", "/v2/health/ready")
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    break
            for name, values, body, byte_count in bodies():
                best = {}
                for _ in range(ROUNDS):
                    connection.request("POST", "/v2/models/same/infer", body)
                    response = connection.getresponse()
                    answer = response.read()
                    assert response.status == 200, answer
                    for phase, text in re.findall(r"(\w+);dur=([0-9.]+)", response.headers["server-timing"]):
                        best[phase] = min(best.get(phase, 1e9), float(text) / 1e3)
                read = numpy.array(json.loads(answer)["outputs"][0]["data"], numpy.float32).reshape(SHAPE)
                assert (read == values).all()
                for phase, count in (("read", byte_count), ("serialise", len(answer))):
                    print(f"{name:9} {phase:9} {count:9,} bytes {best[phase] * 1e3:7.3f} ms "
                          f"{count / best[phase] / 1e6:6.0f} MB/s   goal {GOALS[phase]}")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
