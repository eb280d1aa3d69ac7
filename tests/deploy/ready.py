"""How long the gateway takes from its start until it says that it serves, and how it runs then.

  ready.py PROGRAM MOST_MILLISECONDS

PROGRAM starts `superid-gateway` with the arguments it is given. The word that it serves is the
service manager's READY=1: nothing is polled for.
"""

import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

ROUNDS = 11
CONFIG = "/etc/superid-gateway/gateway.toml"
PATIENCE = 30


def main(program, most):
    rounds = [start(program, last=number == ROUNDS - 1) for number in range(ROUNDS)]
    times, work = (sorted(figures) for figures in zip(*rounds))
    median = statistics.median(times)
    print(
        f"ready after {median:.1f} ms (median of {ROUNDS}, {times[0]:.1f} to {times[-1]:.1f}),"
        f" of which it worked {statistics.median(work):.1f} ms"
    )
    if median > most:
        sys.exit(f"FAILED: expected at most {most:g} ms")


def start(program, last):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0superid-gateway-ready-{os.getpid()}")
        manager.settimeout(PATIENCE)
        environment = {"NOTIFY_SOCKET": f"@superid-gateway-ready-{os.getpid()}"}
        environment["PATH"] = os.environ["PATH"]
        began = time.perf_counter()
        process = subprocess.Popen(
            [program, "run", "--config", CONFIG], env=environment, stdout=subprocess.DEVNULL
        )
        try:
            said = manager.recv(4096).decode()
            took = (time.perf_counter() - began) * 1000
            worked = at_work(process.pid)
            assert "READY=1" in said, said
            if last:
                look_at(process.pid, program)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(PATIENCE)
        assert code == 0, f"it ended with {code}"
        return took, worked


def at_work(process):
    """Milliseconds its threads have had a processor: what a busy machine does not change much."""
    threads = pathlib.Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(thread.read_text(encoding="ascii").split()[0]) for thread in threads) / 1e6


def look_at(process, program):
    """It has no right but to be itself, and its own health check finds it."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    for name, wanted in [
        ("Uid", "65532\t65532\t65532\t65532"),
        ("Gid", "65532\t65532\t65532\t65532"),
        ("CapEff", "0" * 16),
        ("CapPrm", "0" * 16),
        ("NoNewPrivs", "1"),
    ]:
        assert status[name] == wanted, f"{name}: {status[name]}, not {wanted}"
    health = subprocess.run(
        [program, "health", "--config", CONFIG], capture_output=True, timeout=PATIENCE, check=False
    )
    said = health.stdout.decode() + health.stderr.decode()
    assert health.returncode == 0 and "ready" in said, said
    print(f"health check: {said.strip()}")
    resident = int(re.match(r"\s*(\d+) kB", status["VmRSS"])[1]) / 1000
    print(f"as user 65532, without rights, {resident:.1f} MB in memory, {status['Threads']} threads")


main(sys.argv[1], float(sys.argv[2]))
