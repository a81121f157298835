"""The command line: exit statuses, messages, configuration and the files it writes."""
import json
import re
import shutil
import socket
import subprocess

import numpy
import onnx
import pytest
from onnx import helper

import command
import networks
from command import DATA, ROOT, USAGE, run

MODEL = networks.network("cancer_mlp")
INPUT = MODEL.golden / "input.npy"


def one_line(completed):
    lines = completed.errors.splitlines()
    assert len(lines) == 1, completed.errors
    return lines[0]


@pytest.mark.parametrize("arguments", [
    ("no-such-subcommand",), ("--no-such-flag",), ("predict",), ("predict", MODEL.path, "--no-such-flag"),
    ("predict", MODEL.path, "--threads", "0"), ("predict", MODEL.path, "--threads", "-1"),
    ("predict", MODEL.path, "--threads", "many"), ("predict", MODEL.path, "another"),
    ("predict", MODEL.path, "--input"), ("inspect",), ("fold",), ("fold", MODEL.path), ("bench",),
    ("bench", MODEL.path, "--batch", "0"), ("bench", MODEL.path, "--iterations", "0"),
    ("bench", MODEL.path, "--warmup", "-1"), ("health", "--timeout-seconds", "0"), ("health", "extra"),
    ("serve", "--port", "65536"), ("serve", "--port", "-1"), ("serve", "--port", "http"),
    ("serve", "--log-level", "loud"), ("serve", "--threads", "-1"), ("serve", "--tls-key", "key.pem"),
    ("serve", "--config", "/no/such/file.json"),
], ids=lambda arguments: " ".join(str(argument).rsplit("/", 1)[-1] for argument in arguments))
def test_wrong_usage_is_64(arguments):
    completed = run(*arguments)
    assert completed.status == USAGE, completed
    assert completed.errors and completed.output == ""


@pytest.mark.parametrize("arguments", [
    ("--help",), ("serve", "--help"), ("health", "--help"), ("predict", "--help"), ("inspect", "--help"),
    ("fold", "--help"), ("bench", "--help"), ("help", "predict"), ("--version",), ()], ids=" ".join)
def test_help_is_no_error(arguments):
    completed = run(*arguments)
    assert completed.status == 0 and not completed.errors
    if arguments == ("--version",):
        assert re.fullmatch(r"\d+\.\d+\.\d+\n", completed.output)
    else:
        wanted = [argument for argument in arguments if not argument.startswith("-") and argument != "help"]
        assert "USAGE: " + " ".join(["foldserve", *wanted]) in completed.output


# Models and inputs


@pytest.mark.parametrize("path, mention", [
    ("/no/such/model.onnx", "/no/such/model.onnx"), ("/no/such/folder/", "/no/such/folder"),
    (str(ROOT / "README.md"), "README.md"), (str(ROOT / "Tests"), "Tests"), ("", "")])
@pytest.mark.parametrize("subcommand", ["predict", "inspect", "bench", "fold"])
def test_what_is_no_model_is_65(subcommand, path, mention, tmp_path):
    arguments = ["-o", tmp_path / "out.onnx"] if subcommand == "fold" else []
    completed = run(subcommand, path, *arguments)
    assert completed.status == DATA, completed
    assert mention in one_line(completed)
    assert not (tmp_path / "out.onnx").exists()


def save(path, array):
    numpy.save(path, array)
    return path


@pytest.mark.parametrize("array, mentions", [
    (numpy.zeros((2, 30)), ["float64", "float32", "'input'"]),
    (numpy.zeros((2, 30), numpy.int32), ["int32", "float32"]),
    (numpy.zeros((2, 29), numpy.float32), ["29", "30", "'input'"]),
    (numpy.zeros(30, numpy.float32), ["[30]"]),
    (numpy.zeros((1, 2, 30), numpy.float32), ["'input'"]),
    (numpy.zeros((2, 0), numpy.float32), ["'input'"]),
    (numpy.float32(1), ["'input'"]),
], ids=["float64", "int32", "extent", "rank-1", "rank-3", "empty", "scalar"])
@pytest.mark.parametrize("flags", [(), ("--no-fold",)], ids=["folded", "unfolded"])
def test_an_input_that_does_not_fit_is_65(array, mentions, flags, tmp_path):
    completed = run("predict", MODEL.path, "--input", f"input={save(tmp_path / 'x.npy', array)}", *flags)
    assert completed.status == DATA, completed
    line = one_line(completed)
    assert all(mention in line for mention in mentions), line


