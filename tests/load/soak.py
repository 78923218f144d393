"""Memory does not grow during ten minutes at half of the peak load."""

import time
from statistics import mean

from load import Load, RunningLoad, readings, run
from report import report
from service import Service
from slow import CLIENT_CORES, SERVICE_CORES


def verify(short: bool) -> None:
    seconds, warm_up, window = (30, 10, 8) if short else (600, 60, 60)
    with Service(cores=SERVICE_CORES) as service:
        # All readings are stored in advance, so that later growth is not data.
        stored = readings(5_000)
        for part in range(5):
            service.post("/api/v1/data/batch", {"readings": stored[part * 1_000 : (part + 1) * 1_000]})
        kinds = {
            "reads": {"url": service.url + "/api/v1/data/user-[0-9]{1,2}", "varies": True},
            "writes": {"url": service.url + "/api/v1/data", "bodies": stored},
            "summaries": {"url": service.url + "/api/v1/data/user-[0-9]{1,2}/summary\\?start=2024-01-01T00:00:00Z&end=2024-02-01T00:00:00Z", "varies": True},
        }  # fmt: skip
        # Each kind gets a third of the core; half of that is half of the peak.
        rates = {name: peak(kind) / 6 for name, kind in kinds.items()}
        running = {
            name: RunningLoad(Load(**kind, connections=8, seconds=seconds, rate=rates[name], cores=CLIENT_CORES)) for name, kind in kinds.items()
        }
        start = time.monotonic()
        samples: list[tuple[float, float]] = []
        while (now := time.monotonic() - start) < seconds:
            samples.append((now, service.resident_mb()))
            time.sleep(0.5)
        for name, load in running.items():
            outcome = load.outcome()
            count = sum(outcome.statuses.values())
            text = f"{count} {name}, {count / outcome.seconds:.0f} per second, all successful"
            report.check(text, outcome.all_succeeded, outcome)
        first = mean(memory for at, memory in samples if warm_up <= at < warm_up + window)
        last = mean(memory for at, memory in samples if at >= seconds - window)
        growth = last / first - 1
        name = f"{first:.1f} MB after {warm_up} s, {last:.1f} MB at the end of {seconds} s: {growth:+.1%}"
        # Memory settles within two minutes; half a minute only detects unbounded growth.
        report.check(name, growth <= (0.3 if short else 0.05))


def peak(kind: dict) -> float:
    """Returns the highest rate of three runs: a busy disk is not the service's limit."""
    return max(run(Load(**kind, connections=16, seconds=2, cores=CLIENT_CORES)).goodput for _ in range(3))
