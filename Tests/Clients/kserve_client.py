"""Talks to a server with KServe's own clients, in a process of its own: its protobuf descriptors clash with Triton's.

    kserve_client.py HOST:PORT MODEL INPUT.npy    prints the outputs as JSON: by gRPC raw, by gRPC typed, by REST
"""
import asyncio
import json
import sys

import grpc
import kserve
import numpy


def request(model, values, use_binary_data):
    tensor = kserve.InferInput("input", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values, binary_data=use_binary_data)
    return kserve.InferRequest(model, [tensor])


async def main(address, model, path):
    values = numpy.load(path)
    answers = []
    client = kserve.InferenceGRPCClient(address, retries=0)
    assert await client.is_server_live() and await client.is_server_ready() and await client.is_model_ready(model)
    for use_binary_data in (True, False):
        answers.append(await client.infer(request(model, values, use_binary_data)))
    try:
        await client.infer(request("no_such_model", values, True))
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND, error
    else:
        raise AssertionError("an unknown model answered")
    await client.close()

    rest = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2", retries=0))
    url = f"http://{address}"
    assert await rest.is_server_live(url) and await rest.is_server_ready(url)
    assert await rest.is_model_ready(url, model)
    for use_binary_data in (True, False):
        answers.append(await rest.infer(url, request(model, values, use_binary_data), model_name=model))
    await rest.close()
    print(json.dumps([answer.outputs[0].as_numpy().tolist() for answer in answers]))


asyncio.run(main(*sys.argv[1:]))
