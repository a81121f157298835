"""Models that can be told apart by their answers, put into a repository while clients ask."""
import http.client
import itertools
import json
import os
import shutil
import ssl
import threading
import time
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH = 64
OFFSET = 1000
SECONDS = 60
INPUT = numpy.arange(1, WIDTH + 1, dtype=numpy.float32).reshape(1, WIDTH)
BODY = json.dumps({"inputs": [{
    "name": "x", "datatype": "FP32", "shape": [1, WIDTH], "data": INPUT.flatten().tolist()}]}).encode()


def model(factor):
    """y = factor · x and z = (factor + OFFSET) · x, exactly."""
    weights = [numpy.eye(WIDTH, dtype=numpy.float32) * value for value in (factor, factor + OFFSET)]
    return helper.make_model(helper.make_graph(
        [helper.make_node("MatMul", ["x", "u"], ["y"]), helper.make_node("MatMul", ["x", "v"], ["z"])],
        "changing", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", WIDTH])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", WIDTH]) for name in "yz"],
        [numpy_helper.from_array(weights[0], "u"), numpy_helper.from_array(weights[1], "v")]),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def factor_of(answer):
    """The factor of an answer; every number of both outputs must have it."""
    outputs = {output["name"]: numpy.array(output["data"], numpy.float32) for output in answer["outputs"]}
    factor = float(outputs["y"][0])
    assert (outputs["y"] == INPUT[0] * factor).all() and (outputs["z"] == INPUT[0] * (factor + OFFSET)).all(), answer
    return factor


class Repository:
    """A folder of models. Whatever comes into it comes by renaming, whole."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.count = itertools.count()
        folder.mkdir(exist_ok=True)

    def put_file(self, path, content):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.parent / f".new-{next(self.count)}"
        scratch.write_bytes(content)
        os.replace(scratch, target)

    def put_version(self, path, content, golden_factor=None):
        """A version's folder, with golden vectors of a model with `golden_factor`."""
        scratch = self.folder / f".new-{next(self.count)}"
        scratch.mkdir()
        (scratch / "model.onnx").write_bytes(content)
        if golden_factor is not None:
            (scratch / "golden").mkdir()
            numpy.save(scratch / "golden" / "x.npy", INPUT)
            numpy.save(scratch / "golden" / "y.npy", INPUT * numpy.float32(golden_factor))
        (self.folder / path).parent.mkdir(exist_ok=True)
        os.rename(scratch, self.folder / path)

    def put(self, path, factor):
        self.put_version(path, model(factor).SerializeToString(), factor)

    def remove(self, path):
        scratch = self.folder / f".old-{next(self.count)}"
        os.rename(self.folder / path, scratch)
        shutil.rmtree(scratch)


def damaged(kind, factor):
    """A model that must not serve: (its bytes, the factor of its golden vectors)."""
    good = model(factor)
    if kind == "truncated":
        content = good.SerializeToString()
        return content[:len(content) // 2], factor
    if kind == "wrong golden":
        return good.SerializeToString(), factor + 1
    assert kind == "NaN"
    weight = numpy_helper.to_array(good.graph.initializer[0]).copy()
    weight[3, 3] = numpy.nan
    good.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "u"))
    return good.SerializeToString(), None


KINDS = ("truncated", "wrong golden", "NaN")


class Load:
    """Clients that ask one model all the time; every answer must be 200 and one model's."""

    def __init__(self, server, name="m", count=3, context=None, fresh=False):
        self.server, self.name, self.context, self.fresh = server, name, context, fresh
        self.must_end = threading.Event()
        self.lock = threading.Lock()
        self.factors, self.errors, self.answered = [], [], 0
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for(lambda: self.answered > 0)
        return self

    def __exit__(self, kind, *_):
        self.must_end.set()
        for thread in self.threads:
            thread.join(SECONDS)
        if kind is None:
            assert not any(thread.is_alive() for thread in self.threads)
            assert not self.errors, f"{len(self.errors)} of {self.answered}: {self.errors[:3]}"

    def connect(self):
        if self.server.is_secure:
            context = self.context or ssl._create_unverified_context()
            return http.client.HTTPSConnection(self.server.host, self.server.port, timeout=SECONDS, context=context)
        return http.client.HTTPConnection(self.server.host, self.server.port, timeout=SECONDS)

    def run(self):
        connection = self.connect()
        try:
            while not self.must_end.is_set():
                if self.fresh:
                    connection.close()
                    connection = self.connect()
                connection.request("POST", f"/v2/models/{self.name}/infer", BODY)
                response = connection.getresponse()
                body = response.read()
                assert response.status == 200, (response.status, body[:300])
                factor = factor_of(json.loads(body))
                with self.lock:
                    self.answered += 1
                    if not self.factors or self.factors[-1] != factor:
                        self.factors.append(factor)
        except Exception as error:
            self.errors.append(repr(error))
        finally:
            connection.close()

    def wait_for(self, condition):
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"it did not come; answers had {self.factors[-5:]}; {self.errors[:3]}"
            assert not self.errors, self.errors[:3]
            time.sleep(0.01)

    def wait_for_factor(self, factor):
        """Waits until answers have a new factor, and then that all clients have had it."""
        self.wait_for(lambda: self.factors and self.factors[-1] == factor)


def index(server, url=None, token=None):
    """The repository's index: {(name, version): entry}."""
    status, _, body = server.request("POST", "/v2/repository/index")
    assert status == 200, body
    return {(entry["name"], entry.get("version")): entry for entry in json.loads(body)}


def refused_count(server):
    """Loads that were refused, by the metrics."""
    _, _, body = server.get("/metrics")
    return sum(float(line.split()[-1]) for line in body.decode().splitlines()
               if line.startswith("foldserve_model_loads_total") and 'outcome="refused"' in line)


def reload_good(load, repository, step):
    """Puts another model under the name `m`, and waits until it answers: as a file, or as a new version."""
    factor = float(step + 2)
    if step % 2:
        repository.put(f"m/{step + 1}", factor)
    else:
        newest = max(int(path.name) for path in (repository.folder / "m").iterdir() if path.name.isdigit())
        repository.remove(f"m/{newest}/golden") if (repository.folder / f"m/{newest}/golden").exists() else None
        repository.put_file(f"m/{newest}/model.onnx", model(factor).SerializeToString())
    load.wait_for_factor(factor)
    return factor


def reload_damaged(load, server, repository, kind, version, factor):
    """Puts a model that must not serve, waits until it is refused, and takes it away: answers stay as they are."""
    before = refused_count(server)
    content, golden_factor = damaged(kind, 900.0)
    repository.put_version(f"m/{version}", content, golden_factor)
    load.wait_for(lambda: refused_count(server) > before)
    entry = index(server)["m", str(version)]
    assert entry["state"] == "UNAVAILABLE" and entry["reason"], entry
    answered = load.answered
    load.wait_for(lambda: load.answered > answered + 20)
    assert load.factors[-1] == factor
    repository.remove(f"m/{version}")
    load.wait_for(lambda: ("m", str(version)) not in index(server))
    return entry["reason"]
