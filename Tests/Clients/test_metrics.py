"""What the server reports of itself: /metrics moves with the requests, folding is told in full."""
import json
import shutil
import subprocess
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

import infer
import networks

TYPE = "text/plain; version=0.0.4; charset=utf-8"


def scrape(server):
    """{family: (type, {(sample name, frozenset of labels): value})}"""
    status, headers, body = server.get("/metrics")
    assert status == 200 and headers["content-type"] == TYPE
    families = {}
    for family in text_string_to_metric_families(body.decode()):
        assert family.name not in families, f"{family.name} twice"
        assert family.documentation, f"{family.name} says nothing of itself"
        samples = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in family.samples}
        assert len(samples) == len(family.samples), f"{family.name}: a sample twice"
        families[family.name] = family.type, samples
    return families


def total(families, sample_name, **labels):
    """The sum of the samples with at least these labels; the parser ends each counter's name with _total."""
    wanted = set(labels.items())
    return sum(value for _, samples in families.values() for (name, found), value in samples.items()
               if name == sample_name and wanted <= found)


@pytest.fixture
def quiet(start_server, repository):
    """A server that nobody else talks to, with Triton's names."""
    with start_server(repository, FOLDSERVE_METRICS_TRITON_NAMES="true") as server:
        yield server.wait_until_ready()


def test_counters_move_with_the_requests(quiet):
    network = networks.network("digits_cnn")
    before = scrape(quiet)
    for batch_size in (1, 3):
        body = infer.json_body("input", network.items(batch_size)["input"])
        assert quiet.request("POST", f"/v2/models/{network.name}/infer", body)[0] == 200
    for _ in range(5):
        assert quiet.request("POST", f"/v2/models/{network.name}/infer", b'{"inputs":[]}')[0] == 400
    after = scrape(quiet)

    def moved(name, **labels):
        return total(after, name, model=network.name, **labels) - total(before, name, model=network.name, **labels)
    assert moved("nv_inference_request_success_total") == 2
    assert moved("nv_inference_count_total") == 4
    assert moved("nv_inference_exec_count_total") == 2
    assert moved("foldserve_requests_total", endpoint="infer", status="200") == 2
    assert moved("foldserve_requests_total", endpoint="infer", status="400") == 5
    assert moved("foldserve_request_duration_seconds_count", endpoint="infer") == 7
    assert moved("foldserve_inference_requests_total", outcome="success") == 2
    assert moved("foldserve_inference_items_total") == 4 and moved("foldserve_executions_total") == 2
    for phase in ("read", "queue", "compute", "serialise"):
        assert moved(f"foldserve_{phase}_duration_seconds_count") == 2, phase
    assert moved("foldserve_batch_size_count") == 2 and moved("foldserve_batch_size_sum") == 4
    for name in ("foldserve_model_weight_bytes", "foldserve_model_arena_bytes"):
        assert total(after, name, model=network.name) > 0, name
    compute = moved("nv_inference_compute_infer_duration_us_total")
    assert 0 < compute <= moved("nv_inference_request_duration_us_total")
    assert total(after, "nv_inference_pending_request_count", model=network.name) == 0
    assert total(after, "foldserve_models") == total(after, "foldserve_models_ready") == len(networks.NETWORKS)
    others = [name for name in ("digits_dwsep", "unet") if total(after, "nv_inference_count_total", model=name)]
    assert not others, "models that nobody asked have counted"


def test_counters_never_fall_and_histograms_add_up(quiet):
    network = networks.network("cancer_mlp")
    earlier = scrape(quiet)
    for _ in range(10):
        quiet.request("POST", f"/v2/models/{network.name}/infer", infer.json_body("input", network.inputs["input"]))
        later = scrape(quiet)
        for name, (kind, samples) in earlier.items():
            if kind not in ("counter", "histogram"):
                continue
            for key, value in samples.items():
                assert later[name][1][key] >= value, (name, key)
        earlier = later
    histograms = [name for name, (kind, _) in earlier.items() if kind == "histogram"]
    assert histograms, "no latency histogram"
    for name in histograms:
        series = {}
        for (sample, labels), value in earlier[name][1].items():
            labels = dict(labels)
            bound = labels.pop("le", None)
            series.setdefault(frozenset(labels.items()), {})[sample, bound] = value
        for labels, values in series.items():
            buckets = sorted((float(bound), value) for (sample, bound), value in values.items() if bound)
            counts = [value for _, value in buckets]
            assert counts == sorted(counts) and buckets[-1][0] == float("inf"), (name, labels)
            assert values[name + "_count", None] == counts[-1], (name, labels)


