"""The networks that the tests run: the shipped ones and the fixtures, with what PyTorch or ONNX says they answer."""
import functools
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy
import onnx

from command import ROOT

SHIPPED = ("digits_cnn", "digits_dwsep", "cancer_mlp")
FIXTURES = ("unet", "audio1d", "volume3d", "preact")


@dataclass(frozen=True)
class Network:
    """A model file with its golden tensors."""
    name: str
    path: Path
    golden: Path
    # The model's folder in a repository; None for a single file.
    folder: Path | None = None

    def __str__(self):
        return self.name

    @functools.cached_property
    def model(self):
        return onnx.load(self.path)

    @property
    def input_names(self):
        constants = {initializer.name for initializer in self.model.graph.initializer}
        return [value.name for value in self.model.graph.input if value.name not in constants]

    @property
    def output_names(self):
        return [value.name for value in self.model.graph.output]

    @property
    def batch_norms(self):
        return [node for node in self.model.graph.node if node.op_type == "BatchNormalization"]

    @functools.cached_property
    def tensors(self):
        return {unquote(path.stem): numpy.load(path) for path in sorted(self.golden.glob("*.npy"))}

    @property
    def inputs(self):
        return {name: self.tensors[name] for name in self.input_names}

    @property
    def expected(self):
        return {name: self.tensors[name] for name in self.output_names}

    @property
    def item_shape(self):
        """The extents behind the batch axis of the only input."""
        (name,) = self.input_names
        return self.tensors[name].shape[1:]

    def items(self, count, seed=0):
        """Inputs like the golden ones: their items with noise, so that no two are the same."""
        (name,) = self.input_names
        golden = self.tensors[name]
        random = numpy.random.default_rng(seed)
        chosen = golden[random.integers(0, len(golden), count)]
        noise = random.standard_normal(chosen.shape) * (golden.std(axis=0) * 0.5)
        return {name: (chosen + noise).astype(golden.dtype)}


def network(name):
    folder = ROOT / "models" / name if name in SHIPPED else ROOT / "Tests/Fixtures/networks" / name
    return Network(name, folder / "1" / "model.onnx", folder / "1" / "golden", folder)


NETWORKS = [network(name) for name in (*SHIPPED, *FIXTURES)]


def onnx_cases():
    """Every model of Tests/Fixtures/onnx that stands beside golden tensors."""
    folder = ROOT / "Tests/Fixtures/onnx"
    cases = []
    for path in sorted(folder.rglob("*.onnx")):
        golden = path.parent / "golden"
        if golden.is_dir():
            cases.append(Network(str(path.parent.relative_to(folder)), path, golden))
    return cases


def assert_close(actual, expected, tolerance, what=""):
    """|actual − expected| ≤ tolerance · max(1, standard deviation of expected); other types must be equal."""
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    if not numpy.issubdtype(expected.dtype, numpy.floating):
        assert numpy.array_equal(actual, expected), f"{what}: {actual} is not {expected}"
        return
    if actual.dtype == numpy.float16:
        # Half precision has eleven bits; the goldens are exact.
        tolerance = max(tolerance, 2**-9)
    actual, expected = actual.astype(numpy.float64), expected.astype(numpy.float64)
    finite = numpy.isfinite(expected)
    assert numpy.array_equal(actual[~finite], expected[~finite], equal_nan=True), f"{what}: not finite elsewhere"
    if not finite.any():
        return
    bound = tolerance * max(1.0, float(expected[finite].std()))
    error = float(numpy.abs(actual[finite] - expected[finite]).max())
    assert error <= bound, f"{what}: off by {error:.3g}, allowed is {bound:.3g}"
