"""At three times the peak load of a slow store, goodput stays at the peak.

`overload.py` does the same with a busy core.
"""

import http.client
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from balancer import haproxy
from dynamodb import dynamodb
from load import Load, readings, run
from report import repeating, report
from service import KEY, Service, free_port
from slow import CLIENT_CORES, SERVICE_CORES

# Candidates for the number of connections at the peak: from the concurrency limit of one
# core, see `src/http/overload/admission.rs`, down to fewer for requests that need much memory.
CONNECTIONS = [128, 96, 64, 48, 40, 32, 24, 16]


@dataclass
class Bounds:
    """Requirements at three times the peak, relative to the peak."""

    min_goodput: float
    # Milliseconds of the p99 of shed requests.
    max_rejection_ms: float
    # Factor by which the p99 of the others may grow.
    max_slowdown: float


# Rejections beyond a rate are delayed by up to five seconds.
GUARANTEED = Bounds(min_goodput=0.9, max_rejection_ms=5_500, max_slowdown=2)
# For runs of a few seconds on a busy machine.
WIDE = Bounds(min_goodput=0.5, max_rejection_ms=6_000, max_slowdown=5)

# Enough to send requests at their rate, however slow the responses are.
CLIENTS = 2_000
# Far below the store's timeout, far above its own latency.
STORE_DELAY_MS = 200
DELAYING_PROXY = """
global
    lua-load {directory}/wait.lua
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend front
    bind 127.0.0.1:{port}
    http-request lua.wait
    default_backend back
backend back
    server store {store} maxconn 16
"""
WAIT = 'core.register_action("wait", {{"http-req"}}, function() core.msleep({milliseconds}) end)\n'


def verify(short: bool) -> None:
    with dynamodb() as store, delayed(store) as slow_store:
        variables = {"CLARITY_STORE": "dynamodb", "DYNAMODB_ENDPOINT": slow_store, "AWS_REGION": "eu-central-1"}
        with Service(cores=SERVICE_CORES, **variables) as service:
            service.post("/api/v1/data/batch", {"readings": readings(200)})
            overload(service, "a slow store", "/api/v1/data/user-1", short, WIDE if short else GUARANTEED)


@contextmanager
def delayed(store: str):
    """Starts a proxy that delays requests to the store; yields its URL."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="clarity-load-") as directory:
        Path(directory, "wait.lua").write_text(WAIT.format(milliseconds=STORE_DELAY_MS))
        configuration = DELAYING_PROXY.format(directory=directory, port=port, store=store.removeprefix("http://"))
        with haproxy(directory, configuration, port):
            yield f"http://127.0.0.1:{port}"


def overload(service: Service, name: str, path: str, short: bool, bounds: Bounds) -> None:
    seconds = 5 if short else 20
    connections = next(count for count in CONNECTIONS if run(Load(service.url + path, count, 2, cores=CLIENT_CORES)).all_succeeded)
    load = Load(service.url + path, connections, seconds, cores=CLIENT_CORES)
    peak = run(load)
    report.check(
        f"{name}: {peak.goodput:.0f} per second at the peak, with {connections} connections; p50 {peak.p50:.0f} ms, p99 {peak.p99:.0f} ms",
        set(peak.statuses) <= {200, 503} and not peak.errors,
        peak,
    )
    with polling(service, path) as seen:
        over = run(Load(service.url + path, CLIENTS, seconds, rate=3 * peak.goodput, cores=CLIENT_CORES, corrected=False))
    offered = sum(over.statuses.values()) / over.seconds / peak.goodput
    report.info(f"{name}: offered {offered:.1f} times that; p50 {over.p50:.0f} ms; slowest response {over.slowest:.0f} ms")
    report.check(f"{name}: every response is 200 or 503", set(over.statuses) <= {200, 503} and not over.errors, over)
    share = over.goodput / peak.goodput
    report.check(f"{name}: goodput is {share:.0%} of the peak", share >= bounds.min_goodput)
    rejected = over.p99_rejected or 0
    report.check(f"{name}: requests are shed within {rejected:.0f} ms (p99)", rejected <= bounds.max_rejection_ms)
    report.check(f"{name}: the others succeed within {over.p99:.0f} ms (p99)", over.p99 <= peak.p99 * bounds.max_slowdown)
    report.check(f"{name}: shed requests have Retry-After: 1", set(seen["retry-after"]) <= {"1"}, seen)
    report.check(f"{name}: /health is never shed, in {seen['health'][200]} requests", set(seen["health"]) == {200}, seen)
    after = run(load)
    report.check(f"{name}: {after.goodput:.0f} per second afterwards", after.goodput >= peak.goodput * (0.5 if short else 0.9), after)


@contextmanager
def polling(service: Service, path: str):
    """Polls the service with one client, and counts the responses."""
    seen = {"retry-after": Counter(), "health": Counter()}

    def poll() -> None:
        status, retry_after = request(service, path)
        if status == 503:
            seen["retry-after"][retry_after] += 1
        seen["health"][request(service, "/health")[0]] += 1

    with repeating(poll, pause_secs=0.1):
        yield seen


def request(service: Service, path: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    try:
        connection.request("GET", path, headers={"X-API-Key": KEY})
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("retry-after")
    finally:
        connection.close()