def test_missing_and_unknown_inputs_are_65():
    completed = run("predict", MODEL.path)
    assert completed.status == DATA and "'input'" in one_line(completed)
    completed = run("predict", MODEL.path, "--input", f"output={INPUT}")
    assert completed.status == DATA and "'output'" in one_line(completed) and "input" in one_line(completed)


def test_an_input_given_twice_is_64():
    completed = run("predict", MODEL.path, "--input", f"input={INPUT}", "--input", f"input={INPUT}")
    assert completed.status == USAGE and "twice" in one_line(completed)


NPY = INPUT.read_bytes()


@pytest.mark.parametrize("content", [
    b"", b"\x93NUMPY", NPY[:-1], NPY + b"x", NPY[:40], b"x" + NPY[1:], NPY.replace(b"<f4", b"<c8"),
    NPY.replace(b"<f4", b"|O4"), NPY.replace(b"<f4", b">f4"), NPY.replace(b"False", b"Maybe"),
    NPY.replace(b"(8, 30)", b"(-8,30)"), NPY.replace(b"(8, 30)", b"(9, 30)"),
    NPY.replace(b"(8, 30), }", b"(99999999999999999999,), }"), NPY.replace(b"'descr'", b"'descx'"),
], ids=["empty", "magic-alone", "byte-missing", "byte-too-many", "header-cut", "magic-wrong", "complex", "objects",
        "big-endian", "order-unknown", "negative", "more-items", "huge", "key-wrong"])
def test_a_damaged_npy_file_is_65(content, tmp_path):
    assert content != NPY
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    completed = run("predict", MODEL.path, "--input", f"input={path}")
    assert completed.status == DATA, completed
    assert str(path) in one_line(completed)


def test_an_npy_file_in_fortran_order_is_read_as_such(tmp_path):
    batch = numpy.load(INPUT)
    path = save(tmp_path / "x.npy", numpy.asfortranarray(batch))
    assert b"True" in path.read_bytes()[:128]
    answers = [run("predict", MODEL.path, "--input", file).output for file in (path, INPUT)]
    assert answers[0] == answers[1] and answers[0].startswith("output float32[8,2]")


def test_an_input_file_that_is_not_there_is_65():
    completed = run("predict", MODEL.path, "--input", "input=/no/such/file.npy")
    assert completed.status == DATA and "/no/such/file.npy" in one_line(completed)


def test_an_empty_batch_has_an_empty_answer(tmp_path):
    path = save(tmp_path / "x.npy", numpy.zeros((0, 30), numpy.float32))
    completed = run("predict", MODEL.path, "--input", f"input={path}", "--output-dir", tmp_path / "out")
    assert completed.status == 0, completed.errors
    assert numpy.load(tmp_path / "out" / "output.npy").shape == (0, 2)


# What predict writes


def test_predict_prints_outputs_without_a_folder():
    completed = run("predict", MODEL.path, "--input", f"input={INPUT}")
    assert completed.status == 0 and completed.output.startswith("output float32[8,2] [")


def test_the_name_of_the_only_input_may_be_left_out():
    completed = run("predict", MODEL.path, "--input", INPUT)
    assert completed.status == 0 and completed.output.startswith("output float32[8,2]"), completed.errors


def test_a_folder_means_its_highest_version(tmp_path):
    for version, source in [("2", "audio1d"), ("10", "cancer_mlp"), ("9", "audio1d")]:
        (tmp_path / "model" / version).mkdir(parents=True)
        shutil.copy(networks.network(source).path, tmp_path / "model" / version)
    completed = run("predict", tmp_path / "model", "--input", f"input={INPUT}")
    assert completed.status == 0 and completed.output.startswith("output float32[8,2]"), completed.errors


