#!/usr/bin/env python3
"""Times foldserve and its peers on the same networks and inputs, and writes a Markdown table.

    engine_table.py CACHE --foldserve COMMAND [--cases NETWORK[:BATCH[:THREADS]] …] [--engines ENGINE …] [--rounds 5]
                    [--json FILE] [--output engine-table.md]
    engine_table.py --readme      puts engine-table.md's table into README.md
    engine_table.py --check       fails when README.md has another table than engine-table.md

CACHE is a folder for the networks. In each round every engine runs the same number of inferences on the same input, in an
order that rotates from round to round; an engine's figure is the median over the rounds of a round's median. Outputs are
compared with those of ONNX Runtime with every optimisation off. The file of --json keeps what was measured, so that a later
run with other --cases adds to it or replaces those. Needs what engine-requirements.txt beside this file pins.
"""
import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import readme_table

HERE = Path(__file__).resolve().parent
TABLE, README = HERE / "engine-table.md", HERE.parents[1] / "README.md"
TABLE_NAME = "engine-table"
PEERS = ("onnxruntime", "openvino", "openvino-default", "torch", "ncnn")
TITLES = {
    "foldserve": "foldserve", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO, fp32",
    "openvino-default": "OpenVINO, its default", "torch": "torch.jit", "ncnn": "ncnn"}
# Those that compute in the precision of the weights.
FULL_PRECISION = ("onnxruntime", "openvino", "torch", "ncnn")
# How far an fp32 answer may be from the unoptimised one, relative to the greatest output.
TOLERANCE = 1e-3
# What one engine's inferences of a round take, and how many they are at least and at most.
ROUND_MILLISECONDS = 400
COUNTS = 3, 3000
PAUSE_SECONDS = 0.3
LEGEND = """\
Milliseconds that one run of the batch takes; among the fp32 columns the least is bold, and “lead” is the best peer's over
foldserve's. “error” is foldserve's greatest difference from ONNX Runtime with every optimisation off, relative to the greatest
output; an engine whose own is past {tolerance} is marked **wrong**. “–”: the engine does not run the network. OpenVINO's
default on processors with bf16 units is bf16, about twice as fast and less exact; where its default is fp32, one figure stands
for both. ncnn has no batch."""


def default_cases():
    small = [f"{name}:{batch}:1" for name in ("mlp", "cnn") for batch in (1, 8)]
    large = [f"{name}:{batch}:2" for name in ("resnet50", "mobilenetv2") for batch in (1, 8)]
    one = [f"{name}:1:1" for name in (
        "resnet18", "resnet50", "vgg16_bn", "densenet121", "inception_v3", "mobilenetv2", "mobilenet_v3_large",
        "efficientnet_b0", "shufflenet_v2_x1_0", "regnet_y_400mf", "convnext_tiny", "unet", "temporal", "lstm")]
    return small + one + large


