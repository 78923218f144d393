"""Verifies the service's guarantees under load. Run it with verify.sh."""

import sys
import traceback

import downloads
import memory
import overload
import rolling
import saturation
import schema_conformance
import slow
import soak
import stalls
import uploads
from report import report

PARTS = {
    "conformance": schema_conformance.verify,
    "rolling": rolling.verify,
    "slow": slow.verify,
    "saturation": saturation.verify,
    "soak": soak.verify,
    "uploads": uploads.verify,
    "downloads": downloads.verify,
    "stalls": stalls.verify,
    "memory": memory.verify,
    "overload": overload.verify,
}


def main() -> None:
    arguments = sys.argv[1:]
    short = "--short" in arguments
    names = [name for name in arguments if name != "--short"] or list(PARTS)
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"unknown part: {', '.join(unknown)}; choose from {', '.join(PARTS)}")
    for name in names:
        print(f"\n{name}", flush=True)
        try:
            PARTS[name](short)
        except Exception:
            report.check(f"{name} completes", False, traceback.format_exc())
    print(f"\n{report.passed} passed, {report.failed} failed")
    sys.exit(1 if report.failed else 0)


main()
