"""Restarts of one of two instances after the other, under load, seen by nobody."""

import csv
import io
import socket
import tempfile
from contextlib import contextmanager

from balancer import haproxy
from dynamodb import dynamodb
from load import Load, Running, readings
from report import eventually, report
from service import Service, free_port

RATE = 100
# Serving on for so long, an instance goes 3 s after the balancer has looked away.
GRACE = 5
# What a restart takes here: that, and the time to be seen again.
RESTART = GRACE + 4
# Nothing is tried again, neither on another instance nor on another connection: what
# an instance does to a connection is what the client gets.
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
        """What it says of each instance, and of both."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket)
            connection.sendall(b"show stat\n")
            answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
        rows = csv.DictReader(io.StringIO(answer.removeprefix("# ")))
        return {row["svname"]: row for row in rows if row["pxname"] == "back"}

    def sees(self, name: str, status: str) -> bool:
        return self.states()[name]["status"].startswith(status)


@contextmanager
def balancer(first: Service, second: Service):
    with tempfile.TemporaryDirectory(prefix="clarity-load-") as directory:
        port = free_port()
        configuration = BALANCER.format(directory=directory, port=port, first=first.port, second=second.port)
        with haproxy(directory, configuration, port):
            yield Balancer(directory, port)


def prove(short: bool) -> None:
    restarts = 5 if short else 50
    # Both on one table, as in production.
    with dynamodb() as store:
        variables = {"CLARITY_STORE": "dynamodb", "DYNAMODB_ENDPOINT": store, "SHUTDOWN_GRACE": str(GRACE)}
        # Java is slow at first, and the bound on an answer is not what is proved here.
        with Service(**variables) as first, Service(**variables) as second, balancer(first, second) as front:
            warm_up(front.url)
            before = front.states()["BACKEND"]
            seconds = restarts * RESTART
            reads = Running(Load(front.url + "/api/v1/data/user-[0-9]{1,2}\\?limit=10", 10, seconds, RATE, varies=True))
            writes = Running(Load(front.url + "/api/v1/data", 10, seconds, RATE, bodies=readings(5_000)))
            instances = {"first": first, "second": second}
            ends = [restart(instances, name, front) for name in (["first", "second"] * restarts)[:restarts]]
            was_under_load = not reads.is_over() and not writes.is_over()
            report.check(f"{restarts} restarts, all while requests came", was_under_load)
            slow_or_bad = [end for end in ends if end[0] != 0 or end[1] > 25]
            report.check(f"each ended well, the slowest after {max(end[1] for end in ends):.1f} s", not slow_or_bad, slow_or_bad)
            for name, outcome in {"reads": reads.outcome(), "writes": writes.outcome()}.items():
                count = sum(outcome.statuses.values())
                report.check(
                    f"{count} {name}, {count / outcome.seconds:.0f} a second: no error, no reset",
                    outcome.all_well and count > 0.95 * RATE * seconds,
                    outcome,
                )
                report.tell(f"{name}: p50 {outcome.p50:.1f} ms, p99 {outcome.p99:.1f} ms, slowest {outcome.slowest:.0f} ms")
            after = front.states()["BACKEND"]
            counts = {what: int(after[what]) - int(before[what]) for what in ("hrsp_5xx", "econ", "eresp", "srv_abrt", "wretr", "wredis")}
            report.check("the balancer saw no error either, and hid none", not any(counts.values()), counts)


def warm_up(url: str) -> None:
    for kind in ({"bodies": readings(500)}, {"varies": True}):
        path = "/api/v1/data" if "bodies" in kind else "/api/v1/data/user-[0-9]{1,2}\\?limit=10"
        Running(Load(url + path, 4, 3, 100, **kind)).outcome()


def restart(instances: dict[str, Service], name: str, front: Balancer) -> tuple[int, float]:
    """How it ended, and after how many seconds."""
    end = instances[name].stop()
    instances[name].start()
    if not eventually(lambda: front.sees(name, "UP")):
        raise RuntimeError(f"haproxy does not see that the {name} instance is back")
    return end
