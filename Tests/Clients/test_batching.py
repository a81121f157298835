"""Requests of many clients ride in batches, and nobody can tell: every answer is that of the request alone, byte for byte."""
import threading

import numpy
import pytest

import infer
import networks

NAMES = ("digits_cnn", "digits_dwsep", "cancer_mlp", "unet", "preact")
CLIENTS, ROUNDS = 12, 4
DELAY_MICROSECONDS = 20_000


@pytest.fixture(scope="module")
def gathering(start_server, repository):
    """A server that holds requests back for a moment, so that they meet."""
    with start_server(repository, FOLDSERVE_BATCHING_MAX_QUEUE_DELAY_MICROSECONDS=str(DELAY_MICROSECONDS)) as server:
        yield server.wait_until_ready()


def prepared(network, seed, count):
    """A binary and a JSON request for the same items."""
    (name,) = network.input_names
    tensor = network.items(count, seed)[name].astype(numpy.float32)
    headers, body = infer.binary_body(name, tensor)
    return (headers, body), ({}, infer.json_body(name, tensor))


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_single_requests_byte_for_byte(server, gathering, name):
    network = networks.network(name)
    path = f"/v2/models/{name}/infer"
    # Every client has other items, and one to three of them.
    requests = [prepared(network, client, 1 + client % 3)[client % 2] for client in range(CLIENTS)]
    expected = []
    for headers, body in requests:
        status, _, answer = server.request("POST", path, body, headers)
        assert status == 200
        expected.append(answer)
    assert len(set(expected)) == CLIENTS, "two clients' answers are the same: nothing would be seen of a mistake"
    wrong, start = [], threading.Barrier(CLIENTS)

    def ask(client):
        headers, body = requests[client]
        connection = gathering.connect()
        start.wait()
        for _ in range(ROUNDS):
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200 or answer != expected[client]:
                wrong.append((client, response.status, answer[:200]))
        connection.close()
    threads = [threading.Thread(target=ask, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    (statistics,) = gathering.get_json(f"/v2/models/{name}/stats")["model_stats"]
    count = statistics["inference_stats"]["success"]["count"]
    assert count == CLIENTS * ROUNDS
    assert statistics["inference_count"] == ROUNDS * sum(1 + client % 3 for client in range(CLIENTS))
    assert statistics["execution_count"] < count, "no two requests rode together"
    batches = {batch["batch_size"]: batch["compute_infer"]["count"] for batch in statistics["batch_stats"]}
    assert sum(size * runs for size, runs in batches.items()) == statistics["inference_count"]
    assert sum(batches.values()) == statistics["execution_count"] and max(batches) <= 8


def test_the_configuration_says_what_is_gathered(gathering, server):
    for name in NAMES:
        config = gathering.get_json(f"/v2/models/{name}/config")
        assert config["max_batch_size"] == 8
        assert config["dynamic_batching"] == {
            "preferred_batch_size": [], "max_queue_delay_microseconds": DELAY_MICROSECONDS}
    assert server.get_json("/v2/models/digits_cnn/config")["dynamic_batching"]["max_queue_delay_microseconds"] == 0