class Peer:
    """An engine in a process of its own."""

    def __init__(self, engine, case, folder):
        self.output = folder / f"{engine}.out.npy"
        self.process = subprocess.Popen(
            [sys.executable, HERE / "engine_worker.py", engine, case.network, case.model, case.input, self.output,
             str(case.threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(case.threads)})
        line = self.process.stdout.readline()
        self.answer = json.loads(line) if line else {"unsupported": "the engine's process ended"}

    def run(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Foldserve:
    """Its own command, a process for each round."""

    def __init__(self, command, case, folder):
        self.command, self.case, self.folder = command, case, folder
        self.output = folder / f"{quote(case.output_name, safe='-._')}.npy"

    def run(self, count):
        case = self.case
        done = subprocess.run(
            [self.command, "bench", case.model, "--threads", str(case.threads), "--iterations", str(count), "--warmup",
             str(max(3, count // 10)), "--input", f"{case.input_name}={case.input}", "--output-dir", self.folder, "--json"],
            capture_output=True, text=True, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, range(case.threads)))
        if done.returncode:
            raise SystemExit(f"{case}: foldserve bench failed: {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout)["milliseconds"]

    def close(self):
        pass


class Case:
    """NETWORK:BATCH:THREADS with its files."""

    def __init__(self, text, cache, folder):
        import engine_networks
        import numpy
        import onnx
        parts = text.split(":")
        self.network = parts[0]
        self.batch, self.threads = (int(part) for part in [*parts[1:], "1", "1"][:2])
        self.model = engine_networks.write(self.network, cache)
        graph = onnx.load(self.model, load_external_data=False).graph
        weights = {tensor.name for tensor in graph.initializer}
        self.input_name = next(port.name for port in graph.input if port.name not in weights)
        self.output_name = graph.output[0].name
        self.input = folder / "x.npy"
        shape = (self.batch, *engine_networks.item_shape(self.network))
        numpy.save(self.input, numpy.random.default_rng(0).standard_normal(shape).astype(numpy.float32))

    def __str__(self):
        return f"{self.network}:{self.batch}:{self.threads}"


def measure(case, folder, options):
    """The row of a case: for each engine milliseconds and error, or why there are none."""
    import numpy
    reference = Peer("onnxruntime-unoptimized", case, folder)
    reference.close()
    expected = numpy.load(reference.output)
    row, engines = {}, {}
    for name in options.engines:
        peer = Peer(name, case, folder)
        if "unsupported" in peer.answer:
            row[name] = peer.answer
        elif name == "openvino-default" and peer.answer["note"] == "f32":
            row[name] = {"same": "openvino", **peer.answer}
        else:
            engines[name] = peer
            continue
        peer.close()
    engines["foldserve"] = Foldserve(options.foldserve, case, folder)
    probe = statistics.median(next(iter(engines.values())).run(3))
    count = max(COUNTS[0], min(COUNTS[1], int(ROUND_MILLISECONDS / probe)))
    rounds = {name: [] for name in engines}
    order = list(engines)
    for index in range(options.rounds):
        for name in order[index % len(order):] + order[:index % len(order)]:
            # Threads that spin for a while after their work are asleep by then.
            time.sleep(PAUSE_SECONDS)
            rounds[name].append(statistics.median(engines[name].run(count)))
    for name, engine in engines.items():
        actual = numpy.load(engine.output).reshape(expected.shape)
        error = float(numpy.abs(actual - expected).max() / numpy.abs(expected).max())
        row[name] = {"milliseconds": statistics.median(rounds[name]), "error": error, **getattr(engine, "answer", {})}
        engine.close()
    return row


def text_of(milliseconds):
    return f"{milliseconds:.3g}" if milliseconds < 100 else f"{milliseconds:.0f}"


def cell(row, name, best):
    result = row.get(name, {"unsupported": "not asked"})
    if "unsupported" in result:
        return "–"
    if "same" in result:
        return "= fp32"
    text = text_of(result["milliseconds"])
    text = f"**{text}**" if result["milliseconds"] == best else text
    if name in (*FULL_PRECISION, "foldserve") and not result["error"] <= TOLERANCE:
        text += f" **wrong {result['error']:.2g}**"
    return text


def line(case, row):
    network, batch, threads = case.split(":")
    peers = {name: row[name]["milliseconds"] for name in FULL_PRECISION if "milliseconds" in row.get(name, {})}
    ours = row["foldserve"]["milliseconds"]
    best = min([ours, *peers.values()])
    lead = f"{min(peers.values()) / ours:.2f}" if peers else "–"
    cells = [cell(row, name, best) for name in ("foldserve", *PEERS)]
    return f"| {network} | {batch} | {threads} | " + " | ".join(cells) + f" | {lead} | {row['foldserve']['error']:.1g} |"


def table(results):
    lines = [
        "| Network | Batch | Threads | " + " | ".join(TITLES[name] for name in ("foldserve", *PEERS)) + " | lead | error |",
        "|---|" + "---:|" * (len(PEERS) + 5)]
    order = {case: index for index, case in enumerate(default_cases())}
    lines += [line(case, results[case]) for case in sorted(results, key=lambda case: (order.get(case, len(order)), case))]
    return "\n".join(lines) + "\n"


def machine():
    description = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", description)[1]
    flags = re.search(r"flags\s*: (.*)", description)[1].split()
    vectors = next((flag for flag in ("avx512f", "avx2") if flag in flags), "sse2").upper()
    return f"{model} ({vectors}), {os.cpu_count()} processors, Linux {platform.release()}"


def document(results, command):
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    found = {name: row[name]["version"] for row in results.values() for name in row if row[name].get("version")}
    names = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime", "torch": "torch", "ncnn": "ncnn"}
    versions = [f"foldserve {version}"] + [f"{names[name]} {found[name]}" for name in names if name in found]
    failures = [
        f"- {TITLES[name]} on {case}: {result['unsupported']}" for case, row in results.items()
        for name, result in row.items() if "unsupported" in result and "no batch" not in result["unsupported"]]
    parts = ["# How fast engines are", LEGEND.format(tolerance=TOLERANCE), readme_table.marked(TABLE_NAME, table(results))]
    if failures:
        parts.append("\n".join(["Not run:", "", *failures]))
    parts.append(
        f"Measured on {datetime.date.today()} on {machine()}, with " + ", ".join(versions)
        + f", Python {platform.python_version()}; written by `engine_table.py`.")
    return "\n\n".join(parts) + "\n"


def main(arguments):
    if arguments in (["--readme"], ["--check"]):
        return readme_table.update(TABLE_NAME, TABLE, README, "engine_table.py", is_check=arguments == ["--check"])
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--foldserve", default="foldserve", metavar="COMMAND")
    parser.add_argument("--cases", nargs="+", metavar="NETWORK:BATCH:THREADS", default=default_cases())
    parser.add_argument("--engines", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="keeps what was measured")
    parser.add_argument("--output", type=Path, help="the table; without it, standard output")
    options = parser.parse_args(arguments)
    results = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    for text in options.cases:
        with tempfile.TemporaryDirectory() as folder:
            case = Case(text, options.cache, Path(folder))
            results[str(case)] = measure(case, Path(folder), options)
        print(line(str(case), results[str(case)]), file=sys.stderr, flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1))
    text = document(results, options.foldserve)
    if options.output:
        options.output.write_text(text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
