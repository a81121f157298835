"""A server under steady load, at length: reloads, refused reloads, certificates, load and unload cycles, kill -9, a soak.

    FOLDSERVE=.build/release/foldserve python Tests/Benchmarks/repository_soak.py [reloads failures cycles renewals seconds]

Prints what it counted, and ends with 1 when a request failed, an answer was mixed, or resident memory grew by more than
2 % over the load and unload cycles or over the soak: that many seconds of clients of every kind, once the server is warm.
The server listens on 127.0.0.1. Needs what Tests/requirements.txt names.
"""
import json
import os
import shutil
import ssl
import sys
import tempfile
import threading
import time
from pathlib import Path

for place in ("Clients", "Fuzz"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / place))

import changing
import client_mix
from changing import Load, Repository, reload_damaged, reload_good
from command import ROOT
from server import Server
from test_repository import TOKENS, make_certificate, replace, served_certificate

RELOADS, FAILURES, CYCLES, RENEWALS, SOAK_SECONDS = 100, 20, 50, 10, 600
# The first cycles fill what the process keeps: threads' stacks, caches, the heap's arenas.
WARM_UP_CYCLES = 10
# The soak's memory is looked at so many times; what comes before the first look is warm-up.
SOAK_LOOKS, SOAK_CLIENTS = 10, 6
GROWTH_LIMIT = 1.02
POLL = {"FOLDSERVE_REPOSITORY_MODE": "poll", "FOLDSERVE_REPOSITORY_POLL_SECONDS": "0.1"}


def resident_bytes(server):
    fields = Path(f"/proc/{server.process.pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def reloads(folder, count, failures, renewals):
    repository = Repository(folder / "models")
    repository.put("m/1", 1.0)
    repository.put_file("m/model.json", b'{"versionPolicy": {"latest": 1}}')
    pairs = [make_certificate(folder, f"name{index}") for index in range(2)]
    certificate, key = folder / "served.pem", folder / "served.key"
    replace(certificate, pairs[0][0])
    replace(key, pairs[0][1])
    arguments = ("--tls-certificate", certificate, "--tls-key", key, "--log-level", "warning")
    context = ssl._create_unverified_context()
    start = time.monotonic()
    with Server(repository.folder, folder / "reloads.log", *arguments, **POLL) as server:
        server.wait_until_ready()
        with Load(server, context=context) as kept, Load(server, count=1, context=context, fresh=True) as fresh:
            factor = 1.0
            for step in range(1, count + 1):
                factor = reload_good(kept, repository, step)
            print(f"{count} reloads in {time.monotonic() - start:.0f} s, {kept.answered + fresh.answered} answers")
            # Every version that fails is one that should replace what serves.
            for step in range(failures):
                kind = changing.KINDS[step % len(changing.KINDS)]
                reload_damaged(kept, server, repository, kind, 1000 + step, factor)
            print(f"{failures} refused, {kept.answered + fresh.answered} answers")
            for step in range(renewals):
                pair = pairs[(step + 1) % 2]
                replace(certificate, pair[0])
                replace(key, pair[1])
                kept.wait_for(lambda: served_certificate(server).split() == pair[0].split())
            print(f"{renewals} certificates, {kept.answered + fresh.answered} answers, none failed or mixed")
        server.process.kill()
        server.process.wait()
        start = time.monotonic()
        with Server(repository.folder, folder / "again.log", *arguments, **POLL) as again:
            again.wait_until_ready()
            with Load(again, context=context) as load:
                pass
            assert load.factors == [factor], load.factors
        print(f"killed; serves again after {time.monotonic() - start:.1f} s")
        server.stop = lambda: 0
        server.process.stdout.close()


def cycles(folder, count):
    """Loads, asks and unloads the networks of models/; returns the growth of resident memory."""
    models = folder / "networks"
    shutil.copytree(ROOT / "models", models, ignore=shutil.ignore_patterns("*.py", "*.md"))
    tokens = folder / "tokens"
    tokens.write_text(f"{TOKENS['admin']} admin\n")
    headers = {"Authorization": f"Bearer {TOKENS['admin']}"}
    with Server(models, folder / "cycles.log", FOLDSERVE_REPOSITORY_MODE="explicit", FOLDSERVE_ADMIN_PORT="0",
                FOLDSERVE_ADMIN_TOKEN_FILE=str(tokens)) as server:
        admin = int(server.admin_url.rsplit(":", 1)[1])
        sizes = []
        for cycle in range(WARM_UP_CYCLES + count):
            for verb in ("load", "unload"):
                for path in sorted(models.iterdir()):
                    port, server.port = server.port, admin
                    status, _, body = server.request(
                        "POST", f"/v2/repository/models/{path.name}/{verb}", b"", headers)
                    server.port = port
                    assert status == 200, body
                    if verb == "load":
                        ask(server, path.name)
            sizes.append(resident_bytes(server))
    sizes = sizes[WARM_UP_CYCLES - 1:]
    growth = max(sizes[1:]) / sizes[0]
    print(f"{count} cycles: resident {sizes[0] >> 10} KiB before, {sizes[-1] >> 10} after, "
          f"{max(sizes) >> 10} at most: {growth:.4f}")
    return growth


def soak(folder, seconds):
    """Clients of every kind against models that stay; returns the growth of resident memory since the first look."""
    repository = Repository(folder / "soaked")
    client_mix.conftest.make_repository(repository.folder, client_mix.CHOSEN)
    repository.put("m/1", 1.0)
    with Server(repository.folder, folder / "soak.log", "--log-level", "error") as server:
        server.wait_until_ready()
        mix = client_mix.Mix([server], b"")
        interval = seconds / SOAK_LOOKS
        end = time.monotonic() + seconds + interval
        threads = [threading.Thread(target=mix.repeat, args=(end, mix.client(seed))) for seed in range(SOAK_CLIENTS)]
        for thread in threads:
            thread.start()
        sizes = []
        for look in range(SOAK_LOOKS + 1, 0, -1):
            time.sleep(max(0, end - (look - 1) * interval - time.monotonic()))
            sizes.append(resident_bytes(server))
        for thread in threads:
            thread.join()
    assert not mix.failures, mix.failures[0]
    growth = max(sizes[1:]) / sizes[0]
    print(f"soak of {seconds:.0f} s, {dict(sorted(mix.counts.items()))}: resident {sizes[0] >> 10} KiB before, "
          f"{sizes[-1] >> 10} after, {max(sizes) >> 10} at most: {growth:.4f}")
    return growth


def ask(server, name):
    """One prediction of zeros, whatever the network's input."""
    (given,) = server.get_json(f"/v2/models/{name}")["inputs"]
    shape = [extent if extent > 0 else 1 for extent in given["shape"]]
    count = 1
    for extent in shape:
        count *= extent
    body = json.dumps({"inputs": [{**given, "shape": shape, "data": [0] * count}]})
    status, _, answer = server.request("POST", f"/v2/models/{name}/infer", body)
    assert status == 200, answer


def main(arguments):
    counts = [RELOADS, FAILURES, CYCLES, RENEWALS, SOAK_SECONDS]
    counts[:len(arguments)] = map(int, arguments)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        reloads(folder, counts[0], counts[1], counts[3])
        growths = [cycles(folder, counts[2]), soak(folder, counts[4])]
        return 0 if max(growths) <= GROWTH_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