NAMES = ["a/b", "../escape", "x y", "ü", "a=b", "%", "..", "plain.Name_1-2"]
FILES = ["a%2Fb", "..%2Fescape", "x%20y", "%C3%BC", "a%3Db", "%25", "..", "plain.Name_1-2"]


def odd_names_model(path):
    """Inputs of odd names, each doubled into an output of the same name with a dash."""
    info = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [2]) for name in NAMES]
    out = [helper.make_tensor_value_info(name + "-", onnx.TensorProto.FLOAT, [2]) for name in NAMES]
    nodes = [helper.make_node("Add", [name, name], [name + "-"]) for name in NAMES]
    graph = helper.make_graph(nodes, "odd", info, out)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_output_files_have_percent_encoded_names(tmp_path):
    model = odd_names_model(tmp_path / "model.onnx")
    arguments = []
    for index, name in enumerate(NAMES):
        arguments += ["--input", f"{name}={save(tmp_path / f'{index}.npy', numpy.float32([index, 0.5]))}"]
    out = tmp_path / "deep" / "out"
    out.parent.mkdir()
    completed = run("predict", model, *arguments, "--output-dir", out)
    assert completed.status == 0, completed.errors
    assert sorted(path.name for path in out.iterdir()) == sorted(file + "-.npy" for file in FILES)
    for index, file in enumerate(FILES):
        assert numpy.load(out / f"{file}-.npy").tolist() == [2 * index, 1]
    assert not (tmp_path / "deep" / "escape-.npy").exists()


def test_an_output_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    completed = run("predict", MODEL.path, "--input", f"input={INPUT}", "--output-dir", tmp_path / "file" / "out")
    assert completed.status in (USAGE, 70) and "file/out" in one_line(completed)


# inspect, fold, bench


def test_inspect_tells_what_the_file_holds():
    completed = run("inspect", MODEL.folder, "--json")
    assert completed.status == 0, completed.errors
    told = json.loads(completed.output)
    assert told["opset"] == 17 and told["operators"]["BatchNormalization"] == 3
    assert [port["name"] for port in told["inputs"] + told["outputs"]] == ["input", "output"]
    assert told["inputs"][0]["shape"][1:] == ["30"]
    text = run("inspect", MODEL.folder)
    assert text.status == 0 and "BatchNormalization" in text.output


def test_inspect_measures_each_fold_on_request():
    completed = run("inspect", networks.network("digits_cnn").folder, "--json", "--measure")
    assert completed.status == 0, completed.errors
    folded = [entry for entry in json.loads(completed.output)["fold"]["entries"] if entry["outcome"] == "folded"]
    assert folded
    for entry in folded:
        assert 0 <= entry["measuredRelativeError"] < 1e-5


# An exact fold exists, but it goes forward or through another operator: it may be left alone.
MAY_STAY = ("norm_before_conv", "matmul_reshape")


CASES = json.loads((ROOT / "Tests/Fixtures/onnx/cases.json").read_text())


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_outcome_of_each_case_is_the_expected_one(case):
    """Tests/Fixtures/onnx/README.md says what the expectations mean."""
    expectations = CASES[case]["normalizations"]
    completed = run("inspect", ROOT / "Tests/Fixtures/onnx" / case / "model.onnx", "--json")
    if completed.status == DATA:
        assert "refused" in expectations.values(), completed.errors
        return
    assert completed.status == 0, completed.errors
    entries = {entry["batchNorm"]: entry for entry in json.loads(completed.output)["fold"]["entries"]}
    for name, expectation in expectations.items():
        if name not in entries:
            # Arithmetic with a constant, which the report does not list.
            continue
        outcome = entries[name]["outcome"]
        if expectation == "folds" and case not in MAY_STAY:
            assert outcome == "folded", entries[name]
        elif expectation in ("stays", "refused"):
            assert outcome == "refused" and entries[name]["reason"], entries[name]


