"""Proves what the service promises under fire. Run it by verify.sh."""

import sys
import traceback

import rolling
import saturation
import schema_conformance
import slow
import soak
from report import report

PARTS = {
    "described": schema_conformance.prove,
    "rolling": rolling.prove,
    "slow": slow.prove,
    "saturation": saturation.prove,
    "soak": soak.prove,
}


def main() -> None:
    arguments = sys.argv[1:]
    short = "--short" in arguments
    names = [name for name in arguments if name != "--short"] or list(PARTS)
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in names:
        print(f"\n{name}", flush=True)
        try:
            PARTS[name](short)
        except Exception:
            report.check(f"{name} comes to its end", False, traceback.format_exc())
    print(f"\n{report.passed} passed, {report.failed} failed")
    sys.exit(1 if report.failed else 0)


main()
