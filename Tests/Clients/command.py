"""Runs the foldserve command and says what it used."""
import os
import resource
import signal
import subprocess
import sys
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


# A forked child counts its parent's memory as its own until it becomes another program: the parent is to be a small one.
LAUNCHER = """
import os, sys
report = int(sys.argv[1])
os.set_inheritable(report, False)
_, status, usage = os.wait4(os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ), 0)
os.write(report, b"%d %d" % (os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024))
"""


def run(*arguments, timeout_seconds=60, **variables):
    """Runs `foldserve arguments`; `variables` are added to its environment. Kills it when the time is up."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as report:
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", LAUNCHER, str(report.fileno()), FOLDSERVE, *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=errors, pass_fds=[report.fileno()],
            env=clean_environment(**variables), preexec_fn=limit_address_space, start_new_session=True)
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        seconds = time.monotonic() - start
        texts = []
        for file in (output, errors, report):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    status, resident_byte_count = map(int, texts[2].split() or (process.returncode, 0))
    return Completed(status, *texts[:2], seconds, resident_byte_count)


def limit_address_space():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTE_LIMIT, ADDRESS_SPACE_BYTE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
