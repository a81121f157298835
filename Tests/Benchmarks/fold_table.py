#!/usr/bin/env python3
"""Runs folding tools over networks and writes what each leaves, as counted by count_affines.py, as a Markdown table.

    fold_table.py CACHE [--foldserve COMMAND] [--output fold-table.md] [--json FILE] [--only NETWORK …] [--tools TOOL …]

CACHE is a folder for the networks. The file of --json keeps the counts, so that a later run does only what is missing or
what --tools names. On random input every folded network must answer like the module in Float64, or like the unfolded file in
ONNX Runtime with every optimisation off where there is no module: within 1e-4 · max(1, standard deviation) or, if that is
more, four times the unfolded file's own error. Needs what fold-requirements.txt beside this file pins.
"""
import argparse
import importlib.metadata
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

import count_affines
import fold_networks
import fold_tools

TOLERANCE = 1e-4
# How much worse than the unfolded network's own rounding a deep network's may be, if that is past the tolerance.
ROUNDING_ALLOWANCE = 4
LEGEND = """\
Each cell is the number of per-channel affines by constants that the tool leaves in the network: nodes, and behind a slash
runs of consecutive nodes where these are fewer (a BatchNormalization spelled as Mul and Add is two nodes in one run).
“(n s)” says how many of the nodes have one scalar for all channels, as in an activation that is spelled out.
“+ n LN” counts layer normalizations with a scale or bias of their own, which OpenVINO spells out; “+ n pad” counts Pads with
a value other than zero, which carry a shift past the border of a padded convolution. **wrong** means that the answer differs
from the unfolded network's by the largest error given, past what rounding explains; “–” that the tool does not take the
network. `count_affines.py` defines what an affine is; `fold_tools.py` says how each tool is run, and `openvino_graph.py`
where OpenVINO's are counted."""


def judge(network, outputs):
    """The largest error over the outputs, and whether one is past its bound."""
    # A tool that takes a module or compiles may name the outputs anew; their order stays.
    if set(outputs) != set(network.reference):
        outputs = dict(zip(network.reference, outputs.values(), strict=True))
    worst, past = 0.0, False
    for name, expected in network.reference.items():
        if outputs[name].shape != expected.shape:
            return numpy.inf, True
        error = largest_difference(outputs[name], expected)
        own_error = largest_difference(network.unfolded[name], expected)
        bound = max(TOLERANCE * max(1.0, float(expected.std())), ROUNDING_ALLOWANCE * own_error)
        worst, past = max(worst, error), past or not error <= bound
    return worst, past


def largest_difference(actual, expected):
    return float(numpy.abs(actual.astype(numpy.float64) - expected.astype(numpy.float64)).max())


def measure(tool, network, path):
    """What the tool leaves, or why there is no answer."""
    path.unlink(missing_ok=True)
    try:
        model, outputs = tool(network, path)
        summary = count_affines.count(model).summary(nodes=True)
        error, past = judge(network, outputs)
    except fold_tools.Unsupported as reason:
        return {"unsupported": str(reason)}
    except Exception as error:  # noqa: BLE001  Whatever a tool throws is its answer.
        return {"failed": f"{type(error).__name__}: {error}"[:300]}
    return {**summary, "error": error, "isWrong": past}


def cell(result):
    if "unsupported" in result:
        return "–"
    if "failed" in result:
        return "failed"
    text = str(result["affines"])
    if result["runs"] != result["affines"]:
        text += f"/{result['runs']}"
    if result["scalars"]:
        text += f" ({result['scalars']} s)"
    if result["normalizations"]:
        text += f" + {result['normalizations']} LN"
    if result["pads"]:
        text += f" + {result['pads']} pad"
    return f"{text} **wrong {result['error']:.2g}**" if result["isWrong"] else text


def table(results, tools, versions):
    names = [name for name in tools if all(name in row for row in results.values())]
    lines = ["# What folding tools leave", "", LEGEND, "", "| Network | " + " | ".join(names) + " |",
             "|---|" + "---:|" * len(names)]
    lines += [f"| {network} | " + " | ".join(cell(row[name]) for name in names) + " |" for network, row in results.items()]
    failures = [f"- {name} on {network}: {row[name]['failed'].splitlines()[0]}" for network, row in results.items()
                for name in names if "failed" in row[name]]
    if failures:
        lines += ["", "Failed:", "", *failures]
    return "\n".join([*lines, "", "Written by `fold_table.py` with " + ", ".join(versions) + ".", ""])


def versions(command):
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    packages = [f"{name} {importlib.metadata.version(name)}" for name in fold_tools.PACKAGES]
    return [f"foldserve {version}", *packages, f"Python {platform.python_version()}"]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--foldserve", default="foldserve", metavar="COMMAND")
    parser.add_argument("--output", type=Path, help="the table; without it, standard output")
    parser.add_argument("--json", type=Path, help="keeps every count, with the nodes' names")
    parser.add_argument("--only", nargs="+", default=(), metavar="NETWORK")
    parser.add_argument("--tools", nargs="+", metavar="TOOL", help="run these, also where there is a count")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    every_tool = fold_tools.tools(options.foldserve)
    is_kept = options.json and options.json.exists()
    results = json.loads(options.json.read_text()) if is_kept else {}
    with tempfile.TemporaryDirectory() as folder:
        for network in fold_networks.networks(options.cache, options.only):
            row = results.setdefault(network.name, {})
            for name in options.tools or [name for name in every_tool if name not in row]:
                row[name] = measure(every_tool[name], network, Path(folder) / "folded.onnx")
                print(f"{network.name}: {name}: {cell(row[name])}", row[name].get("failed", ""), file=sys.stderr, flush=True)
            if options.json:
                options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False))
    order = [name for name in fold_networks.names() if name in results]
    text = table({name: results[name] for name in order}, every_tool, versions(options.foldserve))
    if options.output:
        options.output.write_text(text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
