"""Statistics and configurations, read by tritonclient over HTTP and gRPC: both say the same."""
import pytest
import tritonclient.grpc
import tritonclient.http

import infer
import networks

NAME = "digits_cnn"


@pytest.fixture(scope="module")
def clients(start_server, repository):
    """A server that nobody else talks to, over HTTP and over gRPC."""
    with start_server(repository) as server:
        server.wait_until_ready()
        address = f"{server.host}:{server.port}"
        network = networks.network(NAME)
        for batch_size in (1, 3):
            body = infer.json_body("input", network.items(batch_size)["input"])
            assert server.request("POST", f"/v2/models/{NAME}/infer", body)[0] == 200
        http, grpc = tritonclient.http.InferenceServerClient(address), tritonclient.grpc.InferenceServerClient(address)
        yield http, grpc
        http.close()
        grpc.close()


def plain(value):
    """JSON of protobuf has 64-bit integers as strings and leaves zeros out."""
    if isinstance(value, dict):
        kept = {key: plain(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (0, "", [], False)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, str) and value.isdigit() else value


def test_statistics_are_the_same_over_both(clients):
    http, grpc = clients
    (model,) = http.get_inference_statistics(NAME)["model_stats"]
    assert (model["inference_count"], model["execution_count"]) == (4, 2)
    stats = model["inference_stats"]
    assert stats["success"]["count"] == 2 and stats["compute_infer"]["ns"] > 0 and stats["fail"]["count"] == 0
    assert stats["compute_input"]["ns"] > 0 and stats["compute_output"]["ns"] > 0
    parts = sum(stats[part]["ns"] for part in ("queue", "compute_input", "compute_infer"))
    assert stats["success"]["ns"] == parts
    assert [batch["batch_size"] for batch in model["batch_stats"]] == [1, 3]
    (other,) = grpc.get_inference_statistics(NAME, as_json=True)["model_stats"]
    assert plain(other) == plain({key: value for key, value in model.items() if key != "response_stats"})
    assert len(grpc.get_inference_statistics().model_stats) == len(http.get_inference_statistics()["model_stats"]) \
        == len(networks.NETWORKS)


def test_configurations_are_the_same_over_both(clients):
    http, grpc = clients
    for network in networks.NETWORKS:
        config = http.get_model_config(network.name)
        assert config["max_batch_size"] > 0 and config["input"][0]["dims"] == list(network.item_shape)
        other = plain(grpc.get_model_config(network.name, as_json=True)["config"])
        expected = plain(config)
        for values in (other, expected):
            for key in ("parameters", "response_cache", "model_transaction_policy"):
                values.pop(key, None)
        expected["input"] = [{key: value for key, value in port.items() if key != "format"}
                             for port in expected["input"]]
        assert other == expected
