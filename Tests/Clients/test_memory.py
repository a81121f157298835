"""What loading a large model takes of memory, and what a person sees meanwhile."""
import os
import pty
import signal
import subprocess
import time

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import command

CHANNELS, LAYERS = 512, 12
# Of the file's size: the mapped weights, or folded ones, and the packed ones.
PEAK_LIMIT = 2.2
STOPS_AFTER_SECONDS, STOPPED_SECONDS = (0.1, 0.05, 0.025, 0.2, 0.4), 1.5


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A model of 100 MB: convolutions, each with its normalization and Relu."""
    random = numpy.random.default_rng(1)
    nodes, initializers, source = [], [], "input"
    for layer in range(LAYERS):
        inputs = 3 if layer == 0 else CHANNELS
        weight = random.standard_normal((CHANNELS, inputs, 3, 3)).astype(numpy.float32) * numpy.float32(0.02)
        arrays = {"weight": weight, **{
            name: random.uniform(0.5, 1.5, CHANNELS).astype(numpy.float32)
            for name in ("scale", "bias", "mean", "variance")}}
        names = {name: f"{name}_{layer}" for name in arrays}
        initializers += [numpy_helper.from_array(array, names[name]) for name, array in arrays.items()]
        norm = [names[name] for name in ("scale", "bias", "mean", "variance")]
        nodes += [
            helper.make_node("Conv", [source, names["weight"]], [f"conv_{layer}"], pads=[1, 1, 1, 1]),
            helper.make_node("BatchNormalization", [f"conv_{layer}", *norm], [f"norm_{layer}"]),
            helper.make_node("Relu", [f"norm_{layer}"], [f"relu_{layer}"])]
        source = f"relu_{layer}"
    graph = helper.make_graph(
        nodes, "large", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info(source, TensorProto.FLOAT, ["N", CHANNELS, 8, 8])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    folder = tmp_path_factory.mktemp("large")
    onnx.save(model, folder / "large.onnx")
    numpy.save(folder / "input.npy", random.standard_normal((1, 3, 8, 8)).astype(numpy.float32))
    yield folder / "large.onnx"
    (folder / "large.onnx").unlink()


@pytest.mark.parametrize("arguments", [
    ("inspect",), ("predict", "--input"), ("predict", "--no-fold", "--input")], ids=" ".join)
def test_a_model_takes_little_more_than_twice_its_size(large, arguments):
    given = [f"input={large.parent / 'input.npy'}"] if "--input" in arguments else []
    completed = command.run(arguments[0], large, *arguments[1:], *given, timeout_seconds=120)
    assert completed.status == 0 and completed.errors == "", completed
    assert large.stat().st_size > 100_000_000
    assert completed.resident_byte_count <= PEAK_LIMIT * large.stat().st_size


def inspected_on_a_terminal(model, stop_after):
    """What a terminal is shown by `inspect`, which is stopped for a while so many seconds after its start."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [command.FOLDSERVE, "inspect", model], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=theirs, env=command.clean_environment())
    os.close(theirs)
    time.sleep(stop_after)
    process.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_SECONDS)
    process.send_signal(signal.SIGCONT)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:
        pass  # Linux says EIO when the other end is closed.
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return shown


def test_a_terminal_shows_what_takes_long_and_is_left_clean(large):
    # Stopped for a while, the work takes long however fast the machine is; one of the stops falls into the work.
    shown = next(filter(None, (inspected_on_a_terminal(large, after) for after in STOPS_AFTER_SECONDS)), b"")
    lines = [line for line in shown.replace(b"\x1b[K", b"").split(b"\r") if line]
    assert lines, "nothing was shown"
    assert all(line.startswith((b"loading large", b"folding large: ", b"packing large")) for line in lines), lines
    assert shown.endswith(b"\r\x1b[K")
