"""`serve --check` says everything that is wrong, at once, and serves nothing."""
import json
import shutil
import subprocess

import pytest

import networks
from command import run


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Two keys and the certificate of the first."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("mine", "other"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-subj", "/CN=localhost", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
            check=True, capture_output=True, timeout=60)
    return folder


def make_models(folder):
    """One model that is right."""
    network = networks.network("cancer_mlp")
    shutil.copytree(network.folder / "1", folder / network.name / "1")
    return folder


def check(*arguments, **variables):
    completed = run("serve", "--check", "--host", "127.0.0.1", *arguments, **variables)
    lines = completed.errors.splitlines()
    assert all(line.startswith("foldserve: ") for line in lines), lines
    return completed.status, [line.removeprefix("foldserve: ") for line in lines], completed.output


def test_what_is_right_passes(tmp_path, certificate):
    models = make_models(tmp_path / "models")
    for more in ((), ("--load",)):
        status, lines, output = check(
            "--models", models, "--port", 0, "--tls-certificate", certificate / "mine.pem",
            "--tls-key", certificate / "mine.key", *more)
        assert (status, lines, output) == (0, [], "nothing is wrong; models: 1\n")


def test_everything_that_is_wrong_is_told_at_once(tmp_path):
    models = make_models(tmp_path / "models")
    (models / "empty").mkdir()
    (models / "described" / "1").mkdir(parents=True)
    (models / "described" / "model.json").write_text('{"lables": []}')
    (models / "misnamed" / "v1").mkdir(parents=True)
    (models / "misnamed" / "v1" / "model.onnx").touch()
    (tmp_path / "config.json").write_text(json.dumps(
        {"prot": 1, "logLevel": "loud", "tlsCertificate": "/no/certificate.pem", "tlsKey": "/no/key.pem"}))
    status, lines, output = check(
        "--config", tmp_path / "config.json", "--models", models, "--port", "http", FOLDSERVE_THREDS="1")
    assert status == 64 and not output
    parts = [
        "setting 'logLevel' is 'loud'", "unknown setting 'prot'; did you mean 'port'?",
        "unknown environment variable 'FOLDSERVE_THREDS'; did you mean 'FOLDSERVE_THREADS'?",
        "setting '--port' is 'http'", "certificate '/no/certificate.pem' cannot be used: No such file or directory",
        "private key '/no/key.pem' cannot be used: No such file or directory",
        "unknown key 'lables'; did you mean 'labels'?", "version 1 has no model.onnx", "model 'empty'", "folder 'v1'",
    ]
    for part in parts:
        assert len([line for line in lines if part in line]) == 1, (part, lines)


def test_a_key_of_another_certificate_is_told(tmp_path, certificate):
    status, lines, _ = check(
        "--models", make_models(tmp_path / "models"), "--port", 0, "--tls-certificate", certificate / "mine.pem",
        "--tls-key", certificate / "other.key")
    assert status == 64 and len(lines) == 1 and "does not belong to certificate" in lines[0]


def test_a_port_that_is_taken_is_told(start_server, tmp_path):
    models = make_models(tmp_path / "models")
    with start_server(models) as server:
        server.wait_until_ready()
        status, lines, _ = check("--models", models, "--port", server.port)
        assert status == 64 and len(lines) == 1 and f"port {server.port}" in lines[0]
        assert server.get("/v2/health/ready")[0] == 200


def test_a_listener_and_token_files_for_admins_are_checked_too(tmp_path):
    models = make_models(tmp_path / "models")
    (tmp_path / "tokens").write_text("short admin\n")
    status, lines, _ = check(
        "--models", models, "--port", 18081, FOLDSERVE_ADMIN_TOKEN_FILE=str(tmp_path / "tokens"),
        FOLDSERVE_ADMIN_PORT="18081", FOLDSERVE_ACCESS_TOKEN_FILE="/no/tokens")
    assert status == 64
    for part in ("'port' and 'admin.port' are both 18081", f"token file '{tmp_path / 'tokens'}'", "'/no/tokens'"):
        assert [line for line in lines if part in line], (part, lines)


def test_models_are_loaded_only_on_demand(tmp_path):
    models = make_models(tmp_path / "models")
    path = models / "cancer_mlp" / "1" / "model.onnx"
    path.write_bytes(path.read_bytes()[:1000])
    assert check("--models", models, "--port", 0)[0] == 0
    status, lines, _ = check("--models", models, "--port", 0, "--load")
    assert status == 65 and len(lines) == 1 and lines[0].startswith("model 'cancer_mlp' version 1: ")
    assert check("--models", tmp_path / "none", "--port", 0)[0] == 64
    assert run("serve", "--load").status == 64
