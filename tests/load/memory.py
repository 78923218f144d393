"""Memory is bounded: in a control group of the smallest task's size, with the worst of every class at once."""

from contextlib import contextmanager

from cgroup import Group, NotPermitted, limited
from clients import ATTACKER, PEOPLE, Class, principals, run
from people import MAX_BATCH_BYTES, body_files, question, reading, rich, series, store
from report import eventually, repeating, report
from service import Service
from slow import SERVICE_CORES

MIB = 1024 * 1024
# What a task of 512 MB has, and what of it may be held.
TASK_MIB = 488
MAX_HELD_MIB = 440
# With the other classes, all connections of the default setting.
HEADERS = 4_250
HEADER_BYTES = 15_000


# Classes that hold most memory while no other uses up the budgets that they may share.
ALONE = ["summaries", "questions", "batches"]


def verify(short: bool) -> None:
    seconds_alone, seconds = (5, 15) if short else (60, 1_800)
    try:
        with limited(memory=TASK_MIB * MIB) as group, body_files() as write:
            with Service(cores=SERVICE_CORES, group=group, **principals()) as service:
                worst_case(service, group, write, seconds_alone, seconds)
    except NotPermitted as error:
        print(f"SKIPPED memory, which needs a control group: {error}", flush=True)


def worst_case(service: Service, group: Group, write, seconds_alone: float, seconds: float) -> None:
    store(service, series("hour", 100, 9_990))
    long = "x" * 60
    store(service, [reading("asker", number, unit=f"u{number % 50}{long}"[:32], metadata={"source": long, "granularity": long}) for number in range(20_000)])
    store(service, rich("rich", 2_000, 8_000))
    headers, *classes = worst_of_each(write)
    rounds = [([kind], seconds_alone) for kind in classes if kind.name in ALONE] + [(classes, seconds)]
    with sampled(group) as highest:
        for kinds, duration in rounds:
            results = run(service, [headers, *kinds], duration)
            for name, outcome in results.items():
                report.info(f"{name}: {outcome.statuses} {outcome.errors}")
            is_running = service.process.poll() is None
            report.info(f"{len(kinds)} classes: {highest['held'] / MIB:.0f} MiB held so far; the service is {'running' if is_running else 'killed'}")
            if not is_running:
                break
    report.check(f"the service is not killed within {seconds} s of all classes", is_running and group.kills() == 0, group.kills())
    report.check(f"{highest['held'] / MIB:.0f} MiB held, at most {MAX_HELD_MIB}", highest["held"] <= MAX_HELD_MIB * MIB)
    report.info(f"{highest['anonymous'] / MIB:.0f} MiB of it of the process; {group.peak() / MIB:.0f} MiB with the page cache")
    if is_running:
        answers = []
        stored = eventually(lambda: answers.append(service.post("/api/v1/data", reading("after", 0))) or answers[-1][0] == 200)
        report.check("a reading is stored afterwards", stored, answers[-1])


def worst_of_each(write) -> list[Class]:
    batch = "/api/v1/data/batch"
    large = write({"readings": rich("uploader", 965, 8_192)})
    return [
        Class("half-sent headers", HEADERS, ["/health"], keys=[], headers=["X-Padding: " + "x" * HEADER_BYTES], withheld=2),
        Class("summaries", 16, ["/api/v1/data/hour/summary?bucket=hour&start=2024-03-01T00:00:00Z&end=2024-03-03T00:00:00Z"], keys=PEOPLE, honours_retry_after=False),
        Class("questions", 20, ["/api/v1/insights"], "POST", PEOPLE, body=write(question("asker")), honours_retry_after=False),
        Class("batches", 8, [batch], "POST", PEOPLE, body=large),
        Class("slow batches", 16, [batch], "POST", PEOPLE, body=large, send_rate=1e6),
        Class("half-sent batches", 4, [batch], "POST", [ATTACKER], body=write(" " * MAX_BATCH_BYTES), withheld=1),
        Class("half-sent readings", 64, ["/api/v1/data"], "POST", PEOPLE, body=write(" " * 128 * 1024), withheld=1),
        Class("exports", 20, ["/api/v1/data/rich/export"], keys=PEOPLE, headers=["Accept-Encoding: gzip"], read_rate=50e3),
        Class("lists", 30, ["/api/v1/data/rich?limit=1000"], keys=PEOPLE, read_rate=50e3),
    ]  # fmt: skip


@contextmanager
def sampled(group: Group):
    """Yields the highest values of the group's memory, which are updated until the end."""
    highest = {"held": 0, "anonymous": 0}

    def sample() -> None:
        for name, value in [("held", group.held()), ("anonymous", group.anonymous())]:
            highest[name] = max(highest[name], value)

    with repeating(sample, pause_secs=0.05):
        yield highest
