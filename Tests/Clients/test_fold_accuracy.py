"""What folding costs in accuracy, measured against the unfolded network in Float64, of which foldserve computes nothing.

Folding computes coefficients in Float64 and rounds each once to Float32. So the folded file is to be the same function but
for that rounding, and to lose no more in Float32 than the unfolded file does, which rounds more often.

torch is large, so the networks that it makes are measured only with FOLDSERVE_TEST_TORCHVISION=1. Most of make_exports.py's
are left out: their exporters have folded everything already. Run with -rP to read the figures.
"""
import functools
import json
import os
import subprocess

import numpy
import onnx
import pytest
from onnx import numpy_helper

import networks
from command import ROOT
from float64 import Judge
from test_certificate import RANDOM, Builder, Folded
from test_onnxruntime import TOLERANCE, reference

# |folded − unfolded| in Float64, as a part of max(1, standard deviation of the output).
SAME_FUNCTION = 2e-6
# How much farther from Float64 the folded file may be in Float32: the mean over the probes of each one's largest distance.
# The largest of all is one draw of rounding noise, which for a small network has been twice that of the unfolded file where
# the means differ by less than a half.
FARTHER = 1.5
FLOAT32_ROUNDING = 2.0**-24
PROBE_COUNT = 4
SMALL_PROBE_COUNT = 16
EXPORT_SECONDS = 300

CHAINS = ("keras_image", "keras_sequence", "tf2onnx_image", "tf2onnx_sequence", "dynamo", "torchscript")
SIDE = 64
VISION = ("resnet18", "resnet50", "mobilenetv2", "densenet121", "shufflenet_v2_x1_0")
EXPORTS = ("vit-script",)
BENCHMARKS = (
    "U-Net", "1-D convolutions", "BN → conv, padded", "(x−mean)/std → conv, padded",
    "affine of each channel → concat → conv, padded", "BN → flatten → linear", "linear → ReLU → BN → linear",
    "LayerNorm → linear", "conv → max pool → BN → conv", "conv → resize → BN → ReLU", "conv + conv → BN → ReLU",
    "concat → BN → conv, padded", "pre-activation residual")
SMALL = [*networks.NETWORKS, *RANDOM, *CHAINS]
TORCH = [*BENCHMARKS, *EXPORTS, *VISION]
# test_certificate.py checks NETWORKS and RANDOM, and VISION take long. check_certificate.py refuses EXPORTS: it knows no
# functions in place of their nodes, no branches on constants.
CHECKED = [*CHAINS, *BENCHMARKS]


def title(case):
    return getattr(case, "__name__", str(case))


def every(cases):
    return pytest.mark.parametrize("case", cases, ids=title)


class Measured:
    """A file and its folded one, and how far either is from the file in Float64, for each probe the largest."""

    def __init__(self, path, folded, probes):
        self.path, self.folded, self.probes = path, folded, probes
        self.exact = outputs(Judge(path), probes)
        self.std = max(y.std() for probe in self.exact for y in probe.values())
        self.largest = max(numpy.abs(y).max() for probe in self.exact for y in probe.values())

    def distances(self, compute):
        """The largest |computed − exact| of each probe."""
        return numpy.array([
            max(numpy.abs(y - probe[name]).max() for name, y in computed.items())
            for computed, probe in zip(outputs(compute, self.probes), self.exact, strict=True)])

    @functools.cached_property
    def change(self):
        return self.distances(Judge(self.folded)).max()

    @functools.cached_property
    def unfolded_error(self):
        return self.distances(functools.partial(reference, self.path)).mean()

    @functools.cached_property
    def folded_error(self):
        return self.distances(functools.partial(reference, self.folded)).mean()

    @functools.cached_property
    def allowed_change(self):
        """Deep networks with random weights multiply what their numbers are rounded by. There a folded file, rounded as
        well as can be, is farther off than SAME_FUNCTION, and what is allowed is what one rounding of each number of the
        unfolded file changes."""
        allowed = SAME_FUNCTION * max(1, self.std)
        return allowed if self.change <= allowed else max(allowed, self.rounding_noise)

    @functools.cached_property
    def rounding_noise(self):
        path, random = self.folded.with_name("noisy.onnx"), numpy.random.default_rng(1)
        rewrite(self.path, path, lambda values: values.astype(numpy.float64) * (
            1 + FLOAT32_ROUNDING * random.uniform(-1, 1, values.shape)))
        return self.distances(Judge(path)).max()

    @property
    def allowed_error(self):
        """Where both are nearly exact, the order of a sum decides: one rounding of the largest output is allowed too."""
        return FARTHER * self.unfolded_error + FLOAT32_ROUNDING * self.largest


def outputs(compute, probes):
    return [compute(probe) for probe in probes]


