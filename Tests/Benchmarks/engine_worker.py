#!/usr/bin/env python3
"""One engine with one network, for engine_table.py: it prints a JSON line when it is ready, then one for each number that it reads.

    engine_worker.py ENGINE NETWORK MODEL INPUT.npy OUTPUT.npy THREADS

The first line is {"note": …, "version": …} or {"unsupported": reason}; the others are the milliseconds of so many inferences.
The output of the first inference goes to OUTPUT.npy.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy


def onnxruntime(model, network, x, threads, optimize=True):
    import onnxruntime as engine
    options = engine.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    if not optimize:
        options.graph_optimization_level = engine.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = engine.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # Inputs and outputs are bound once: Python's conversions are not the engine's time.
    binding = session.io_binding()
    binding.bind_cpu_input(session.get_inputs()[0].name, x)
    binding.bind_output(session.get_outputs()[0].name)

    def run():
        session.run_with_iobinding(binding)
        return binding.get_outputs()[0]
    return run, lambda value: value.numpy(), "", engine.__version__


def openvino(model, network, x, threads, precision="f32"):
    import openvino as engine
    core = engine.Core()
    loaded = core.read_model(model)
    loaded.reshape(list(x.shape))
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    if precision:
        settings["INFERENCE_PRECISION_HINT"] = precision
    compiled = core.compile_model(loaded, "CPU", settings)
    request = compiled.create_infer_request()
    request.set_input_tensor(engine.Tensor(x, shared_memory=True))

    def run():
        request.infer()
        return request.get_output_tensor().data
    chosen = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    return run, numpy.array, chosen, engine.__version__.split("-")[0]


def torch_module(network):
    import engine_networks
    return engine_networks.module(network)


def torch(model, network, x, threads):
    import torch as engine
    engine.set_num_threads(threads)
    example = engine.from_numpy(x)
    with engine.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frozen = engine.jit.optimize_for_inference(
            engine.jit.freeze(engine.jit.trace(torch_module(network), example)))

    def run():
        with engine.inference_mode():
            return frozen(example)
    return run, lambda value: value.numpy(), "", engine.__version__.split("+")[0]


def ncnn(model, network, x, threads):
    import ncnn as engine
    import pnnx
    import torch
    if x.shape[0] != 1:
        raise NotImplementedError("ncnn has no batch axis")
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder) / "network"
        with torch.no_grad():
            torch.jit.trace(torch_module(network), torch.from_numpy(x)).save(f"{start}.pt")
        # fp16 would be other weights than the rest has.
        subprocess.run(
            [pnnx.EXEC_PATH, f"{start}.pt", f"inputshape=[{','.join(map(str, x.shape))}]", "fp16=0"], check=True,
            cwd=folder, capture_output=True)
        net = engine.Net()
        net.opt.num_threads, net.opt.use_vulkan_compute = threads, False
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = False
        if net.load_param(f"{start}.ncnn.param") or net.load_model(f"{start}.ncnn.bin"):
            raise RuntimeError("ncnn does not load what pnnx wrote")
    item = engine.Mat(x[0]).clone()

    def run():
        extractor = net.create_extractor()
        extractor.input("in0", item)
        return extractor.extract("out0")[1]
    return run, lambda value: numpy.array(value)[None], "", engine.__version__


ENGINES = {
    "onnxruntime": onnxruntime,
    "onnxruntime-unoptimized": lambda *arguments: onnxruntime(*arguments, optimize=False),
    "openvino": openvino,
    "openvino-default": lambda *arguments: openvino(*arguments, precision=None),
    "torch": torch,
    "ncnn": ncnn,
}


def main(arguments):
    engine, network, model, given, wanted, threads = arguments
    os.sched_setaffinity(0, range(int(threads)))
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    x = numpy.load(given)
    try:
        run, convert, note, version = ENGINES[engine](model, network, x, int(threads))
        run()
        numpy.save(wanted, convert(run()))
    except Exception as error:  # noqa: BLE001  Whatever an engine throws is its answer.
        print(json.dumps({"unsupported": f"{type(error).__name__}: {error}".splitlines()[0][:200]}), flush=True)
        return 0
    print(json.dumps({"note": note, "version": version}), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1e3)
        print(json.dumps(times), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
