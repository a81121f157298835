"""testssl.sh against a running server: protocols, cipher categories, forward secrecy, known vulnerabilities."""
import json
import shutil
import subprocess

import pytest

from test_protocols import certificate, secure_server  # noqa: F401 - fixtures

# About a minute where nothing else runs.
SECONDS = 1800
CHECKS = ("-p", "-s", "-f", "-U")
# What it says of itself and of the machine that it runs on, not of the server.
OWN = {"engine_problem", "scanTime", "scanProblem_openssl", "service"}


def test_nothing_above_info_is_found(secure_server, tmp_path):  # noqa: F811
    scanner = shutil.which("testssl") or shutil.which("testssl.sh")
    if scanner is None:
        pytest.skip("testssl.sh is not installed")
    report = tmp_path / "report.json"
    completed = subprocess.run(
        [scanner, *CHECKS, "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--jsonfile", report,
         f"{secure_server.host}:{secure_server.port}"],
        capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    findings = {item["id"]: item for item in json.loads(report.read_text())}
    # It did look: both versions are found, and what must not be there is found missing.
    assert findings["TLS1_2"]["severity"] == findings["TLS1_3"]["severity"] == "OK", completed.stdout[-2000:]
    assert {"SSLv3", "TLS1", "heartbleed", "ROBOT", "RC4"} <= findings.keys()
    bad = [item for name, item in findings.items() if name not in OWN and item["severity"] not in ("OK", "INFO")]
    assert not bad, bad
    assert secure_server.get("/v2/health/live")[0] == 200
