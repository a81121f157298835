"""The server that people write themselves: FastAPI, uvicorn and ONNX Runtime, for load.py.

    load_fastapi.py MODELS PORT      serves every MODELS/<name>/1/model.onnx

It speaks enough of the Open Inference Protocol for one input and one output: JSON, and tensors behind it as bytes.
"""
import json
import sys
from pathlib import Path

import numpy
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

app = FastAPI()
sessions = {}


@app.get("/v2/health/ready")
def ready():
    return {"ready": True}


def predict(name, body, header_length):
    envelope = json.loads(body[:header_length])
    (given,) = envelope["inputs"]
    if "data" in given:
        tensor = numpy.array(given["data"], numpy.float32)
    else:
        tensor = numpy.frombuffer(body, numpy.float32, offset=header_length)
    session = sessions[name]
    (output,) = session.run(None, {given["name"]: tensor.reshape(given["shape"])})
    described = {"name": session.get_outputs()[0].name, "datatype": "FP32", "shape": output.shape}
    if "data" in given:
        described["data"] = output.ravel().tolist()
        return json.dumps({"model_name": name, "outputs": [described]}).encode(), {}
    described["parameters"] = {"binary_data_size": output.nbytes}
    head = json.dumps({"model_name": name, "outputs": [described]}).encode()
    return head + output.tobytes(), {"inference-header-content-length": str(len(head))}


@app.post("/v2/models/{name}/infer")
async def infer(name: str, request: Request):
    body = await request.body()
    header_length = int(request.headers.get("inference-header-content-length", len(body)))
    answer, headers = await run_in_threadpool(predict, name, body, header_length)
    return Response(answer, headers=headers, media_type="application/octet-stream" if headers else "application/json")


if __name__ == "__main__":
    for model in sorted(Path(sys.argv[1]).glob("*/1/model.onnx")):
        sessions[model.parts[-3]] = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), loop="uvloop", http="httptools", log_level="error",
                access_log=False)