def test_promtool_finds_nothing(start_server, repository):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    with start_server(repository) as server:
        server.wait_until_ready()
        network = networks.network("digits_cnn")
        server.request("POST", f"/v2/models/{network.name}/infer", infer.json_body("input", network.inputs["input"]))
        page = server.get("/metrics")[2]
    assert b"nv_inference" not in page
    check = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, timeout=60)
    assert check.returncode == 0 and not check.stdout and not check.stderr, check


def test_metrics_and_health_answer_while_every_worker_computes(start_server, repository):
    network = networks.network("digits_cnn")
    headers, body = infer.binary_body("input", network.items(2000)["input"])
    with start_server(repository, "--threads", "1") as server:
        server.wait_until_ready()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            server.request("POST", f"/v2/models/{network.name}/infer", body, headers)[0])) for _ in range(8)]
        for thread in threads:
            thread.start()
        depths = []
        while any(thread.is_alive() for thread in threads):
            assert server.get("/v2/health/live")[0] == server.get("/v2/health/ready")[0] == 200
            depths.append(total(scrape(server), "foldserve_queue_depth", model=network.name))
        for thread in threads:
            thread.join()
        assert answers == [200] * 8
        assert depths, "nothing was asked while predictions ran"


def test_predictions_tell_their_phases_and_their_model(server):
    network = networks.network("digits_cnn")
    body = infer.json_body("input", network.inputs["input"])
    status, headers, _ = server.request(
        "POST", f"/v2/models/{network.name}/infer", body, {"x-request-id": "mine-1"})
    assert status == 200 and headers["x-request-id"] == "mine-1"
    phases = dict(part.split(";dur=") for part in headers["server-timing"].split(", "))
    assert list(phases) == ["read", "queue", "compute", "serialise"] and float(phases["compute"]) > 0
    report = server.get_json(f"/v2/models/{network.name}/fold")["report"]
    assert headers["foldserve-model-digest"] == report["modelDigest"]
    (info,) = [labels for (_, labels) in scrape(server)["foldserve_model_info"][1]
               if ("model", network.name) in labels]
    assert dict(info)["model_digest"] == report["modelDigest"] and dict(info)["fold_digest"] == report["foldDigest"]
    (model,) = server.get_json(f"/v2/models/{network.name}/stats")["model_stats"]
    (memory,) = model["memory_usage"]
    assert memory["type"] == "CPU" and memory["byte_size"] > 0


def test_a_failed_request_is_one_line_of_json(start_server, repository, tmp_path):
    with start_server(repository, "--log-level", "debug", FOLDSERVE_LOG_FORMAT="json") as server:
        server.wait_until_ready()
        server.request("POST", "/v2/models/digits_cnn/infer?key=secret", b"{}", {"x-request-id": "mine-2"})
        lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("request") == "mine-2"]
    assert line["level"] == "debug" and line["status"] == "400" and line["path"] == "/v2/models/digits_cnn/infer"
    assert "secret" not in json.dumps(lines) and any(line["message"] == "model ready" for line in lines)


# Folding


@pytest.fixture(scope="module")
def reports(server):
    reports = {}
    for network in networks.NETWORKS:
        document = server.get_json(f"/v2/models/{network.name}/fold")
        assert document["name"] == network.name and document["version"] == "1"
        reports[network.name] = document["report"]
    return reports


def operators(network):
    """The types of the nodes that compute; a Constant is read like an initializer."""
    return [node.op_type for node in network.model.graph.node if node.op_type != "Constant"]


