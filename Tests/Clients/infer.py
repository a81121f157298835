"""Inference requests and answers, put together and taken apart by hand."""
import json

import numpy

DATATYPES = {"FP32": numpy.float32, "FP64": numpy.float64, "FP16": numpy.float16}
HEADER = "Inference-Header-Content-Length"


def json_body(name, tensor, **more):
    """A request with one FP32 input as JSON."""
    return json.dumps({"inputs": [{
        "name": name, "shape": list(tensor.shape), "datatype": "FP32", "data": tensor.flatten().tolist()}], **more
    }).encode()


def binary_body(name, tensor, **more):
    """A request with one FP32 input appended as bytes, outputs too: (header fields, body)."""
    data = tensor.astype("<f4").tobytes()
    envelope = json.dumps({
        "inputs": [{"name": name, "shape": list(tensor.shape), "datatype": "FP32",
                    "parameters": {"binary_data_size": len(data)}}],
        "parameters": {"binary_data_output": True}, **more}).encode()
    return {HEADER: str(len(envelope))}, envelope + data


def outputs(headers, body):
    """The tensors of an answer, in either form; `headers` by lower-case name."""
    length = headers.get(HEADER.lower())
    if length is None:
        assert headers["content-type"] == "application/json", headers["content-type"]
        envelope, appended = json.loads(body), b""
    else:
        assert headers["content-type"] == "application/octet-stream", headers["content-type"]
        envelope, appended = json.loads(body[:int(length)]), body[int(length):]
    tensors = {}
    for output in envelope["outputs"]:
        element_type = DATATYPES[output["datatype"]]
        byte_count = (output.get("parameters") or {}).get("binary_data_size")
        if byte_count is None:
            flat = numpy.array(output["data"], element_type)
        else:
            flat, appended = numpy.frombuffer(appended[:byte_count], element_type), appended[byte_count:]
        tensors[output["name"]] = flat.reshape(output["shape"])
    assert not appended, f"{len(appended)} bytes too many"
    return tensors
