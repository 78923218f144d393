"""The service does what its description says: Schemathesis' cases for /openapi.json."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from report import report
from service import KEY, Service

HERE = Path(__file__).parent
SCHEMATHESIS = Path(sys.executable).with_name("st")
# Those that `schema_conformance_checks.py` has exceptions for, and says why.
REPLACED = "positive_data_acceptance,negative_data_rejection,use_after_free,allow_header_conformance"


def prove(short: bool) -> None:
    seeds, examples, least = ([1], 40, 700) if short else ([1, 2, 3], 400, 10_000)
    with Service() as service:
        runs = [run(service, seed, examples) for seed in seeds]
        cases = sum(found["test_cases"]["generated"] for found, _ in runs)
        report.check(f"{cases} cases of {len(seeds)} seeds, at least {least}", cases >= least)
        for seed, (found, output) in zip(seeds, runs):
            operations, counts = found["operations"], found["test_cases"]
            held = found["complete"] and found["exit_code"] == counts["unique_failures"] == counts["errored"] == 0
            report.check(f"seed {seed}: {counts['generated']} cases are answered as described", held, output)
            whole = operations["total"] == operations["selected"] == operations["tested"] and operations["errored"] == 0
            report.check(f"seed {seed}: all {operations['total']} operations were tested", whole, operations)
        check_what_it_counted(service)


def run(service: Service, seed: int, examples: int) -> tuple[dict, str]:
    """Its report, and what it printed."""
    with tempfile.TemporaryDirectory() as directory:
        result = subprocess.run(
            [
                SCHEMATHESIS, "run", f"{service.url}/openapi.json", "--header", f"X-API-Key: {KEY}", "--seed", str(seed),
                "--max-examples", str(examples), "--checks", "all", "--exclude-checks", REPLACED, "--continue-on-failure",
                "--generation-database", "none", "--no-color", "--report", "json", "--report-json-path", "report.json",
            ],
            cwd=directory,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "schema_conformance_checks", "PYTHONPATH": str(HERE)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
            check=False,
        )  # fmt: skip
        path = Path(directory, "report.json")
        if not path.exists():
            raise RuntimeError(f"Schemathesis gave no report: {result.stdout}")
        return json.loads(path.read_text()), result.stdout


def check_what_it_counted(service: Service) -> None:
    """What the service says of it, which knows nothing of the checks."""
    errors = service.counted("clarity_http_requests_total", status="5..")
    report.check("no answer was 5xx", not errors, errors)
    panics = sum(service.counted("clarity_panics_total").values())
    report.check("nothing panicked", panics == 0, panics)
    answered_well = service.counted("clarity_http_requests_total", status="200")
    described = json.loads(service.get("/openapi.json")[1])["paths"]
    for path, item in described.items():
        for method in item:
            times = sum(count for labels, count in answered_well.items() if {("method", method.upper()), ("route", path)} <= set(labels))
            report.check(f"{method.upper()} {path} was answered well {times:.0f} times", times > 0)