def test_fold_writes_a_report(tmp_path):
    completed = run("fold", MODEL.folder, "-o", tmp_path / "out.onnx", "--report", tmp_path / "report.json")
    assert completed.status == 0 and "folded" in completed.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["entries"]) == 3


def test_fold_to_a_folder_that_is_not_there_is_reported(tmp_path):
    completed = run("fold", MODEL.folder, "-o", tmp_path / "no" / "out.onnx")
    assert completed.status in (USAGE, DATA, 70) and "out.onnx" in one_line(completed)


def test_bench_prints_one_time_an_iteration(tmp_path):
    completed = run("bench", MODEL.folder, "--batch", "2", "--threads", "1", "--iterations", "7", "--warmup", "1",
                    "--json", "--output-dir", tmp_path)
    assert completed.status == 0, completed.errors
    milliseconds = json.loads(completed.output)["milliseconds"]
    assert len(milliseconds) == 7 and all(time > 0 for time in milliseconds)
    assert numpy.load(tmp_path / "output.npy").shape == (2, 2)
    assert run("bench", MODEL.folder, "--iterations", "2", "--input", f"input={INPUT}", "--no-fold").status == 0


def test_bench_shows_what_each_step_takes():
    arguments = ("bench", networks.network("digits_cnn").folder, "--threads", "1", "--iterations", "9", "--profile")
    completed = run(*arguments, "--json")
    assert completed.status == 0, completed.errors
    profile = json.loads(completed.output)["profile"]
    assert profile["peakGigaflopsPerSecond"] > 1
    assert sum(step["share"] for step in profile["steps"]) == pytest.approx(1)
    assert sum(step["microseconds"] for step in profile["steps"]) == pytest.approx(profile["totalMicroseconds"])
    convolution = next(step for step in profile["steps"] if step["operators"][0] == "Conv")
    assert convolution["kernel"] and 0 < convolution["shareOfPeak"] < 1 and convolution["gigaflopsPerSecond"] > 0
    text = run(*arguments)
    assert text.status == 0 and "total, of a measured peak" in text.output


def test_inspect_shows_the_bytes_of_each_step():
    steps = json.loads(run("inspect", MODEL.folder, "--json").output)["steps"]
    first = next(step for step in steps if step["weightBytes"] > 0)
    assert first["layout"] == "plain" and first["inputBytes"] == 30 * 4 and first["outputBytes"] > 0


# Configuration


def settings(**changes):
    return {**json.loads((ROOT / "config" / "foldserve.json").read_text()), **changes}


