"""Uploads over ordinary uplinks make progress, at any number of phones."""

from clients import ATTACKER, PEOPLE, Class, core_counts, principals, report_noise, run, run_watched
from people import MAX_BATCH_BYTES, MAX_READINGS, body_files, reading, rich
from report import report
from service import KEY, Service

# Of what the links or the processor can take.
MIN_STORED = 0.9
# For runs of a few seconds on a busy machine.
MIN_STORED_SHORT = 0.7
STALLED_PER_CORE = 2
WARM_UP_SECS = 4


def verify(short: bool) -> None:
    seconds = 10 if short else 40
    large_counts, small_counts = ([8], [64]) if short else ([2, 4, 8, 16, 32, 64, 128],) * 2
    with body_files() as write:
        # 7.65 MiB, and 0.63 MiB.
        large = Upload("7.65 MiB", write({"readings": rich("uploader", 965, 8_192)}), 1e6, short)
        small = Upload("0.63 MiB", write({"readings": [reading("uploader", number) for number in range(MAX_READINGS)]}), 128e3, short)
        incomplete = write(" " * MAX_BATCH_BYTES)
        for cores in core_counts(short):
            with Service(cores=cores, **principals()) as service:
                report_noise(service, 3)
                for upload, counts in [(large, large_counts), (small, small_counts)]:
                    upload.measure_capacity(service)
                    for count in counts:
                        upload.check(service, count, seconds)
                # One key is an app's back end, which sends for everybody.
                large.check(service, 16, seconds, expects_continue=True, keys=[KEY])
                if not short:
                    large.check(service, 16, seconds, expects_continue=True)
                    large.check(service, 16, seconds, keys=[KEY])
                large.check(service, 8, seconds, others=[stalled(incomplete, STALLED_PER_CORE * len(cores))])


def stalled(body: str, connections: int) -> Class:
    return Class("stalled", connections, ["/api/v1/data/batch"], "POST", [ATTACKER], body=body, withheld=1, addresses=1)


class Upload:
    """A batch and the speed at which each phone sends it."""

    def __init__(self, name: str, body: str, rate: float, short: bool):
        self.name, self.body, self.rate, self.short = name, body, rate, short
        self.capacity = 0.0

    def phones(self, count: int, **fields) -> Class:
        return Class("phones", count, ["/api/v1/data/batch"], "POST", **{"keys": PEOPLE, "body": self.body, **fields})

    def measure_capacity(self, service: Service) -> None:
        """Measures the bytes per second that the processor takes from fast clients."""
        runs = [run(service, [self.phones(count)], 4, warm_up=1)["phones"] for count in (1, 2, 4)]
        self.capacity = max(results.stored_per_second for results in runs)
        report.info(f"{self.name}, {len(service.cores)} cores: {self.capacity / 1e6:.1f} MB/s from fast clients")

    def check(self, service: Service, count: int, seconds: float, others: list[Class] = [], **fields) -> None:
        phones = self.phones(count, send_rate=self.rate, **fields)
        notes = [note for note, holds in [("100-continue", phones.expects_continue), ("one key", phones.keys == [KEY]), ("stalled uploads", others)] if holds]
        name = ", ".join([f"{count} phones of {self.name}", f"{len(service.cores)} cores", *notes])
        results = run_watched(name, service, [phones, *others], seconds, WARM_UP_SECS, self.short)["phones"]
        share = results.stored_per_second / min(count * self.rate, self.capacity)
        wasted = (results.sent_bytes - results.stored_bytes) / 1e6
        details = (results.statuses, results.errors, results.unfinished)
        bound = MIN_STORED_SHORT if self.short else MIN_STORED
        report.check(f"{name}: {share:.0%} is stored, at least {bound:.0%}; {wasted:.0f} MB sent in vain", share >= bound, details)
        report.check(f"{name}: {results.rejected_begun} rejected after the body was begun, none", results.rejected_begun == 0, details)
