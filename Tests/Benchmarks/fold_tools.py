"""The tools of fold_table.py. Each takes a network and a path, and returns (model to count in, outputs by name).

A tool that writes ONNX leaves its outputs to ONNX Runtime with every optimisation off. One that cannot take a network
raises `Unsupported` with the reason.
"""
import subprocess
import warnings

import onnx
import torch

import fold_networks


class Unsupported(Exception):
    pass


def unfolded(network, path):
    return onnx.load(network.path), network.unfolded


def written(network, path):
    return onnx.load(path), fold_networks.run(path, network.inputs)


def foldserve(command):
    def fold(network, path):
        done = subprocess.run([command, "fold", network.path, "-o", path], check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return written(network, path)
    return fold


def onnx_runtime(network, path):
    """The extended level: what the full level adds is the layout of one processor, not folds."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(network.path), options, providers=["CPUExecutionProvider"])
    return written(network, path)


def onnxoptimizer(network, path):
    import onnxoptimizer
    passes = onnxoptimizer.get_fuse_and_elimination_passes()
    onnx.save(onnxoptimizer.optimize(onnx.load(network.path), passes, fixed_point=True), path)
    return written(network, path)


def onnxsim(network, path):
    import onnxsim
    onnx.save(onnxsim.simplify(onnx.load(network.path))[0], path)
    return written(network, path)


def onnxslim(network, path):
    import onnxslim
    onnx.save(onnxslim.slim(onnx.load(network.path)), path)
    return written(network, path)


def onnxscript(network, path):
    import onnxscript.optimizer
    import onnxscript.rewriter
    onnx.save(onnxscript.rewriter.rewrite(onnxscript.optimizer.optimize(onnx.load(network.path))), path)
    return written(network, path)


def openvino(network, path):
    import openvino_graph
    return openvino_graph.compiled(network)


def with_module(convert):
    """A tool that takes the module; what it makes is exported as it is."""
    def fold(network, path):
        if network.module is None:
            raise Unsupported("takes a module")
        example = torch.from_numpy(network.inputs["input"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            convert(network.module(), example, path)
        return written(network, path)
    return fold


@with_module
def torch_fx(module, example, path):
    from torch.fx.experimental.optimization import fuse
    try:
        fused = fuse(module)
    except torch.fx.proxy.TraceError as error:
        raise Unsupported(f"cannot trace: {error}") from error
    fold_networks.export(fused, example, path)


@with_module
def torch_freeze(module, example, path):
    """torch.jit.freeze holds every numeric fold; optimize_for_inference adds those that only choose kernels."""
    fold_networks.export(torch.jit.freeze(torch.jit.trace(module, example)), example, path)


@with_module
def torch_export(module, example, path):
    """The exporter with its defaults."""
    torch.onnx.export(
        module, (example,), path, input_names=["input"], output_names=["output"], verbose=False, external_data=False)


def tools(foldserve_command):
    return {
        "unfolded": unfolded, "foldserve": foldserve(foldserve_command), "ONNX Runtime": onnx_runtime,
        "onnxoptimizer": onnxoptimizer, "onnxsim": onnxsim, "OnnxSlim": onnxslim, "onnxscript": onnxscript,
        "OpenVINO": openvino, "torch.fx fuse": torch_fx, "torch.jit freeze": torch_freeze,
        "torch.onnx default": torch_export}


PACKAGES = ("torch", "torchvision", "keras", "onnx", "onnxruntime", "onnxoptimizer", "onnxsim", "onnxslim", "onnxscript",
            "openvino")
