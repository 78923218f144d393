"""Slow downloads of one principal do not affect the requests of another."""

from clients import ATTACKER, PEOPLE, Class, core_counts, principals, report_noise, run, run_watched
from people import body_files, question, reading, rich, store
from report import report
from service import Service

SLOW_READERS = 100
READ_RATE = 8_000
# Relative to the same requests without the slow readers.
MIN_SUCCESS = 0.9
MAX_SLOWDOWN = 1.5
# Latency that is noise.
NOISE_MS = 5
WARM_UP_SECS = 4


def verify(short: bool) -> None:
    seconds = 14 if short else 110
    with body_files() as write:
        for cores in core_counts(short):
            with Service(cores=cores, **principals()) as service:
                # More than the kernel buffers, for each slow reader.
                store(service, rich("downloader", 10_000, 2_000))
                store(service, rich("other", 2_000, 200))
                report_noise(service, 3)
                others = requests(write)
                without = run(service, others, 6 if short else 20, warm_up=1)
                during = run_watched(f"slow readers, {len(cores)} cores", service, [*others, *slow_readers()], seconds, WARM_UP_SECS, short)
                for group in others:
                    compare(f"{group.name}, {len(cores)} cores", without[group.name], during[group.name])
                slow = [during[group.name] for group in slow_readers()]
                report.info(f"responses to slow readers: {[results.statuses for results in slow]}")


def slow_readers() -> list[Class]:
    paths = {"slow exports": "/api/v1/data/downloader/export", "slow lists": "/api/v1/data/downloader?limit=1000"}
    return [Class(name, SLOW_READERS // 2, [path], keys=[ATTACKER], read_rate=READ_RATE) for name, path in paths.items()]


def requests(write) -> list[Class]:
    """Returns the requests of others, at rates far below the peak."""
    get = {
        "summaries": ("/api/v1/data/other/summary?start=2024-03-01T00:00:00Z&end=2024-03-03T00:00:00Z", 2),
        "exports": ("/api/v1/data/other/export", 2),
        "lists of 1,000": ("/api/v1/data/other?limit=1000", 5),
        "lists of 50": ("/api/v1/data/other?limit=50", 20),
    }
    post = {
        "insights": ("/api/v1/insights", question("other"), 2),
        "readings": ("/api/v1/data", {**reading("other", 0), "value": 60, "metadata": {"number": "{n}"}}, 20),
    }
    keys = PEOPLE[:16]
    return [
        *(Class(name, 32, [path], keys=keys, rate=rate) for name, (path, rate) in get.items()),
        *(Class(name, 32, [path], "POST", keys, body=write(body), rate=rate) for name, (path, body, rate) in post.items()),
    ]


def compare(name: str, without, during) -> None:
    report.check(
        f"{name}: {during.success:.0%} succeed, {without.success:.0%} without slow readers",
        during.success >= MIN_SUCCESS * without.success,
        (during.statuses, during.errors, during.unfinished),
    )
    report.check(
        f"{name}: p50 {during.p50:.1f} ms, {without.p50:.1f} ms without slow readers",
        during.p50 <= max(without.p50 * MAX_SLOWDOWN, NOISE_MS),
    )