@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_fold_report_has_an_entry_for_each_batch_norm(server, reports, network):
    entries = reports[network.name]["entries"]
    assert [entry["batchNorm"] for entry in entries] == [node.name for node in network.batch_norms]
    node_names = {node.name for node in network.model.graph.node}
    for entry in entries:
        assert entry["outcome"] in ("folded", "partial", "refused")
        if entry["outcome"] == "folded":
            assert 0 <= entry["measuredRelativeError"] < 1e-5, entry
        if entry["outcome"] == "folded":
            assert entry["rule"]
            assert {entry.get("producer"), entry.get("consumer")} & node_names, entry
        else:
            assert entry["reason"], entry
        assert entry["channelCount"] > 0 and entry["scaleMinimum"] <= entry["scaleMaximum"]
        assert entry["minimumVariancePlusEpsilon"] > 0
    counts = reports[network.name]
    outcomes = [entry["outcome"] for entry in entries]
    assert counts["foldedCount"] == outcomes.count("folded")
    assert counts["refusedCount"] == outcomes.count("refused")
    assert counts["nodeCountBefore"] == len(operators(network))
    assert server.get_json(f"/v2/models/{network.name}/versions/1/fold")["report"] == counts


@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_folded_graph_holds_no_folded_batch_norm(server, reports, network):
    graph = server.get_json(f"/v2/models/{network.name}/graph")
    before, after = ([node["type"] for node in graph[side]["nodes"]] for side in ("before", "after"))
    assert sorted(before) == sorted(operators(network))
    # What could not be folded runs as an affine.
    left = after.count("BatchNormalization") + after.count("Affine")
    outcomes = [entry["outcome"] for entry in reports[network.name]["entries"]]
    assert left == len(outcomes) - outcomes.count("folded")
    assert len(after) == reports[network.name]["nodeCountAfter"]


# What need not fold, by the name of the module, and what the reason must speak of; everything else must. For preact
# Tests/Fixtures/networks/README.md goes through them. Some could go forward or through another operator.
MAY_STAY = {
    "cancer_mlp": {"0": "", "7": "Relu"},
    "preact": {
        "input_norm": "", "pointwise_norm": "Add", "flat_norm": "Flatten", "maximum_norm": "MaxPool",
        "inner_average_norm": "AveragePool", "average_norm": "AveragePool", "padded_norm": "Relu",
        "fanout_norm": "another consumer", "shared_norm_a": "another consumer",
        "shared_norm_b": "another consumer", "tapped_norm": "output",
    },
}
BLOCKERS = {
    "fanout_norm": "/Add", "shared_norm_a": "/shared_norm_b/BatchNormalization",
    "shared_norm_b": "/shared_norm_a/BatchNormalization", "tapped_norm": "features",
}


@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_what_can_be_folded_is_and_the_rest_has_the_right_reason(reports, network):
    reasons = MAY_STAY.get(network.name, {})
    # Only where it is looked up is the module's name enough: elsewhere blocks share it.
    entries = {entry["batchNorm"].split("/")[1] if reasons else entry["batchNorm"]: entry
               for entry in reports[network.name]["entries"]}
    assert set(reasons) <= set(entries)
    for name, entry in entries.items():
        if entry["outcome"] == "folded":
            # A copy of the producer is the only way past its other readers.
            assert entry["clonedWeights"] or name not in BLOCKERS, entry
        else:
            assert name in reasons, f"{name} is to fold: {entry}"
            assert reasons[name] in entry["reason"], entry
            assert entry["blockedBy"] == BLOCKERS.get(name, entry["blockedBy"]), entry


def test_a_model_without_batch_norm_is_told_how_to_keep_it(start_server, tmp_path):
    import onnx
    from onnx import helper
    folder = tmp_path / "models" / "plain" / "1"
    folder.mkdir(parents=True)
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "plain", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    with start_server(tmp_path / "models") as server:
        server.wait_until_ready()
        report = server.get_json("/v2/models/plain/fold")["report"]
        assert report["entries"] == [] and "PRESERVE" in report["notice"]
        body = json.dumps({"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [-1, 2, 0, 3]}]})
        status, _, answer = server.request("POST", "/v2/models/plain/infer", body)
        assert status == 200 and json.loads(answer)["outputs"][0]["data"] == [0, 2, 0, 3]
