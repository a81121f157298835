"""`foldserve predict` answers what PyTorch computes in Float64, and what ONNX says an operator answers."""
import numpy
import pytest

import command
import networks

TOLERANCE = 1e-5
FOLDING = pytest.mark.parametrize("flags", [(), ("--no-fold",)], ids=["folded", "unfolded"])


def predict(network, tmp_path, flags, batch=None):
    arguments = []
    for index, (name, tensor) in enumerate((batch or network.inputs).items()):
        path = tmp_path / f"input{index}.npy"
        numpy.save(path, tensor)
        arguments += ["--input", f"{name}={path}"]
    completed = command.run(
        "predict", network.path, *arguments, "--output-dir", tmp_path / "out", *flags)
    assert completed.status == 0, completed.errors
    return networks.Network(network.name, network.path, tmp_path / "out").expected


@FOLDING
@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_network_matches_its_golden_outputs(network, flags, tmp_path):
    for name, actual in predict(network, tmp_path, flags).items():
        networks.assert_close(actual, network.expected[name], TOLERANCE, f"{network} {name}")


@FOLDING
@pytest.mark.parametrize("case", networks.onnx_cases(), ids=str)
def test_operator_case_matches_its_golden_outputs(case, flags, tmp_path):
    for name, actual in predict(case, tmp_path, flags).items():
        networks.assert_close(actual, case.expected[name], TOLERANCE, f"{case} {name}")


@pytest.mark.parametrize("network", networks.NETWORKS, ids=str)
def test_an_item_gets_the_same_bits_in_any_batch_and_with_any_thread_count(network, tmp_path):
    batch = network.items(5)
    answers = {}
    for label, items, threads in [
        ("together", batch, 1), ("threads", batch, 2),
        ("alone", {name: tensor[3:4] for name, tensor in batch.items()}, 1),
    ]:
        folder = tmp_path / label
        folder.mkdir()
        answers[label] = predict(network, folder, ("--threads", threads), items)
    for name, together in answers["together"].items():
        assert numpy.array_equal(answers["threads"][name], together), f"{name} depends on the thread count"
        assert numpy.array_equal(answers["alone"][name][0], together[3]), f"{name} depends on the batch"
