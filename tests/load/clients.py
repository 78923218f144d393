"""Clients with think time, slow networks and thousands of connections: the program in `clients/`."""

import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from report import report
from service import KEY, Service
from slow import CLIENT_CORES, CORES

PROGRAM = Path(os.environ.get("CLARITY_CLIENTS", ""))
# Maximum segment size of the clients, as on a real network. Loopback's 64 KiB would let the
# service buffer whole responses in the kernel.
SEGMENT = 1400
# The kernel accepts this much of a body before the service reads any of it.
BEGUN_BYTES = 128 * 1024
# For requests in flight at the end.
DRAIN_SECS = 20
# Percentile 99 of `/health` and `/health/ready` under any load. The short form runs on busy
# machines.
MAX_HEALTH_P99_MS = 20
MAX_HEALTH_P99_SHORT_MS = 50
HEALTH_PER_SECOND = 50
PEOPLE = [f"person-{number:03}-of-the-load-tests" for number in range(128)]
ATTACKER = "attacker-of-the-load-tests"


@dataclass
class Class:
    """Connections that behave alike; `clients/src/specification.rs` explains each field."""

    name: str
    connections: int
    paths: list[str]
    method: str = "GET"
    keys: list[str] = field(default_factory=lambda: [KEY])
    headers: list[str] = field(default_factory=list)
    body: str | None = None
    rate: float | None = None
    think_secs: float = 0
    honours_retry_after: bool = True
    addresses: int = 200
    send_rate: float | None = None
    read_rate: float | None = None
    segment: int | None = SEGMENT
    expects_continue: bool = False
    withheld: int = 0
    begun_bytes: int = BEGUN_BYTES


@dataclass
class Results:
    """Results of a class; `clients/src/tally.rs` explains each field."""

    seconds: float
    started: int
    late: int
    unfinished: int
    statuses: dict[str, int]
    errors: dict[str, int]
    offered: float
    goodput: float
    rejected_begun: int
    accepted_ms: dict[str, float | None]
    rejected_ms: dict[str, float | None]
    sent_bytes: int
    stored_bytes: int
    received_bytes: int

    @property
    def success(self) -> float:
        return self.statuses.get("200", 0) / max(self.started, 1)

    @property
    def p50(self) -> float:
        return self.accepted_ms["p50"] or float("inf")

    @property
    def p99(self) -> float:
        return self.accepted_ms["p99"] or float("inf")

    @property
    def stored_per_second(self) -> float:
        return self.stored_bytes / self.seconds


class RunningClients:
    """Clients in progress."""

    def __init__(self, service: Service, classes: list[Class], seconds: float, warm_up: float = 0, first: bool = False):
        specification = {
            "address": f"127.0.0.1:{service.port}", "seconds": seconds, "warm_up": warm_up, "drain": DRAIN_SECS,
            "classes": [asdict(group) for group in classes],
        }  # fmt: skip
        self.timeout = seconds + DRAIN_SECS + 30
        self.input = tempfile.TemporaryFile("w+")
        json.dump(specification, self.input)
        self.input.seek(0)

        def prepare() -> None:
            os.sched_setaffinity(0, CLIENT_CORES)
            if first and os.geteuid() == 0:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

        self.process = subprocess.Popen([PROGRAM], stdin=self.input, stdout=subprocess.PIPE, text=True, preexec_fn=prepare)

    def results(self) -> dict[str, Results]:
        """Waits until the clients have finished."""
        try:
            output, _ = self.process.communicate(timeout=self.timeout)
        finally:
            self.stop()
            self.input.close()
        return {name: Results(**results) for name, results in json.loads(output).items()}

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def run(service: Service, classes: list[Class], seconds: float, warm_up: float = 0) -> dict[str, Results]:
    running = RunningClients(service, classes, seconds, warm_up)
    try:
        return running.results()
    finally:
        running.stop()


def run_watched(name: str, service: Service, classes: list[Class], seconds: float, warm_up: float, short: bool) -> dict[str, Results]:
    """Runs the clients and checks the latency of the probes meanwhile."""
    probes = sampler(service, seconds)
    try:
        results = run(service, classes, seconds, warm_up)
        check_health(name, probes.results(), MAX_HEALTH_P99_SHORT_MS if short else MAX_HEALTH_P99_MS)
        return results
    finally:
        probes.stop()


def sampler(service: Service, seconds: float) -> RunningClients:
    # As many connections as requests can be due during a long stall. It goes before the other
    # clients on their core.
    probes = {"live": "/health", "ready": "/health/ready"}
    classes = [Class(name, HEALTH_PER_SECOND * 2, [path], keys=[], rate=HEALTH_PER_SECOND) for name, path in probes.items()]
    return RunningClients(service, classes, seconds, first=True)


def check_health(name: str, results: dict[str, Results], max_ms: float) -> None:
    worst = max(probe.p99 for probe in results.values())
    report.check(
        f"{name}: probes within {worst:.1f} ms (p99), at most {max_ms}; all succeed",
        worst <= max_ms and all(probe.statuses == {"200": probe.started} for probe in results.values()),
        {name: (probe.statuses, probe.errors, probe.unfinished, probe.accepted_ms) for name, probe in results.items()},
    )


def report_noise(service: Service, seconds: float) -> None:
    """Reports the latency of the probes of an idle service."""
    results = sampler(service, seconds).results()
    report.info(f"probes of the idle service: p99 {max(probe.p99 for probe in results.values()):.1f} ms")


def core_counts(short: bool) -> list[set[int]]:
    """Returns the cores of the service: one, and in the long form two, which it may share."""
    return [set(CORES[:count]) for count in ([1] if short else [1, 2])]


def principals() -> dict[str, str]:
    """Returns the settings with one principal per person, and one for the attacker."""
    entries = [
        {
            "id": key,
            "sha256": hashlib.sha256(key.encode()).hexdigest(),
            "scopes": ["data:read", "data:write", "insights"],
            "users": ["*"],
        }
        for key in [*PEOPLE, ATTACKER]
    ]
    return {"CLARITY_API_KEY": KEY, "CLARITY_API_KEYS": json.dumps(entries)}