def write(path, value):
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def empty(tmp_path):
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_the_shipped_configuration_is_accepted(start_server, empty):
    with start_server(empty, "--config", ROOT / "config" / "foldserve.json") as server:
        assert server.get("/v2/health/live")[0] == 200


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(empty, tmp_path, file=None, variable=None, flag=None):
    """The port that a server listens on, told so in three places."""
    arguments = ["serve", "--models", empty, "--host", "127.0.0.1"]
    if file is not None:
        arguments += ["--config", write(tmp_path / "config.json", {"port": file})]
    if flag is not None:
        arguments += ["--port", str(flag)]
    variables = {} if variable is None else {"FOLDSERVE_PORT": str(variable)}
    process = subprocess.Popen(
        [command.FOLDSERVE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=command.clean_environment(**variables))
    try:
        line = process.stdout.readline()
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert line.startswith("listening on http://127.0.0.1:"), errors
    return int(line.rsplit(":", 1)[1])


def test_a_variable_overrides_the_file_and_a_flag_overrides_both(empty, tmp_path):
    ports = [free_port() for _ in range(3)]
    assert serve(empty, tmp_path, file=ports[0]) == ports[0]
    assert serve(empty, tmp_path, file=ports[0], variable=ports[1]) == ports[1]
    assert serve(empty, tmp_path, file=ports[0], variable=ports[1], flag=ports[2]) == ports[2]


@pytest.mark.parametrize("value, mentions", [
    ({"prot": 1}, ["'prot'", "'port'"]),
    ({"Port": 1}, ["'Port'", "'port'"]),
    ({"limits": {"maximumBodyBytesCount": 1}}, ["limits.maximumBodyBytesCount", "limits.maximumBodyByteCount"]),
    ({"port": "a lot"}, ["port", "65535"]),
    ({"port": 1.5}, ["port", "1.5"]),
    ({"port": 65536}, ["port", "65536"]),
    ({"port": -1}, ["port", "-1"]),
    ({"port": True}, ["port"]),
    ({"port": None}, ["port"]),
    ({"host": 5}, ["host", "5"]),
    ({"logLevel": "loud"}, ["logLevel", "loud", "debug"]),
    ({"drainTimeoutSeconds": 0}, ["drainTimeoutSeconds"]),
    ({"limits": 5}, ["limits"]),
    ({"limits": {"maximumBodyByteCount": 1e300}}, ["limits.maximumBodyByteCount"]),
    ([], []), ("text", []), (5, []), (None, []),
], ids=str)
def test_a_wrong_configuration_file_is_64_and_names_the_nearest(value, mentions, empty, tmp_path):
    path = write(tmp_path / "config.json", value)
    completed = run("serve", "--models", empty, "--config", path, timeout_seconds=10)
    assert completed.status == USAGE, completed
    line = one_line(completed)
    assert str(path) in line and all(mention in line for mention in mentions), line


@pytest.mark.parametrize("content", [b"", b"{", b"{} x", b"\xff\xfe", b"[" * 100_000], ids=lambda c: repr(c[:8]))
def test_a_configuration_file_that_is_not_json_is_64(content, empty, tmp_path):
    (tmp_path / "config.json").write_bytes(content)
    completed = run("serve", "--models", empty, "--config", tmp_path / "config.json", timeout_seconds=10)
    assert completed.status == USAGE, completed
    assert "config.json" in one_line(completed)


@pytest.mark.parametrize("name, value, mentions", [
    ("FOLDSERVE_PROT", "1", ["FOLDSERVE_PROT", "FOLDSERVE_PORT"]),
    ("FOLDSERVE_LIMIT_MAXIMUM_BODY_BYTE_COUNT", "1", ["FOLDSERVE_LIMITS_MAXIMUM_BODY_BYTE_COUNT"]),
    ("FOLDSERVE_PORT", "http", ["FOLDSERVE_PORT", "http"]),
    ("FOLDSERVE_PORT", "", ["FOLDSERVE_PORT"]),
    ("FOLDSERVE_PORT", "70000", ["FOLDSERVE_PORT", "70000"]),
])
def test_a_wrong_variable_is_64_and_names_the_nearest(name, value, mentions, empty):
    completed = run("serve", "--models", empty, timeout_seconds=10, **{name: value})
    assert completed.status == USAGE, completed
    line = one_line(completed)
    assert all(mention in line for mention in mentions), line


def test_a_repository_that_is_not_there_is_reported():
    completed = run("serve", "--models", "/no/such/folder", "--port", "0", "--host", "127.0.0.1", timeout_seconds=10)
    assert completed.status in (USAGE, DATA) and "/no/such/folder" in completed.errors


def test_a_port_that_is_taken_is_reported(start_server, empty):
    with start_server(empty) as server:
        completed = run("serve", "--models", empty, "--host", "127.0.0.1", "--port", server.port, timeout_seconds=10)
        assert completed.status not in (0, -11) and str(server.port) in completed.errors


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_a_certificate_that_cannot_be_used_is_reported(content, empty, tmp_path):
    path = tmp_path / "certificate.pem"
    if content is not None:
        path.write_text(content)
    completed = run("serve", "--models", empty, "--host", "127.0.0.1", "--port", "0", "--tls-certificate", path,
                    "--tls-key", path, timeout_seconds=10)
    assert completed.status > 0 and "certificate.pem" in completed.errors
