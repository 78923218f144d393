"""Rolling restarts of two instances under load cause no error."""

import csv
import io
import socket
import tempfile
from contextlib import contextmanager

from balancer import haproxy
from dynamodb import dynamodb
from load import Load, RunningLoad, readings
from report import eventually, report
from service import Service, free_port

RATE = 100
# An instance serves for this long after SIGTERM, so it exits 3 s after haproxy has marked
# it as down.
GRACE = 5
# Duration of a restart: the grace period, and the time until haproxy marks it as up.
RESTART = GRACE + 4
# No retries, neither on another instance nor on another connection, so that the client
# sees every connection error that an instance causes.
BALANCER = """
global
    stats socket {directory}/socket mode 600 level user
    maxconn 1000
defaults
    mode http
    retries 0
    no option redispatch
    http-reuse always
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    default-server check inter 1s fall 2 rise 1 maxconn 200
frontend front
    bind 127.0.0.1:{port}
    default_backend back
backend back
    balance roundrobin
    option httpchk GET /health/ready
    http-check expect status 200
    server first 127.0.0.1:{first}
    server second 127.0.0.1:{second}
"""


class Balancer:
    def __init__(self, directory: str, port: int):
        self.socket = f"{directory}/socket"
        self.url = f"http://127.0.0.1:{port}"

    def states(self) -> dict[str, dict[str, str]]:
        """Returns haproxy's statistics of each instance and of the backend."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket)
            connection.sendall(b"show stat\n")
            output = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
        rows = csv.DictReader(io.StringIO(output.removeprefix("# ")))
        return {row["svname"]: row for row in rows if row["pxname"] == "back"}

    def has_status(self, name: str, status: str) -> bool:
        return self.states()[name]["status"].startswith(status)


@contextmanager
def balancer(first: Service, second: Service):
    with tempfile.TemporaryDirectory(prefix="clarity-load-") as directory:
        port = free_port()
        configuration = BALANCER.format(directory=directory, port=port, first=first.port, second=second.port)
        with haproxy(directory, configuration, port):
            yield Balancer(directory, port)


def verify(short: bool) -> None:
    restarts = 5 if short else 50
    # Both instances use one table, as in production.
    with dynamodb() as store:
        variables = {"CLARITY_STORE": "dynamodb", "DYNAMODB_ENDPOINT": store, "SHUTDOWN_GRACE": str(GRACE)}
        # DynamoDB Local is slow until the JVM has warmed up; latency is not checked here.
        with Service(**variables) as first, Service(**variables) as second, balancer(first, second) as front:
            warm_up(front.url)
            before = front.states()["BACKEND"]
            seconds = restarts * RESTART
            reads = RunningLoad(Load(front.url + "/api/v1/data/user-[0-9]{1,2}\\?limit=10", 10, seconds, RATE, varies=True))
            writes = RunningLoad(Load(front.url + "/api/v1/data", 10, seconds, RATE, bodies=readings(5_000)))
            instances = {"first": first, "second": second}
            exits = [restart(instances, name, front) for name in (["first", "second"] * restarts)[:restarts]]
            was_under_load = not reads.is_finished() and not writes.is_finished()
            report.check(f"{restarts} restarts, all under load", was_under_load)
            slow_or_bad = [end for end in exits if end[0] != 0 or end[1] > 25]
            report.check(f"every exit was clean, the slowest after {max(end[1] for end in exits):.1f} s", not slow_or_bad, slow_or_bad)
            for name, outcome in {"reads": reads.outcome(), "writes": writes.outcome()}.items():
                count = sum(outcome.statuses.values())
                report.check(
                    f"{count} {name}, {count / outcome.seconds:.0f} per second: no error, no reset",
                    outcome.all_succeeded and count > 0.95 * RATE * seconds,
                    outcome,
                )
                report.info(f"{name}: p50 {outcome.p50:.1f} ms, p99 {outcome.p99:.1f} ms, slowest {outcome.slowest:.0f} ms")
            after = front.states()["BACKEND"]
            counts = {name: int(after[name]) - int(before[name]) for name in ("hrsp_5xx", "econ", "eresp", "srv_abrt", "wretr", "wredis")}
            report.check("haproxy counted no error, retry or redispatch", not any(counts.values()), counts)


def warm_up(url: str) -> None:
    for kind in ({"bodies": readings(500)}, {"varies": True}):
        path = "/api/v1/data" if "bodies" in kind else "/api/v1/data/user-[0-9]{1,2}\\?limit=10"
        RunningLoad(Load(url + path, 4, 3, 100, **kind)).outcome()


def restart(instances: dict[str, Service], name: str, front: Balancer) -> tuple[int, float]:
    """Restarts an instance; returns its exit code and the seconds until it exited."""
    end = instances[name].stop()
    instances[name].start()
    if not eventually(lambda: front.has_status(name, "UP")):
        raise RuntimeError(f"haproxy does not mark the {name} instance as up")
    return end
