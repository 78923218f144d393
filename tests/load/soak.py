"""Half of what it can bear for ten minutes: memory that is taken is given back."""

import time
from statistics import mean

from load import Load, Running, readings, run
from report import report
from service import Service
from slow import ASKED_BY, SERVED_BY


def prove(short: bool) -> None:
    seconds, warm_up, window = (30, 10, 8) if short else (600, 60, 60)
    with Service(cores=SERVED_BY) as service:
        # All that it will hold is there when it begins: what grows after that is not data.
        held = readings(5_000)
        for part in range(5):
            service.post("/api/v1/data/batch", {"readings": held[part * 1_000 : (part + 1) * 1_000]})
        kinds = {
            "reads": {"url": service.url + "/api/v1/data/user-[0-9]{1,2}", "varies": True},
            "writes": {"url": service.url + "/api/v1/data", "bodies": held},
            "summaries": {"url": service.url + "/api/v1/data/user-[0-9]{1,2}/summary\\?start=2024-01-01T00:00:00Z&end=2024-02-01T00:00:00Z", "varies": True},
        }  # fmt: skip
        # Each gets a third of the core, and half of that is half of the peak.
        rates = {name: peak(kind) / 6 for name, kind in kinds.items()}
        running = {
            name: Running(Load(**kind, connections=8, seconds=seconds, rate=rates[name], cores=ASKED_BY)) for name, kind in kinds.items()
        }
        began = time.monotonic()
        samples: list[tuple[float, float]] = []
        while (now := time.monotonic() - began) < seconds:
            samples.append((now, service.resident_mb()))
            time.sleep(0.5)
        for name, load in running.items():
            outcome = load.outcome()
            count = sum(outcome.statuses.values())
            report.check(f"{count} {name}, {count / outcome.seconds:.0f} a second, all well", outcome.all_well, outcome)
        first = mean(memory for at, memory in samples if warm_up <= at < warm_up + window)
        last = mean(memory for at, memory in samples if at >= seconds - window)
        growth = last / first - 1
        name = f"{first:.1f} MB after {warm_up} s, {last:.1f} MB at the end of {seconds} s: {growth:+.1%}"
        # It settles within a minute or two; half a minute only shows that nothing runs away.
        report.check(name, growth <= (0.3 if short else 0.05))


def peak(kind: dict) -> float:
    """The most of three, as a disk that is busy with something else is no limit."""
    return max(run(Load(**kind, connections=16, seconds=2, cores=ASKED_BY)).goodput for _ in range(3))
