"""Compressed requests: read for unmodified clients, and no way to fill the memory with few bytes."""
import gzip
import re
import zlib
from pathlib import Path

import pytest
import tritonclient.http

import infer
import networks

NETWORK = networks.network("digits_cnn")
MAXIMUM_GROWTH_BYTES = 200 << 20


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_tritonclient_compresses_requests(server, algorithm, binary):
    with tritonclient.http.InferenceServerClient(f"{server.host}:{server.port}") as client:
        tensor = tritonclient.http.InferInput("input", NETWORK.inputs["input"].shape, "FP32")
        tensor.set_data_from_numpy(NETWORK.inputs["input"], binary_data=binary)
        result = client.infer(NETWORK.name, [tensor], request_compression_algorithm=algorithm)
        networks.assert_close(result.as_numpy("output"), NETWORK.expected["output"], 1e-4)


def resident_byte_count(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def test_few_bytes_do_not_become_a_gibibyte(start_server, repository):
    path = f"/v2/models/{NETWORK.name}/infer"
    with start_server(repository) as server:
        server.wait_until_ready()
        before = resident_byte_count(server)
        compressor = zlib.compressobj(9, wbits=31)
        bomb = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(1 << 10)) + compressor.flush()
        for _ in range(10):
            status, _, body = server.request("POST", path, bomb, {"content-encoding": "gzip"})
            assert status == 413, body
        assert resident_byte_count(server) - before < MAXIMUM_GROWTH_BYTES
        body = gzip.compress(infer.json_body("input", NETWORK.inputs["input"]))
        assert server.request("POST", path, body, {"content-encoding": "gzip"})[0] == 200
