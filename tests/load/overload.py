"""Overload keeps its goodput: at up to ten times the capacity, in open and closed loops."""

from contextlib import nullcontext
from dataclasses import dataclass

from cgroup import NotPermitted, limited
from clients import ATTACKER, PEOPLE, Class, principals, report_noise, run, run_watched
from people import body_files, capacity, question, reading, rich, store
from report import report
from service import Service
from slow import SERVICE_CORES


@dataclass
class Bounds:
    # Of the capacity.
    min_goodput: float
    # Of the p99 of accepted requests, relative to that at half of the capacity.
    max_slowdown: float
    # Of other classes, while one is under attack.
    min_success: float


GUARANTEED = Bounds(min_goodput=0.85, max_slowdown=3, min_success=0.9)
# For runs of a few seconds on a busy machine.
WIDE = Bounds(min_goodput=0.6, max_slowdown=6, min_success=0.8)
# Latency that is noise.
NOISE_MS = 5
# Clients that repeat at once, and clients that think.
REPEATING = 1_024
THINKING = 4_000
FACTORS = [2, 3, 10]
WARM_UP_SECS = 3
# A core of the clients can generate ten times the capacity of so much of one.
QUARTER = 0.25


def verify(short: bool) -> None:
    verify_with(QUARTER, short)
    if not short:
        verify_with(1, short)


def verify_with(cpus: float, short: bool) -> None:
    try:
        with nullcontext() if cpus == 1 else limited(cpus=cpus) as group, body_files() as write:
            with Service(cores=SERVICE_CORES, group=group, **principals()) as service:
                for user in range(50):
                    store(service, rich(f"user-{user}", 60, 100))
                store(service, [reading("asker", number) for number in range(2_000)])
                report_noise(service, 5)
                groups = requests(write)
                capacities = {}
                for kind in groups:
                    capacities[kind.name] = capacity(service, kind, [4, 16, 32], 2 if short else 4)
                    report.info(f"{kind.name}, {cpus} cores: {capacities[kind.name]:.0f} per second")
                seconds = 6 if short else 15
                for kind in groups[1:2] if short else groups:
                    Overload(service, kind, capacities[kind.name], cpus, seconds, short).verify()
                    check_isolation(service, kind, [other for other in groups if other is not kind], capacities, cpus, seconds, short)
    except NotPermitted as error:
        print(f"SKIPPED overload of {cpus} cores, which needs a control group: {error}", flush=True)


def requests(write) -> list[Class]:
    """Returns cheap and expensive requests of different classes of routes, and of the same one."""
    one = {**reading("user-1", 0), "metadata": {"number": "{n}"}}
    return [
        Class("POST one", 1, ["/api/v1/data"], "POST", PEOPLE, body=write(one)),
        Class("GET 50", 1, [f"/api/v1/data/user-{user}?limit=50" for user in range(50)], keys=PEOPLE),
        Class("insights", 1, ["/api/v1/insights"], "POST", PEOPLE, body=write(question("asker"))),
    ]


def changed(kind: Class, **fields) -> Class:
    return Class(**{**vars(kind), **fields})


class Overload:
    def __init__(self, service: Service, kind: Class, capacity: float, cpus: float, seconds: float, short: bool):
        self.service, self.kind, self.capacity, self.seconds, self.short = service, kind, capacity, seconds, short
        self.bounds = WIDE if short else GUARANTEED
        self.name = f"{kind.name}, {cpus} cores"

    def verify(self) -> None:
        half = changed(self.kind, connections=256, rate=self.capacity / 2)
        results = run(self.service, [half], self.seconds, WARM_UP_SECS)[half.name]
        self.p99 = results.p99
        report.info(f"{self.name}: p99 {self.p99:.1f} ms at half load, {results.success:.0%} succeed")
        for factor in [3] if self.short else FACTORS:
            rate = factor * self.capacity
            self.check(f"x{factor} open loop", connections=THINKING, rate=rate)
            # What would be sent if responses took no time.
            thinking = {"connections": THINKING, "think_secs": THINKING / rate}
            self.check(f"x{factor} closed loop, repeating", **thinking, honours_retry_after=False)
            self.check(f"x{factor} closed loop, honouring Retry-After", **thinking)
        self.check(f"{REPEATING} connections that repeat at once", connections=REPEATING, honours_retry_after=False)

    def check(self, load: str, **fields) -> None:
        name = f"{self.name}, {load}"
        results = run_watched(name, self.service, [changed(self.kind, **fields)], self.seconds, WARM_UP_SECS, self.short)[self.kind.name]
        share = results.goodput / self.capacity
        report.info(f"{name}: offered {results.offered / self.capacity:.1f} times the capacity; {results.late / max(results.started, 1):.0%} of it late")
        report.info(f"{name}: rejected p50 {results.rejected_ms['p50']}, p99 {results.rejected_ms['p99']} ms; {results.statuses} {results.errors}")
        report.check(f"{name}: goodput {share:.0%}, at least {self.bounds.min_goodput:.0%}", share >= self.bounds.min_goodput)
        report.check(f"{name}: accepted p99 {results.p99:.1f} ms, {self.p99:.1f} ms at half load", results.p99 <= max(self.p99 * self.bounds.max_slowdown, NOISE_MS))


def check_isolation(service: Service, attack: Class, others: list[Class], capacities: dict[str, float], cpus: float, seconds: float, short: bool) -> None:
    """Checks that others succeed, which together use half of the capacity, while one is attacked."""
    name = f"{attack.name} attacked, {cpus} cores"
    attacking = changed(attack, name="attack", keys=[ATTACKER], connections=THINKING // 4, rate=3 * capacities[attack.name], addresses=1)
    calm = [changed(kind, connections=256, rate=capacities[kind.name] / 2 / len(others)) for kind in others]
    results = run_watched(name, service, [attacking, *calm], seconds, WARM_UP_SECS, short)
    min_success = (WIDE if short else GUARANTEED).min_success
    for kind in calm:
        outcome = results[kind.name]
        report.check(f"{name}: {outcome.success:.0%} of {kind.name} succeed", outcome.success >= min_success, (outcome.statuses, outcome.errors, outcome.unfinished))
