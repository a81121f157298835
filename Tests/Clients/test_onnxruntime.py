"""foldserve and ONNX Runtime, its optimisations off, answer the same; so does the file that `foldserve fold` writes."""
import json

import onnx
import onnxruntime
import pytest

import command
import networks
from test_golden import predict

TOLERANCE = 1e-4
BATCH_SIZES = (1, 2, 5)


def reference(path, inputs):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


@pytest.mark.parametrize("flags", [(), ("--no-fold",)], ids=["folded", "unfolded"])
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_network_agrees(network, batch_size, flags, tmp_path):
    items = network.items(batch_size)
    expected = reference(network.path, items)
    for name, actual in predict(network, tmp_path, flags, items).items():
        networks.assert_close(actual, expected[name], TOLERANCE, f"{network} {name}")


@pytest.mark.parametrize("flags", [(), ("--no-fold",)], ids=["folded", "unfolded"])
@pytest.mark.parametrize("case", networks.onnx_cases(), ids=str)
def test_operator_case_agrees(case, flags, tmp_path):
    try:
        expected = reference(case.path, case.inputs)
    except Exception as error:
        # ONNX Runtime implements fewer element types and operator versions; the golden test covers these.
        pytest.skip(f"ONNX Runtime does not run it: {str(error).splitlines()[0]}")
    for name, actual in predict(case, tmp_path, flags).items():
        networks.assert_close(actual, expected[name], TOLERANCE, f"{case} {name}")


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """The folded file of a network with what `fold` and `inspect` report, made once."""
    made = {}

    def fold(network):
        if network.name not in made:
            folder = tmp_path_factory.mktemp(network.name)
            path, report = folder / "folded.onnx", folder / "report.json"
            completed = command.run("fold", network.path, "-o", path, "--report", report)
            assert completed.status == 0, completed.errors
            inspected = command.run("inspect", network.path, "--json")
            assert inspected.status == 0, inspected.errors
            made[network.name] = path, json.loads(report.read_text()), json.loads(inspected.output)
        return made[network.name]
    return fold


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_folded_file_answers_the_same_in_onnxruntime(network, batch_size, folded):
    path, _, _ = folded(network)
    items = network.items(batch_size)
    expected = reference(network.path, items)
    actual = reference(path, items)
    assert list(actual) == network.output_names
    for name in expected:
        networks.assert_close(actual[name], expected[name], TOLERANCE, f"{network} {name}")


@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_folded_file_is_a_valid_model_with_the_same_interface(network, folded):
    path, _, _ = folded(network)
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path)
    for before, after in [(network.model.graph.input, model.graph.input),
                          (network.model.graph.output, model.graph.output)]:
        assert [port.name for port in after] == [port.name for port in before]
        for old, new in zip(before, after, strict=True):
            assert new.type.tensor_type.elem_type == old.type.tensor_type.elem_type
            assert extents(new)[1:] == extents(old)[1:]
    versions = {opset.domain: opset.version for opset in network.model.opset_import}
    assert {opset.domain: opset.version for opset in model.opset_import} == versions


def extents(port):
    return [dimension.dim_value or dimension.dim_param for dimension in port.type.tensor_type.shape.dim]


@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_folded_file_holds_no_batch_norm_that_was_reported_folded(network, folded):
    path, report, inspection = folded(network)
    left = [node.name for node in onnx.load(path).graph.node if node.op_type == "BatchNormalization"]
    outcomes = {entry["batchNorm"]: entry["outcome"] for entry in report["entries"]}
    assert outcomes == {e["batchNorm"]: e["outcome"] for e in inspection["fold"]["entries"]}
    assert sorted(outcomes) == sorted(node.name for node in network.batch_norms)
    assert not [name for name in left if outcomes[name] == "folded"]
    # What is left is an affine in the graph that runs, and what it was in the file.
    after = inspection["operatorsAfter"]
    assert len(left) <= after.get("BatchNormalization", 0) + after.get("Affine", 0)


@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_folding_a_folded_file_changes_nothing_more(network, folded, tmp_path):
    path, first, _ = folded(network)
    again = tmp_path / "again.onnx"
    completed = command.run("fold", path, "-o", again)
    assert completed.status == 0, completed.errors
    items = network.items(2)
    expected = reference(path, items)
    for name, actual in reference(again, items).items():
        networks.assert_close(actual, expected[name], 1e-6, f"{network} {name}")
    assert len(onnx.load(again).graph.node) == len(onnx.load(path).graph.node)
