"""No request stalls a core: the probes respond in time beside each expensive request."""

from clients import Class, core_counts, principals, report_noise, run_watched
from people import body_files, question, reading, rich, series, store
from report import report
from service import Service

WARM_UP_SECS = 1


def verify(short: bool) -> None:
    seconds = 4 if short else 30
    with body_files() as write:
        for cores in core_counts(short):
            with Service(cores=cores, **principals()) as service:
                store(service, rich("rich", 10_000, 8_000))
                store(service, series("many", 100, 500 if short else 3_600))
                store(service, [reading("asker", number) for number in range(20_000)])
                report_noise(service, 5)
                for group in expensive(write, short):
                    name = f"{group.name}, {len(cores)} cores"
                    results = run_watched(name, service, [group], seconds, WARM_UP_SECS, short)[group.name]
                    report.check(f"{name}: {results.goodput:.1f} per second succeed", results.goodput > 0, (results.statuses, results.errors))


def expensive(write, short: bool) -> list[Class]:
    export = "/api/v1/data/rich/export"
    batch = write({"readings": rich("uploader", 965, 8_192)})
    return [
        *(Class(f"{count} gzip exports", count, [export], headers=["Accept-Encoding: gzip"]) for count in ([4] if short else [1, 4, 12])),
        Class("4 plain exports", 4, [export]),
        Class("4 lists of 1,000 as gzip", 4, ["/api/v1/data/rich?limit=1000"], headers=["Accept-Encoding: gzip"]),
        Class("4 large batches", 4, ["/api/v1/data/batch"], "POST", body=batch),
        Class("4 batches of 5,000", 4, ["/api/v1/data/batch"], "POST", body=write({"readings": [reading("uploader", number) for number in range(5_000)]})),
        Class("4 summaries", 4, ["/api/v1/data/many/summary?start=2024-03-01T00:00:00Z&end=2024-03-03T00:00:00Z"]),
        Class("4 questions", 4, ["/api/v1/insights"], "POST", body=write(question("asker"))),
    ]
