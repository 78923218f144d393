"""Clients that draw out everything they can, and those beside them who do not."""

import os
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

from load import Load, Outcome, readings, run
from report import eventually, report
from service import KEY, Service

CORES = sorted(os.sched_getaffinity(0))
# The service has one to itself, and who asks has the rest, where there are several.
SERVED_BY = {CORES[0]}
ASKED_BY = set(CORES[1:]) or SERVED_BY
LARGEST_MB = 256
# Seconds between two pieces that a slow client sends or takes.
SILENT = 5
# A header of its own, for which slowhttptest has no option.
WITH_KEY = f"*/*\r\nX-API-Key: {KEY}"


@dataclass
class Attack:
    name: str
    options: list[str]
    path: str
    # For so many windows the service bears with all of them.
    windows: int = 5


ATTACKS = [
    Attack("headers", ["-H", "-i", str(SILENT)], "/api/v1/data/user-1"),
    # A batch may take the longest to arrive, and be the largest.
    Attack("bodies", ["-B", "-i", str(SILENT), "-s", "1000000", "-f", "application/json", "-m", WITH_KEY], "/api/v1/data/batch"),
    # The largest answer that everybody gets. They are cut off after half a minute.
    Attack("reads", ["-X", "-n", str(SILENT), "-z", "32", "-w", "512", "-y", "1024"], "/docs/swagger-ui-bundle.js", windows=3),
]


def prove(short: bool) -> None:
    connections, most_windows = (500, 1) if short else (4_000, 5)
    with Service(cores=SERVED_BY) as service:
        service.post("/api/v1/data/batch", {"readings": readings(1_000)})
        with idle_connections(service):
            # So that what is first is not measured.
            healthy(service, 1)
            for attack in ATTACKS:
                withstand(service, attack, connections, min(attack.windows, most_windows), short)
        peak = service.peak_resident_mb()
        report.check(f"at most {peak:.0f} MB were resident, of {LARGEST_MB}", peak <= LARGEST_MB)


def healthy(service: Service, windows: int) -> list[Outcome]:
    """Windows that are longer than slow clients are silent, the quietest first: what else
    goes on in the machine only adds to them, and what the service does is in each."""
    url = service.url + "/api/v1/data/user-[0-9]{1,2}\\?limit=10"
    load = Load(url, 8, SILENT + 1, rate=200, varies=True, cores=ASKED_BY)
    return sorted((run(load) for _ in range(windows)), key=lambda outcome: outcome.p99)


def withstand(service: Service, attack: Attack, connections: int, windows: int, short: bool) -> None:
    before = healthy(service, windows)
    command = [
        "slowhttptest", *attack.options, "-c", str(connections), "-r", str(connections // 2), "-l", str(windows * 30 + 30),
        "-u", service.url + attack.path,
    ]  # fmt: skip
    # It takes all of a core, which it shares with those who are measured: they go first.
    process = subprocess.Popen(
        ["nice", "-n", "15", "taskset", "--cpu-list", ",".join(map(str, ASKED_BY)), *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        eventually(lambda: open_connections(service) >= connections, 60)
        reached = open_connections(service)
        during = healthy(service, windows)
        lasting = open_connections(service)
        batch, answer = service.post("/api/v1/data/batch", {"readings": readings(10)})
        resident = service.resident_mb()
    finally:
        process.kill()
        process.wait()
    held = reached >= connections * 0.95 and lasting >= connections * 0.75
    report.check(f"slow {attack.name}: {reached:.0f} connections, {lasting:.0f} at the end", held)
    report.check(f"slow {attack.name}: all others are answered", all(outcome.all_well for outcome in before + during), during)
    best, usual = during[0], before[0]
    # One window may be anything.
    bound = max(usual.p99 * 2, 50) if short else usual.p99 * 2
    report.check(f"slow {attack.name}: p99 {best.p99:.2f} ms beside them, {usual.p99:.2f} ms without", best.p99 <= bound)
    report.check(f"slow {attack.name}: a batch is stored", batch == 200, (batch, answer))
    report.tell(f"all windows: {told(during)}; without: {told(before)}; {resident:.0f} MB resident")
    report.check(f"slow {attack.name}: they are let go", eventually(lambda: open_connections(service) < 20, 10), open_connections(service))


def told(windows: list[Outcome]) -> str:
    return "p99 " + ", ".join(f"{outcome.p99:.2f}" for outcome in windows) + f" ms, p50 {windows[0].p50:.2f} ms"


def open_connections(service: Service) -> float:
    return sum(service.counted("clarity_http_connections_open").values())


@contextmanager
def idle_connections(service: Service):
    """Two connections that have brought a request; what became of them is told at the end."""
    lived = {}

    def hold(again_after: float | None) -> None:
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.settimeout(100)
            status = ask(connection)
            began = time.monotonic()
            if again_after:
                time.sleep(again_after)
                status = ask(connection)
            else:
                connection.recv(1)
            lived[again_after] = (time.monotonic() - began, status)

    holders = [threading.Thread(target=hold, args=[again_after]) for again_after in (None, 61)]
    for holder in holders:
        holder.start()
    try:
        yield
    finally:
        for holder in holders:
            holder.join()
    seconds, _ = lived[None]
    report.check(f"an idle connection ends after {seconds:.1f} s, which is 61 to 90", 61 <= seconds <= 90)
    _, status = lived[61]
    report.check("after 61 s it takes a request", status == "HTTP/1.1 200 OK", status)


def ask(connection: socket.socket) -> str:
    """The status line of an answer that comes whole in one piece."""
    connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
    return connection.recv(65_536).decode().partition("\r\n")[0]
