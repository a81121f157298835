#!/usr/bin/env python3
"""Executes the Dockerfile without a container engine, and serves a prediction from what it makes.

Every stage's steps run in a chroot of their own: the build stage over an overlay of this machine (in place of its base
image: Swift must be installed here), the final stage over a Debian that debootstrap makes. The server then runs as the
Dockerfile's USER on a read-only root, its HEALTHCHECK must succeed, a prediction must come back, and SIGTERM must end it
with 0. Prints the sizes of the binary and of the image.

Needs Linux, root, debootstrap and python3. Exit status 0: all of it worked.
"""
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAXIMUM_BINARY_BYTES = 25_000_000
PORT = 18080


def instructions(text):
    """(name, arguments) for each instruction of a Dockerfile, continuation lines joined, comments dropped."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, arguments = line.strip().partition(" ")
            yield name.upper(), arguments.strip()


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def mount_system(root):
    for kind, target in (("proc", "proc"), ("devtmpfs", "dev")):
        (root / target).mkdir(exist_ok=True)
        run("mount", "-t", kind, kind, root / target)


def debian_mirror():
    """The mirror that this machine's apt uses for Debian itself."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for path in sources:
        if path.is_file():
            for word in path.read_text().split():
                if re.match(r"https?://.*/debian/?$", word):
                    return word
    raise SystemExit("container: this machine's apt names no Debian mirror")


class Stage:
    def __init__(self, image, folder):
        self.image, self.root, self.directory, self.user, self.settings = image, folder / "root", "/", "0:0", {}
        folder.mkdir(parents=True)
        self.root.mkdir()
        if image.startswith("swift:"):
            (folder / "upper").mkdir()
            (folder / "work").mkdir()
            run("mount", "-t", "overlay", "overlay", "-o",
                f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work", self.root)
        else:
            suite = re.fullmatch(r"debian:(\w+)-slim", image).group(1)
            run("debootstrap", "--variant=minbase", suite, self.root, debian_mirror(), stdout=subprocess.DEVNULL)
            # The same package sources as this machine's.
            for name in ("sources.list", "sources.list.d"):
                run("rm", "-rf", self.root / "etc/apt" / name)
                if Path("/etc/apt", name).exists():
                    run("cp", "-a", Path("/etc/apt", name), self.root / "etc/apt")
        run("cp", "-L", "/etc/resolv.conf", self.root / "etc/resolv.conf")
        mount_system(self.root)

    def command(self, *words):
        user, group = self.user.split(":")
        return ["chroot", f"--userspec={user}:{group}", str(self.root), "/bin/sh", "-c",
                f"cd {shlex.quote(self.directory)} && exec " + shlex.join(words)]

    def execute(self, name, arguments, stages):
        if name == "RUN":
            run(*self.command("/bin/sh", "-c", arguments), stdout=sys.stderr,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"})
        elif name == "WORKDIR":
            self.directory = arguments
            (self.root / arguments.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            words = arguments.split()
            origin = ROOT
            if words[0].startswith("--from="):
                origin = stages[words.pop(0).removeprefix("--from=")].root
            *sources, target = words
            target_path = self.root / os.path.join(self.directory, target).lstrip("/")
            for source in sources:
                path = origin / source.lstrip("/")
                if path.is_dir():
                    target_path.mkdir(parents=True, exist_ok=True)
                    run("cp", "-a", f"{path}/.", target_path)
                else:
                    target_path.parent.mkdir(parents=True, exist_ok=True)
                    run("cp", "-a", path, target_path)
        elif name == "USER":
            self.user = arguments
        else:
            self.settings[name] = arguments


def build(folder):
    stages, stage = {}, None
    for name, arguments in instructions((ROOT / "Dockerfile").read_text()):
        if name == "FROM":
            image, _, alias = arguments.partition(" AS ")
            stage = Stage(image, folder / (alias or "final"))
            stages[alias or "final"] = stage
        else:
            print(f"container: {name} {arguments[:90]}", file=sys.stderr, flush=True)
            stage.execute(name, arguments, stages)
    return stages["final"]


def ask(path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data=body)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read())


def serve(stage):
    binary = stage.root / "usr/local/bin/foldserve"
    print(f"container: stripped static binary of {binary.stat().st_size} bytes")
    if binary.stat().st_size > MAXIMUM_BINARY_BYTES:
        raise SystemExit(f"container: the binary is over {MAXIMUM_BINARY_BYTES} bytes")
    size = subprocess.run(["du", "-sxb", "--exclude=proc", "--exclude=dev", stage.root],
                          check=True, capture_output=True, text=True).stdout.split()[0]
    print(f"container: image of {size} bytes")
    # With its mounts: Swift reads a program's arguments from /proc.
    run("mount", "--rbind", stage.root, stage.root)
    run("mount", "-o", "remount,ro,bind", stage.root)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "FOLDSERVE_HOST": "127.0.0.1", "FOLDSERVE_PORT": str(PORT)}
    entry = json.loads(stage.settings["ENTRYPOINT"]) + json.loads(stage.settings["CMD"])
    check = json.loads(stage.settings["HEALTHCHECK"].partition("CMD ")[2])
    start = time.monotonic()
    server = subprocess.Popen(stage.command(*entry), env=environment)
    try:
        for _ in range(100):
            if subprocess.run(stage.command(*check), env=environment, capture_output=True).returncode == 0:
                break
            if server.poll() is not None:
                raise SystemExit(f"container: the server ended with {server.returncode}")
            time.sleep(0.1)
        else:
            raise SystemExit("container: the server did not become ready")
        print(f"container: ready after {(time.monotonic() - start) * 1000:.0f} ms")
        status = Path(f"/proc/{server.pid}/status").read_text()
        user = re.search(r"^Uid:\s+(\d+)", status, re.M).group(1)
        if user == "0" or user != stage.user.split(":")[0]:
            raise SystemExit(f"container: the server runs as user {user}")
        if subprocess.run(stage.command("touch", "/tmp/written"), capture_output=True).returncode == 0:
            raise SystemExit("container: the root is writable")
        features = [[17.99, 10.38, 122.8, 1001.0] + [0.1] * 26]
        body = {"inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 30], "data": features}]}
        answer = ask("/v2/models/cancer_mlp/infer", json.dumps(body).encode())
        if len(answer["outputs"][0]["data"]) != 2:
            raise SystemExit(f"container: unexpected answer {answer}")
        print(f"container: prediction {answer['outputs'][0]['data']}")
    finally:
        server.send_signal(signal.SIGTERM)
        status = server.wait(timeout=60)
    if status != 0:
        raise SystemExit(f"container: SIGTERM ended the server with {status}, expected 0")
    print("container: the Dockerfile's steps work")


def main():
    if os.geteuid() != 0:
        raise SystemExit("container: needs root, for chroot and mounts")
    if os.environ.get("FOLDSERVE_CONTAINER_NAMESPACE") != "1":
        # Mounts in a namespace of their own vanish with this process.
        os.execvpe("unshare", ["unshare", "--mount", sys.executable, __file__],
                   {**os.environ, "FOLDSERVE_CONTAINER_NAMESPACE": "1"})
    folder = Path("/tmp/foldserve-container")
    folder.mkdir(exist_ok=True)
    # In memory: an overlay's upper layer cannot lie in its lower one, and nothing is left behind.
    run("mount", "-t", "tmpfs", "tmpfs", folder)
    serve(build(folder / "stages"))


if __name__ == "__main__":
    main()
