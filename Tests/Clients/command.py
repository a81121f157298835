"""Runs the foldserve command and says what it used."""
import os
import resource
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDSERVE = Path(os.environ.get("FOLDSERVE", ROOT / ".build" / "release" / "foldserve"))

# sysexits.h
USAGE, DATA = 64, 65
ADDRESS_SPACE_BYTE_LIMIT = 8 << 30


@dataclass(frozen=True)
class Completed:
    """How a run ended: `status` is the exit status, or minus the number of the signal that killed it."""
    status: int
    output: str
    errors: str
    seconds: float
    resident_byte_count: int


def clean_environment(**variables):
    """The environment without settings of foldserve that the machine happens to have."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOLDSERVE")}
    return {**kept, **variables}


def run(*arguments, timeout_seconds=60, **variables):
    """Runs `foldserve arguments`; `variables` are added to its environment. Kills it when the time is up."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = subprocess.Popen(
            [FOLDSERVE, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
            env=clean_environment(**variables), preexec_fn=limit_address_space)
        usage = wait(process, start + timeout_seconds)
        seconds = time.monotonic() - start
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    return Completed(process.returncode, *texts, seconds, usage.ru_maxrss * 1024)


def limit_address_space():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTE_LIMIT, ADDRESS_SPACE_BYTE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def wait(process, deadline):
    """Waits like Popen.wait, and returns what the process used of the machine."""
    pause = 0.002
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.monotonic() > deadline:
            os.kill(process.pid, signal.SIGKILL)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
