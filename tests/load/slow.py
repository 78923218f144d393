"""Slow clients do not affect other clients: slow headers, slow bodies and slow reads."""

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
# The service has one core to itself and the clients have the others, if there are any.
SERVICE_CORES = {CORES[0]}
CLIENT_CORES = set(CORES[1:]) or SERVICE_CORES
MAX_MB = 256
# Pause between two parts that a slow client sends or reads.
PAUSE_SECS = 5
# slowhttptest has no option for headers, so this one goes into the value of Accept.
ACCEPT_AND_KEY = f"*/*\r\nX-API-Key: {KEY}"


@dataclass
class Attack:
    name: str
    options: list[str]
    path: str
    # Measured windows. The service keeps these connections open for as long.
    windows: int = 5


ATTACKS = [
    Attack("headers", ["-H", "-i", str(PAUSE_SECS)], "/api/v1/data/user-1"),
    # Batches have the largest bodies and the longest deadline.
    Attack("bodies", ["-B", "-i", str(PAUSE_SECS), "-s", "1000000", "-f", "application/json", "-m", ACCEPT_AND_KEY], "/api/v1/data/batch"),
    # The largest response that needs no key. The service closes these after half a minute.
    Attack("reads", ["-X", "-n", str(PAUSE_SECS), "-z", "32", "-w", "512", "-y", "1024"], "/docs/swagger-ui-bundle.js", windows=3),
]


def verify(short: bool) -> None:
    connections, max_windows = (500, 1) if short else (4_000, 5)
    with Service(cores=SERVICE_CORES) as service:
        service.post("/api/v1/data/batch", {"readings": readings(1_000)})
        with idle_connections(service):
            # Warm-up.
            measure(service, 1)
            for attack in ATTACKS:
                attack_and_measure(service, attack, connections, min(attack.windows, max_windows), short)
        peak = service.peak_resident_mb()
        report.check(f"peak memory {peak:.0f} MB, at most {MAX_MB}", peak <= MAX_MB)


def measure(service: Service, windows: int) -> list[Outcome]:
    """Measures well-behaved clients; returns the windows by ascending p99.

    Each window is longer than the pause of a slow client, so the service's work for slow
    clients is part of all of them. Other processes only add to some.
    """
    url = service.url + "/api/v1/data/user-[0-9]{1,2}\\?limit=10"
    load = Load(url, 8, PAUSE_SECS + 1, rate=200, varies=True, cores=CLIENT_CORES)
    return sorted((run(load) for _ in range(windows)), key=lambda outcome: outcome.p99)


def attack_and_measure(service: Service, attack: Attack, connections: int, windows: int, short: bool) -> None:
    before = measure(service, windows)
    command = [
        "slowhttptest", *attack.options, "-c", str(connections), "-r", str(connections // 2), "-l", str(windows * 30 + 30),
        "-u", service.url + attack.path,
    ]  # fmt: skip
    # It uses a whole core, which it shares with the measured clients, so it runs at a lower priority.
    process = subprocess.Popen(
        ["nice", "-n", "15", "taskset", "--cpu-list", ",".join(map(str, CLIENT_CORES)), *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        eventually(lambda: open_connections(service) >= connections, 60)
        reached = open_connections(service)
        during = measure(service, windows)
        remaining = open_connections(service)
        batch, response = service.post("/api/v1/data/batch", {"readings": readings(10)})
        resident = service.resident_mb()
    finally:
        process.kill()
        process.wait()
    kept_open = reached >= connections * 0.95 and remaining >= connections * 0.75
    report.check(f"slow {attack.name}: {reached:.0f} connections, {remaining:.0f} at the end", kept_open)
    report.check(f"slow {attack.name}: all other requests succeed", all(outcome.all_succeeded for outcome in before + during), during)
    under_attack, baseline = during[0], before[0]
    # A single window is noisy.
    bound = max(baseline.p99 * 2, 50) if short else baseline.p99 * 2
    name = f"slow {attack.name}: p99 {under_attack.p99:.2f} ms under attack, {baseline.p99:.2f} ms without"
    report.check(name, under_attack.p99 <= bound)
    report.check(f"slow {attack.name}: a batch is stored", batch == 200, (batch, response))
    report.info(f"all windows: {percentiles(during)}; without: {percentiles(before)}; {resident:.0f} MB resident")
    are_closed = eventually(lambda: open_connections(service) < 20, 10)
    report.check(f"slow {attack.name}: the connections are closed", are_closed, open_connections(service))


def percentiles(windows: list[Outcome]) -> str:
    return "p99 " + ", ".join(f"{outcome.p99:.2f}" for outcome in windows) + f" ms, p50 {windows[0].p50:.2f} ms"


def open_connections(service: Service) -> float:
    return sum(service.metric("clarity_http_connections_open").values())


@contextmanager
def idle_connections(service: Service):
    """Keeps two connections idle after a request; checks at the end how long each lived."""
    lifetimes = {}

    def keep_idle(next_request_after: float | None) -> None:
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.settimeout(100)
            status = request_health(connection)
            start = time.monotonic()
            if next_request_after:
                time.sleep(next_request_after)
                status = request_health(connection)
            else:
                connection.recv(1)
            lifetimes[next_request_after] = (time.monotonic() - start, status)

    threads = [threading.Thread(target=keep_idle, args=[seconds]) for seconds in (None, 61)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()
    seconds, _ = lifetimes[None]
    report.check(f"an idle connection is closed after {seconds:.1f} s, within 61 to 90 s", 61 <= seconds <= 90)
    _, status = lifetimes[61]
    report.check("a connection idle for 61 s accepts a request", status == "HTTP/1.1 200 OK", status)


def request_health(connection: socket.socket) -> str:
    """Returns the status line of a response that fits one read."""
    connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
    return connection.recv(65_536).decode().partition("\r\n")[0]
