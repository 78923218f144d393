"""Three times what it can bear: what it takes on is answered as at its peak, and the rest is told at once.

Once where the store is slow, and once where the core is busy.
"""

import http.client
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from balancer import haproxy
from dynamodb import dynamodb
from load import Load, readings, run
from report import report
from service import KEY, Service, free_port
from slow import ASKED_BY, SERVED_BY

# As many as are served at once on one core at most, see `src/http/overload/load_shed.rs`, and
# fewer where each needs much memory.
PLACES = [128, 96, 64, 48, 40, 32, 24, 16]


@dataclass
class Bounds:
    """What must hold at three times the peak, by what holds at the peak."""

    least_goodput: float
    # Milliseconds until most of those who are refused know it.
    most_until_refused: float
    # How many times as long most of the others may wait.
    most_slower: float


PROMISED = Bounds(least_goodput=0.9, most_until_refused=50, most_slower=2)
# For a few seconds on a machine that does other things.
WIDE = Bounds(least_goodput=0.5, most_until_refused=500, most_slower=5)
# Refusals cost the core that is busy, and wait for it like all else: this only shows that
# it goes on and comes back.
LASTING = Bounds(least_goodput=0.1, most_until_refused=5_000, most_slower=50)

# Enough that requests come at their rate, however slowly they are answered.
CLIENTS = 2_000
# Milliseconds that the slow store takes: far from its timeout, far from what else there is.
STORE_TAKES = 200
SLOW = """
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


def prove(short: bool) -> None:
    prove_slow_store(short)
    prove_busy_core(short)


def prove_slow_store(short: bool) -> None:
    with dynamodb() as store, slowly(store) as slow_store:
        variables = {"CLARITY_STORE": "dynamodb", "DYNAMODB_ENDPOINT": slow_store, "AWS_REGION": "eu-central-1"}
        with Service(cores=SERVED_BY, **variables) as service:
            service.post("/api/v1/data/batch", {"readings": readings(200)})
            withstand(service, "a slow store", "/api/v1/data/user-1", short, WIDE if short else PROMISED)


def prove_busy_core(short: bool) -> None:
    with Service(cores=SERVED_BY) as service:
        for part in range(10):
            batch = [{**reading, "user_id": "user-1"} for reading in readings(5_000)[part * 500 : (part + 1) * 500]]
            service.post("/api/v1/data/batch", {"readings": batch})
        # The dearest page, so that who asks for it is not what is busy first.
        withstand(service, "a busy core", "/api/v1/data/user-1?limit=1000", short, LASTING if short else PROMISED)


@contextmanager
def slowly(store: str):
    """The store, each of whose answers takes a while."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="clarity-load-") as directory:
        Path(directory, "wait.lua").write_text(WAIT.format(milliseconds=STORE_TAKES))
        configuration = SLOW.format(directory=directory, port=port, store=store.removeprefix("http://"))
        with haproxy(directory, configuration, port):
            yield f"http://127.0.0.1:{port}"


def withstand(service: Service, name: str, path: str, short: bool, bounds: Bounds) -> None:
    seconds = 5 if short else 20
    at_once = next(count for count in PLACES if run(Load(service.url + path, count, 2, cores=ASKED_BY)).all_well)
    load = Load(service.url + path, at_once, seconds, cores=ASKED_BY)
    peak = run(load)
    report.check(
        f"{name}: {peak.goodput:.0f} a second at the peak, with {at_once} at once; p50 {peak.p50:.0f} ms, p99 {peak.p99:.0f} ms",
        set(peak.statuses) <= {200, 503} and not peak.errors,
        peak,
    )
    with watching(service, path) as seen:
        over = run(Load(service.url + path, CLIENTS, seconds, rate=3 * peak.goodput, cores=ASKED_BY, corrected=False))
    offered = sum(over.statuses.values()) / over.seconds / peak.goodput
    report.tell(f"{name}: offered {offered:.1f} times that; p50 {over.p50:.0f} ms; slowest of all {over.slowest:.0f} ms")
    report.check(f"{name}: all are answered, 200 or 503", set(over.statuses) <= {200, 503} and not over.errors, over)
    share = over.goodput / peak.goodput
    report.check(f"{name}: goodput is {share:.0%} of the peak's", share >= bounds.least_goodput)
    refused = over.p99_refused or 0
    report.check(f"{name}: who is refused is told within {refused:.0f} ms (p99)", refused <= bounds.most_until_refused)
    report.check(f"{name}: who is not is answered within {over.p99:.0f} ms (p99)", over.p99 <= peak.p99 * bounds.most_slower)
    report.check(f"{name}: refusals say when to come again", set(seen["retry-after"]) <= {"1"}, seen)
    report.check(f"{name}: /health is never refused, {seen['health'][200]} times", set(seen["health"]) == {200}, seen)
    again = run(load)
    report.check(f"{name}: after it {again.goodput:.0f} a second", again.goodput >= peak.goodput * (0.5 if short else 0.9), again)


@contextmanager
def watching(service: Service, path: str):
    """Counts what one client among the many sees."""
    seen = {"retry-after": Counter(), "health": Counter()}
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            status, retry_after = ask(service, path)
            if status == 503:
                seen["retry-after"][retry_after] += 1
            seen["health"][ask(service, "/health")[0]] += 1
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def ask(service: Service, path: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    try:
        connection.request("GET", path, headers={"X-API-Key": KEY})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("retry-after")
    finally:
        connection.close()