def rewrite(source, path, change):
    """Writes a model anew with its Float32 initializers changed."""
    model = onnx.load(source)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), tensor.name))
    onnx.save(model, path)


@pytest.fixture(scope="module")
def torch_files(torch_python, tmp_path_factory):
    """The files of TORCH by name; three scripts at once."""
    folder = tmp_path_factory.mktemp("torch")
    commands = [
        ("Benchmarks/make_models.py", "--side", str(SIDE), folder, *VISION),
        ("Benchmarks/fold_networks.py", folder, *BENCHMARKS), ("Clients/make_exports.py", folder, *EXPORTS)]
    running = [
        subprocess.Popen([torch_python, ROOT / "Tests" / script, *arguments], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        for script, *arguments in commands]
    printed = []
    for process in running:
        output, errors = process.communicate(timeout=EXPORT_SECONDS)
        assert process.returncode == 0, errors
        printed.append(output)
    files = {name: folder / f"{name}.onnx" for name in (*VISION, *EXPORTS)}
    return files | json.loads(printed[1].splitlines()[-1])


@pytest.fixture(scope="module")
def measure(request, tmp_path_factory):
    """Folds and measures each network once."""
    known = {}

    def measured(case):
        if str(case) not in known:
            folder = tmp_path_factory.mktemp("network")
            path = file(case, folder, request)
            folded = Folded(path, folder)
            known[str(case)] = folded, Measured(path, folded.out, probes(case, path))
        return known[str(case)]
    return measured


def file(case, folder, request):
    if case in RANDOM:
        onnx.save(case(Builder(RANDOM.index(case))), folder / "model.onnx")
        return folder / "model.onnx"
    if case in networks.NETWORKS:
        return case.path
    if case in CHAINS:
        return ROOT / f"Tests/Fixtures/chains/{case}.onnx"
    return request.getfixturevalue("torch_files")[case]


def probes(case, path):
    """Random inputs: like the golden ones where there are some, else normal ones."""
    count = PROBE_COUNT if case in TORCH and case not in BENCHMARKS else SMALL_PROBE_COUNT
    if case in networks.NETWORKS:
        return [case.items(2, seed) for seed in range(count)]
    (port,) = onnx.load(path).graph.input
    shape = [dimension.dim_value or 2 for dimension in port.type.tensor_type.shape.dim]
    if case in CHAINS:
        shape = numpy.load(path.with_suffix(".x.npy")).shape
    return [{port.name: numpy.random.default_rng(seed).standard_normal(shape).astype(numpy.float32)}
            for seed in range(count)]


@every([*SMALL, *TORCH])
def test_folding_changes_something_and_keeps_the_function(case, measure):
    folded, measured = measure(case)
    assert folded.certificate["pieces"], "something is to be folded"
    print(f"{title(case)}: changed by {measured.change:.2g}, allowed is {measured.allowed_change:.2g}, "
          f"the outputs' deviation is {measured.std:.2g}")
    assert measured.change <= measured.allowed_change


@every([*SMALL, *TORCH])
def test_folded_file_is_no_farther_from_float64_in_float32(case, measure):
    _, measured = measure(case)
    print(f"{title(case)}: off by {measured.folded_error:.2g} folded, {measured.unfolded_error:.2g} unfolded: "
          f"ratio {measured.folded_error / measured.unfolded_error:.2f}; "
          f"a rounding of the largest output is {FLOAT32_ROUNDING * measured.largest:.2g}")
    # That the judge computes the same network.
    assert measured.unfolded_error <= TOLERANCE * max(1, measured.std)
    assert measured.folded_error <= measured.allowed_error


@every(CHECKED)
def test_pieces_are_within_their_bounds(case, measure):
    folded, _ = measure(case)
    checked = folded.check()
    assert checked.returncode == 0 and "checked" in checked.stdout, checked.stderr


# That the measures tell what is wrong


@pytest.fixture(scope="module")
def digits(measure):
    return measure(networks.NETWORKS[0])[1]


def changed(measured, path, change):
    rewrite(measured.folded, path, change)
    return Measured(measured.path, path, measured.probes)


def test_one_wrong_coefficient_changes_the_function(digits, tmp_path):
    def perturb(values):
        values = values.copy()
        if values.shape == (16, 1, 3, 3):
            values.flat[numpy.abs(values).argmax()] *= 1.0001
        return values
    wrong = changed(digits, tmp_path / "wrong.onnx", perturb)
    assert wrong.change > 2 * wrong.allowed_change


def test_coefficients_of_twenty_bits_are_farther_from_float64(digits, tmp_path):
    coarse = changed(digits, tmp_path / "coarse.onnx", lambda values: (
        (values.view(numpy.uint32) + 8) & ~numpy.uint32(15)).view(numpy.float32))
    assert coarse.folded_error > coarse.allowed_error
    assert coarse.change > coarse.allowed_change
