"""The service conforms to /openapi.json: Schemathesis generates requests from it."""

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
# `schema_conformance_checks.py` wraps these checks to add documented exceptions.
REPLACED = "positive_data_acceptance,negative_data_rejection,use_after_free,allow_header_conformance"


def verify(short: bool) -> None:
    seeds, examples, min_cases = ([1], 40, 700) if short else ([1, 2, 3], 400, 10_000)
    with Service() as service:
        runs = [run(service, seed, examples) for seed in seeds]
        cases = sum(result["test_cases"]["generated"] for result, _ in runs)
        report.check(f"{cases} cases with {len(seeds)} seeds, at least {min_cases}", cases >= min_cases)
        for seed, (result, output) in zip(seeds, runs):
            operations, counts = result["operations"], result["test_cases"]
            conforms = result["complete"] and result["exit_code"] == counts["unique_failures"] == counts["errored"] == 0
            report.check(f"seed {seed}: {counts['generated']} responses conform to the document", conforms, output)
            complete = operations["total"] == operations["selected"] == operations["tested"] and operations["errored"] == 0
            report.check(f"seed {seed}: all {operations['total']} operations were tested", complete, operations)
        check_metrics(service)


def run(service: Service, seed: int, examples: int) -> tuple[dict, str]:
    """Runs Schemathesis; returns its report and its output."""
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
            raise RuntimeError(f"Schemathesis wrote no report: {result.stdout}")
        return json.loads(path.read_text()), result.stdout


def check_metrics(service: Service) -> None:
    """Checks the service's own metrics, which are independent of Schemathesis' checks."""
    errors = service.metric("clarity_http_requests_total", status="5..")
    report.check("no response was 5xx", not errors, errors)
    panics = sum(service.metric("clarity_panics_total").values())
    report.check("there was no panic", panics == 0, panics)
    successes = service.metric("clarity_http_requests_total", status="200")
    paths = json.loads(service.get("/openapi.json")[1])["paths"]
    for path, item in paths.items():
        for method in item:
            times = sum(count for labels, count in successes.items() if {("method", method.upper()), ("route", path)} <= set(labels))
            report.check(f"{method.upper()} {path} returned 200 {times:.0f} times", times > 0)
