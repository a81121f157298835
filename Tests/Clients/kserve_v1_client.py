"""Talks to a server with KServe's REST client in version 1 of its protocol, which is TF Serving's.

    kserve_v1_client.py URL MODEL INPUT.npy    prints the answer as JSON
"""
import asyncio
import json
import sys

import httpx
import kserve
import numpy


async def main(url, model, path):
    async with kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v1", retries=0)) as client:
        assert await client.is_server_live(url)
        assert await client.is_model_ready(url, model)
        for name, status in (("no_such_model", 404), (model, 501)):
            try:
                await (client.explain(url, name, {}) if status == 501 else client.infer(url, {"instances": []}, name))
            except httpx.HTTPStatusError as error:
                # The server's own message is in the client's.
                assert error.response.status_code == status and error.response.json()["error"] in str(error), error
            else:
                raise AssertionError(f"{name} was to answer {status}")
        print(json.dumps(await client.infer(url, {"instances": numpy.load(path).tolist()}, model)))


asyncio.run(main(*sys.argv[1:]))
