"""Proves image, compose file and deploy script. Run it by prove.sh."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import boto3
import yaml
from botocore.exceptions import ClientError

import emulated

REPOSITORY = Path(__file__).resolve().parents[2]
DOCKER = os.environ.get("DOCKER", "docker")
LARGEST_IMAGE = 28_000_000
STACK = "clarity-backend"
URL = f"{emulated.URL}/_alb/{STACK}"


class Report:
    passed = failed = 0

    def check(self, name: str, holds: bool, otherwise: object = "") -> bool:
        if holds:
            self.passed += 1
            print(f"ok      {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {name}: {otherwise}", flush=True)
        return holds


report = Report()


def run(*command: str, timeout: int = 120, directory: Path | None = None, variables: dict | None = None, given: str = "") -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    result = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **(variables or {})},
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    return result.returncode, result.stdout


def must(*command: str, **options) -> str:
    code, output = run(*command, **options)
    if code != 0:
        raise RuntimeError(f"{command} ended with {code}: {output}")
    return output.strip()


def get(url: str, key: str | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"X-API-Key": key} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def eventually(condition, seconds: int = 60) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def smoke(url: str, connect_to: str = "") -> tuple[bool, str]:
    variables = {"CLARITY_API_KEY": "development-key", "SMOKE_TIMEOUT": "60", "SMOKE_CONNECT_TO": connect_to}
    code, output = run(str(REPOSITORY / "smoke-test.sh"), url, variables=variables, timeout=180)
    return code == 0 and "8 passed, 0 failed" in output, output


# --- The image ---------------------------------------------------------------------


def build_image(clone: Path) -> None:
    """So that what takes long is in BuildKit's cache for everything after it."""
    started = time.monotonic()
    must(DOCKER, "build", "--quiet", "--tag", STACK, str(clone), timeout=2400)
    print(f"        built in {time.monotonic() - started:.0f} s", flush=True)


def prove_image() -> None:
    image = json.loads(must(DOCKER, "image", "inspect", STACK))[0]
    report.check(f"the image has {image['Size'] / 1e6:.1f} MB, at most 28", image["Size"] <= LARGEST_IMAGE)
    machine = machine_of_the_binary()
    report.check(f"its program is for {image['Architecture']}, as it says", machine == image["Architecture"], machine)
    code, output = run(DOCKER, "run", "--rm", "--network", "none", STACK)
    report.check("without settings it refuses to start, and says what it wants", code == 2 and "CLARITY_API_KEY" in output, output)

    container = must(
        DOCKER, "run", "--detach", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--memory", "512m", "--cpus", "0.25", "--publish", "127.0.0.1::8000", "--tmpfs", "/data:uid=10001",
        "--env", "ENVIRONMENT=development", "--env", "HOST=0.0.0.0", "--env", "CLARITY_STORE=embedded",
        "--env", "CLARITY_DATA_DIR=/data", "--env", "SHUTDOWN_GRACE=15", STACK,
    )  # fmt: skip
    try:
        url = "http://" + must(DOCKER, "port", container, "8000/tcp").splitlines()[0]
        report.check("read-only, not root, without capabilities, it stores and reads", *smoke(url))
        report.check("a name that leads elsewhere is passed by", *smoke(url.replace("127.0.0.1", "clarity.example"), "127.0.0.1"))
        status = must(DOCKER, "top", container, "-eo", "pid,uid").splitlines()[1].split()
        report.check("it runs as user 10001", status[1] == "10001", status)
        code, output = run(DOCKER, "exec", container, "/clarity-backend", "healthcheck")
        report.check("its health check passes", code == 0, output)
        code, output = run(DOCKER, "exec", container, "/bin/sh", "-c", "true")
        report.check("it has no shell", code != 0, output)
        must(DOCKER, "kill", "--signal", "TERM", container)
        report.check("told to stop, it is not ready", eventually(lambda: get(f"{url}/health/ready")[0] == 503, 10))
        answer = get(f"{url}/api/v1/data/user123", "development-key")
        report.check("but serves on", answer[0] == 200, answer)
        code = must(DOCKER, "wait", container, timeout=60)
        report.check("and then ends well", code == "0", code)
    finally:
        run(DOCKER, "rm", "--force", container)


def machine_of_the_binary() -> str:
    """The architecture in the header of the program, as images call it."""
    container = must(DOCKER, "create", STACK)
    try:
        with tempfile.TemporaryDirectory() as directory:
            program = Path(directory) / "program"
            must(DOCKER, "cp", f"{container}:/clarity-backend", str(program))
            header = program.open("rb").read(20)
    finally:
        run(DOCKER, "rm", container)
    return {62: "amd64", 183: "arm64"}.get(int.from_bytes(header[18:20], "little"), str(header))


# --- The compose file -----------------------------------------------------------------


def prove_compose(clone: Path) -> None:
    if not all(map(is_free, (8000, 8001))):
        report.check("ports 8000 and 8001 are free for the compose file", False)
        return
    shutil.copy(clone / ".env.aws", clone / ".env")
    compose = ("docker-compose", "--project-name", "clarity-proof", "--file", "docker-compose.aws.yml")
    options = {"directory": clone, "variables": {"DOCKER_BUILDKIT": "1"}, "timeout": 180}
    try:
        code, output = run(*compose, "up", "--detach", "--wait", "--wait-timeout", "120", **options)
        report.check("compose starts the unmodified file", code == 0, output)
        report.check("the service in it stores and reads", *smoke("http://localhost:8000"))
        reading = '{"user_id": "user123", "data_type": "heart_rate", "value": 72, "timestamp": "2024-01-15T10:30:00Z"}'
        must("curl", "-sS", "-f", "-X", "POST", "http://localhost:8000/api/v1/data", "-H", "Content-Type: application/json", "-H", "X-API-Key: development-key", "-d", reading)
        container = must(*compose, "ps", "--quiet", "clarity-backend", **options)
        limits = json.loads(must(DOCKER, "inspect", container))[0]["HostConfig"]
        held = (limits["Memory"], limits["NanoCpus"], limits["ReadonlyRootfs"], limits["CapDrop"])
        report.check("it is held to what a Fargate task has", held == (512 << 20, 250_000_000, True, ["ALL"]), held)
        must(*compose, "down", **options)
        must(*compose, "up", "--detach", "--wait", "--wait-timeout", "120", **options)
        answer = get("http://localhost:8000/api/v1/data/user123", "development-key")
        report.check("readings are there after down and up", answer[0] == 200 and '"count":1' in answer[1], answer)
    finally:
        run(*compose, "down", "--volumes", **options)
        (clone / ".env").unlink()


# --- The deploy script ------------------------------------------------------------------


# Before the real one: an AWS that refuses two of three calls that hold this text.
AWS_THAT_REFUSES = """#!/bin/sh
if [ -n "${REFUSES:-}" ]; then
  case "$*" in *"${REFUSES#* }"*)
    echo . >>"$REFUSALS"
    if [ $(($(wc -l <"$REFUSALS") % 3)) -ne 0 ]; then
      echo "An error occurred (${REFUSES%% *}) when calling the operation: not now" >&2
      exit 254
    fi
    ;;
  esac
fi
"""


class Deployment:
    """A clone whose script deploys to the emulator."""

    def __init__(self, clone: Path, template: Path):
        self.clone = clone
        self.template = template
        # Without cfn-lint, which would rightly object to what was adapted.
        programs = clone.parent / "programs"
        programs.mkdir()
        self.refusals = programs / "refusals"
        self.refusals.touch()
        (programs / "aws").write_text(f'{AWS_THAT_REFUSES}exec "{shutil.which("aws")}" "$@"\n')
        (programs / "aws").chmod(0o755)
        self.variables = {**emulated.VARIABLES, "PATH": f"{programs}:{Path(DOCKER).parent}:/usr/bin:/bin"}

    def script(self, *arguments: str, given: str = "", timeout: int = 600, refuses: str = "", plainly: bool = False) -> tuple[int, str]:
        options = ["--yes", "--url", URL] if plainly else self.options()
        variables = {**self.variables, "REFUSES": refuses, "REFUSALS": str(self.refusals)}
        return run("./deploy-aws-simple.sh", *options, *arguments, directory=self.clone, given=given, timeout=timeout, variables=variables)

    def options(self) -> list[str]:
        return ["--yes", "--timeout", "150", "--url", URL, "--template", str(self.template), "--parameter", "AllowPlainHttp=true", "--parameter", "RateLimitReads=off"]

    def commit(self, old: str, new: str) -> None:
        """Another image, without another compilation."""
        dockerfile = self.clone / "Dockerfile"
        text = dockerfile.read_text()
        assert old in text, old
        dockerfile.write_text(text.replace(old, new))
        must("git", "-c", "user.name=proof", "-c", "user.email=proof@example.com", "commit", "--quiet", "--all", "--message", "Another image", directory=self.clone)


def service() -> dict:
    (found,) = client("ecs").describe_services(cluster=STACK, services=[STACK])["services"]
    return found


def client(name: str):
    return boto3.client(name, endpoint_url=emulated.URL, region_name=emulated.REGION, aws_access_key_id="test", aws_secret_access_key="test")


def state() -> dict:
    """What must not change when nothing is to be done."""
    return {
        "task definition": service()["taskDefinition"],
        "task definitions": client("ecs").list_task_definitions(familyPrefix=STACK)["taskDefinitionArns"],
        "tasks": sorted(client("ecs").list_tasks(cluster=STACK)["taskArns"]),
        "images": sorted(str(image) for image in client("ecr").list_images(repositoryName=STACK)["imageIds"]),
        "key": client("secretsmanager").get_secret_value(SecretId="clarity/api-keys")["VersionId"],
        "events": len(client("cloudformation").describe_stack_events(StackName=STACK)["StackEvents"]),
    }


def secret(name: str) -> str:
    return client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]


def stack_parameter(name: str) -> str:
    (found,) = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {pair["ParameterKey"]: pair["ParameterValue"] for pair in found["Parameters"]}[name]


class Watch:
    """Asks all the time, and keeps what is not answered well."""

    def __init__(self, ask):
        self.ask = ask
        self.answers, self.bad = 0, []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        while not self.stop.wait(0.05):
            good, answer = self.ask()
            self.answers += 1
            if not good:
                self.bad.append(answer)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(30)


def load() -> Watch:
    """Reads through the load balancer."""
    key = secret("clarity/client-key")

    def ask():
        status, body = get(f"{URL}/api/v1/data/user123", key)
        return status == 200, (status, body[:200])

    return Watch(ask)


def health_of_the_task() -> Watch:
    """Asks the one task that runs, within its container.

    For a version that crashes: the emulator's load balancer sends requests to a task
    before its first health check, as the one at AWS does not, and they fail.
    """
    (container,) = must(DOCKER, "ps", "--quiet", "--filter", "name=ministack-ecs").split()

    def ask():
        code, output = run(DOCKER, "exec", container, "/clarity-backend", "healthcheck")
        return code == 0, output

    return Watch(ask)


def prove_deployment(deployment: Deployment) -> None:
    code, output = deployment.script("--dry-run")
    report.check("a dry run says what it would do", code == 0 and "would create or update" in output, output)
    there = client("cloudformation").list_stacks()["StackSummaries"] or client("ecr").describe_repositories()["repositories"]
    report.check("and does nothing", not there, there)

    prove_that_a_failed_creation_is_no_obstacle(deployment)

    places = ("==> Image", "==> Secrets", "make the secret clarity/service-secret", "CREATE_COMPLETE TargetGroup", "==> Roll-out", "==> Smoke test")
    came = {place: kill_after(deployment, place) for place in places}
    report.check(f"the script can be killed at {len(places)} places", all(came.values()), came)

    code, output = deployment.script()
    report.check("run again it converges to a service that passes the smoke test", code == 0 and "8 passed, 0 failed" in output, output)
    read_back(deployment.clone / "infra/clarity-backend.yaml")

    prove_keys(deployment)

    before = state()
    code, output = deployment.script()
    after = state()
    report.check("a second run changes nothing", code == 0 and "nothing to change" in output and before == after, (output, before, after))
    code, output = deployment.script("--parameter", "TableName=another-table")
    report.check("another name for the stack's own table is refused", code == 2 and "empty" in output, (code, output))
    code, output = deployment.script("--stack", "clarity-staging")
    refused = code == 2 and "that of the stack clarity-backend" in output
    report.check("another stack does not take the table of this one", refused, (code, output))
    code, output = deployment.script(refuses="AccessDenied cloudformation describe-stack-resource")
    report.check("what may not be asked is not taken for absent", code == 2 and "AccessDenied" in output and state() == before, (code, output))
    prove_rollouts(deployment)

    code, output = deployment.script("--destroy", plainly=True)
    report.check("destroy deletes the stack", code == 0 and not stacks(), output)
    table = client("dynamodb").describe_table(TableName="clarity-health-data")["Table"]
    report.check("and keeps the table", table["TableStatus"] == "ACTIVE", table)


def prove_that_a_failed_creation_is_no_obstacle(deployment: Deployment) -> None:
    """What is left of it is the table, which the next run has to take up."""
    broken = yaml.safe_load(deployment.template.read_text())
    counts = [{"MetricNamespace": "name", "MetricName": "name", "MetricValue": "1"}]
    properties = {"LogGroupName": "nowhere", "FilterPattern": "text", "MetricTransformations": counts}
    broken["Resources"]["Broken"] = {"Type": "AWS::Logs::MetricFilter", "DependsOn": "Table", "Properties": properties}
    whole, deployment.template = deployment.template, deployment.template.with_name("broken.yaml")
    deployment.template.write_text(yaml.safe_dump(broken))
    code, output = deployment.script()
    report.check("a creation that fails ends with 1, and says why", code == 1 and "Broken" in output, (code, output))
    deployment.template = whole
    code, output = deployment.script()
    report.check("and is no obstacle to the next", code == 0 and "there already, and kept" in output, (code, output))
    code, output = deployment.script("--destroy", plainly=True)
    report.check("from which everything can be taken away", code == 0 and not stacks(), (code, output))
    db = client("dynamodb")
    db.update_table(TableName="clarity-health-data", DeletionProtectionEnabled=False)
    db.delete_table(TableName="clarity-health-data")
    for name in ("api-keys", "client-key", "service-secret", "smoke-test-key"):
        client("secretsmanager").delete_secret(SecretId=f"clarity/{name}", ForceDeleteWithoutRecovery=True)


def prove_keys(deployment: Deployment) -> None:
    """Keys are changed without another image, and a bad list changes nothing."""
    image, served = stack_parameter("ImageUri"), service()["taskDefinition"]
    key = "another-key-for-the-proof"
    entry = {"id": "another", "sha256": hashlib.sha256(key.encode()).hexdigest(), "scopes": ["data:read"], "users": ["user123"]}
    keys = json.dumps([*json.loads(secret("clarity/api-keys")), entry])
    for bad_list in ("", "[]", key, json.dumps([{**entry, "sha256": key}]), keys.replace("scopes", "rights")):
        code, output = deployment.script("--configure", "--api-keys-file", "-", given=bad_list, plainly=True)
        if not report.check(f"a bad list of keys is refused: {bad_list[:20]}", code == 2 and service()["taskDefinition"] == served, (code, output)):
            break
    killed = kill_after(deployment, "    secret clarity/api-keys", "--configure", "--api-keys-file", "-", given=keys)
    report.check("a change of keys can be killed on its way", killed)
    code, output = deployment.script("--configure", plainly=True)
    report.check("run again, new tasks take it up", code == 0 and "8 passed, 0 failed" in output, output)
    answer = get(f"{URL}/api/v1/data/user123", key)
    report.check("a key that was added is accepted", answer[0] == 200, answer)
    answer = get(f"{URL}/api/v1/data/user124", key)
    report.check("for its user alone", answer[0] == 403, answer)
    report.check("and the image is the same", stack_parameter("ImageUri") == image, image)


def stacks() -> list:
    gone = "DELETE_COMPLETE"
    return [stack for stack in client("cloudformation").list_stacks()["StackSummaries"] if stack["StackStatus"] != gone]


def kill_after(deployment: Deployment, word: str, *arguments: str, given: str = "") -> bool:
    """Whether the script came so far; it is killed then, with all it started."""
    process = subprocess.Popen(
        ["./deploy-aws-simple.sh", *deployment.options(), *arguments],
        cwd=deployment.clone,
        env={**os.environ, **deployment.variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    process.stdin.write(given)
    process.stdin.close()
    came = False
    timer = threading.Timer(300, lambda: os.killpg(process.pid, signal.SIGKILL))
    timer.start()
    for line in process.stdout:
        if word in line:
            came = True
            os.killpg(process.pid, signal.SIGKILL)
            break
    timer.cancel()
    process.wait(30)
    return came


def read_back(template: Path) -> None:
    """What is there, and not what the emulator said of it."""
    table = client("dynamodb").describe_table(TableName="clarity-health-data")["Table"]
    keys = [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]]
    report.check("the table has its keys", keys == [("user_id", "HASH"), ("data_id", "RANGE")], keys)
    indexes = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
    report.check("and its index", indexes == ["by-type"], indexes)
    report.check("it is protected from deletion", table.get("DeletionProtectionEnabled") is True, table)

    task = client("ecs").describe_task_definition(taskDefinition=service()["taskDefinition"])["taskDefinition"]
    (container,) = task["containerDefinitions"]
    size = (task["cpu"], task["memory"], task["networkMode"])
    report.check("the task is of 256 CPU units and 512 MB with an address of its own", size == ("256", "512", "awsvpc"), size)
    report.check("its image is named by digest", "@sha256:" in container["image"], container["image"])
    secrets = {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}
    names = {"CLARITY_API_KEYS": "clarity/api-keys", "CLARITY_SERVICE_SECRET": "clarity/service-secret"}
    wanted = {variable: client("secretsmanager").describe_secret(SecretId=name)["ARN"] for variable, name in names.items()}
    report.check("its keys come from the secrets", secrets == wanted, secrets)
    report.check("its root is read-only", container.get("readonlyRootFilesystem") is True, container)
    breaker = service()["deploymentConfiguration"].get("deploymentCircuitBreaker")
    report.check("the circuit breaker takes bad versions back", breaker == {"enable": True, "rollback": True}, breaker)
    group = client("elbv2").describe_target_groups()["TargetGroups"][0]
    report.check("the load balancer asks for readiness", group["HealthCheckPath"] == "/health/ready", group)
    (logs,) = client("logs").describe_log_groups(logGroupNamePrefix=f"/ecs/{STACK}")["logGroups"]
    report.check("logs are kept for 30 days", logs.get("retentionInDays") == 30, logs)
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    made = sorted(alarm_in_short(alarm) for alarm in alarms)
    whole = emulated.load(template)["Resources"]
    names = [name for name, resource in whole.items() if resource["Type"].endswith("::Alarm") and name not in emulated.REFUSED_NAMES]
    described = emulated.resolved(template, emulated.AnyValue(LatencyAlarmSeconds=3), names)
    wanted = sorted(alarm_in_short(alarm) for alarm in described.values())
    told = all(alarm["AlarmActions"] for alarm in alarms)
    report.check(f"{len(wanted)} alarms are as the template has them, and tell a topic", made == wanted and told, (made, wanted))
    images = client("ecr").describe_repositories(repositoryNames=[STACK])["repositories"][0]
    kept = (images["imageTagMutability"], images["imageScanningConfiguration"]["scanOnPush"])
    report.check("tags cannot be moved, and images are scanned", kept == ("IMMUTABLE", True), kept)


def alarm_in_short(alarm: dict) -> tuple:
    """Without the statistic, as the emulator knows no percentiles."""
    return (alarm["MetricName"], alarm["ComparisonOperator"], float(alarm["Threshold"]), alarm["EvaluationPeriods"], alarm["TreatMissingData"])


def prove_rollouts(deployment: Deployment) -> None:
    first = service()["taskDefinition"]
    deployment.commit('image.title="clarity-backend"', 'image.title="clarity-backend 2"')
    first_image = stack_parameter("ImageUri")
    with load() as watch:
        code, output = deployment.script(refuses="ThrottlingException PRIMARY")
    second, second_image = service()["taskDefinition"], stack_parameter("ImageUri")
    report.check("a second version is rolled out, though AWS refuses to answer at times", code == 0 and second != first, output)
    report.check(f"under load, {watch.answers} answers of it, all are good", watch.answers > 50 and not watch.bad, watch.bad[:5])

    code, output = deployment.script("--rollback", plainly=True)
    report.check("--rollback runs the image before", code == 0 and image_that_runs() == first_image, output)
    report.check("and the stack knows", stack_parameter("ImageUri") == first_image, stack_parameter("ImageUri"))
    code, output = deployment.script("--configure", "--parameter", "LogLevel=debug", plainly=True)
    kept = image_that_runs() == first_image and stack_parameter("LogLevel") == "debug"
    report.check("a changed parameter keeps that image", code == 0 and kept, output)
    code, output = deployment.script("--parameter", "LogLevel=info")
    second = service()["taskDefinition"]
    report.check("the next deployment goes forward again", code == 0 and image_that_runs() == second_image, output)

    repository = client("ecr").describe_repositories(repositoryNames=[STACK])["repositories"][0]["repositoryUri"]
    nowhere = "sha256:" + "0" * 64
    arn = client("secretsmanager").describe_secret(SecretId="clarity/api-keys")["ARN"]
    bad("whose image is missing", deployment, second, load(), ["0000", "image", "pull"], "--parameter", f"ImageUri={repository}@{nowhere}")
    bad("whose secret is missing", deployment, second, load(), ["secret"], "--parameter", f"ApiKeysSecretArn={arn}-missing")
    deployment.commit('ENTRYPOINT ["/clarity-backend"]', 'ENTRYPOINT ["/clarity-backend", "--no-such-option"]')
    bad("that crashes", deployment, second, health_of_the_task(), ["no-such-option"])
    with load() as watch:
        time.sleep(5)
    report.check("after all of them, reads are answered", watch.answers > 10 and not watch.bad, watch.bad[:5])


def image_that_runs() -> str:
    task = client("ecs").describe_task_definition(taskDefinition=service()["taskDefinition"])["taskDefinition"]
    return task["containerDefinitions"][0]["image"]


def bad(name: str, deployment: Deployment, serving: str, watch: Watch, says: list[str], *arguments: str) -> None:
    with watch:
        code, output = deployment.script(*arguments)
    report.check(f"a version {name}: the script ends with 1", code == 1, (code, output))
    report.check(f"a version {name}: it says why", any(word in output.lower() for word in says), output)
    report.check(f"a version {name}: the one before serves on", not watch.bad and watch.answers > 20, (watch.answers, watch.bad[:5]))
    running = {task["taskDefinitionArn"] for task in tasks()}
    report.check(f"a version {name}: nothing else runs", eventually(lambda: {task["taskDefinitionArn"] for task in tasks()} == {serving}), running)


def tasks() -> list:
    arns = client("ecs").list_tasks(cluster=STACK, desiredStatus="RUNNING")["taskArns"]
    return client("ecs").describe_tasks(cluster=STACK, tasks=arns)["tasks"] if arns else []


# --- Permissions ------------------------------------------------------------------------


# What the execution role may read of these.
SECRETS = {
    "clarity/api-keys": "allowed",
    "clarity/service-secret": "allowed",
    "clarity/gemini-api-key": "allowed",
    "clarity/client-key": "denied",
    "another/secret": "denied",
}


def prove_permissions(policies: dict) -> None:
    """The roles' own policies, enforced."""
    root = emulated.session()
    keys = [{"AttributeName": "user_id", "KeyType": "HASH"}, {"AttributeName": "data_id", "KeyType": "RANGE"}]
    types = [{"AttributeName": name, "AttributeType": "S"} for name in ("user_id", "data_id", "type_key")]
    index = {"IndexName": "by-type", "KeySchema": [{"AttributeName": "type_key", "KeyType": "HASH"}, keys[1]], "Projection": {"ProjectionType": "ALL"}}
    for table in ("clarity-health-data", "another-table"):
        root.client("dynamodb").create_table(TableName=table, KeySchema=keys, AttributeDefinitions=types, GlobalSecondaryIndexes=[index], BillingMode="PAY_PER_REQUEST")
    secrets = {name: root.client("secretsmanager").create_secret(Name=name, SecretString="text")["ARN"] for name in SECRETS}
    roles = {}
    for name, document in policies.items():
        text = json.dumps(document)
        for stand_in, secret_name in {"API_KEYS_ARN": "clarity/api-keys", "SERVICE_SECRET_ARN": "clarity/service-secret", "GEMINI_ARN": "clarity/gemini-api-key"}.items():
            text = text.replace(stand_in, secrets[secret_name])
        roles[name] = emulated.assume(root, name, text)

    task, execution = roles["TaskRole"], roles["ExecutionRole"]
    db, name = task.client("dynamodb"), {"TableName": "clarity-health-data"}
    key = {"user_id": {"S": "u"}, "data_id": {"S": "d"}}
    query = {"KeyConditionExpression": "#k = :v", "ExpressionAttributeValues": {":v": {"S": "u"}}}
    allowed = {
        "PutItem": lambda: db.put_item(**name, Item={**key, "type_key": {"S": "u"}}),
        "GetItem": lambda: db.get_item(**name, Key=key),
        "Query": lambda: db.query(**name, **query, ExpressionAttributeNames={"#k": "user_id"}),
        "Query of the index": lambda: db.query(**name, **query, IndexName="by-type", ExpressionAttributeNames={"#k": "type_key"}),
        "BatchGetItem": lambda: db.batch_get_item(RequestItems={"clarity-health-data": {"Keys": [key]}}),
        "BatchWriteItem": lambda: db.batch_write_item(RequestItems={"clarity-health-data": [{"PutRequest": {"Item": key}}]}),
        "DeleteItem": lambda: db.delete_item(**name, Key=key),
        "DescribeTable": lambda: db.describe_table(**name),
    }
    denied = {
        "Scan": lambda: db.scan(**name),
        "CreateTable": lambda: db.create_table(TableName="new-table", KeySchema=keys, AttributeDefinitions=types[:2], BillingMode="PAY_PER_REQUEST"),
        "DeleteTable": lambda: db.delete_table(TableName="another-table"),
        "another table": lambda: db.get_item(TableName="another-table", Key=key),
        "its secrets": lambda: task.client("secretsmanager").get_secret_value(SecretId="clarity/api-keys"),
    }
    for what, call in allowed.items():
        report.check(f"the task role may: {what}", outcome(call) == "allowed", outcome(call))
    for what, call in denied.items():
        report.check(f"the task role may not: {what}", outcome(call) == "denied", outcome(call))
    reader = execution.client("secretsmanager")
    for what, wanted in SECRETS.items():
        answer = outcome(lambda what=what: reader.get_secret_value(SecretId=secrets[what]))
        report.check(f"the execution role reads {what}: {wanted}", answer == wanted, answer)
    answer = outcome(lambda: execution.client("dynamodb").get_item(**name, Key=key))
    report.check("the execution role may not read readings", answer == "denied", answer)


def prove_scaling(template: Path) -> None:
    """The template's own values, in the calls that CloudFormation makes of them."""
    with emulated.moto() as clients:
        ecs, scaling, db = map(clients, ("ecs", "application-autoscaling", "dynamodb"))
        ecs.create_cluster(clusterName=STACK)
        ecs.register_task_definition(family=STACK, containerDefinitions=[{"name": STACK, "image": "image", "memory": 512}])
        ecs.create_service(cluster=STACK, serviceName=STACK, taskDefinition=STACK, desiredCount=1)
        resources = emulated.resolved(
            template,
            {
                "Cluster": STACK, "Service.Name": STACK, "ProductionMode": "true", "MaximumTasks": 6, "TableName": "table",
                "LoadBalancer.LoadBalancerFullName": "app/name/0123456789abcdef",
                "TargetGroup.TargetGroupFullName": "targetgroup/name/0123456789abcdef",
            },
            ["ScalableTarget", "ScaleOnCpu", "ScaleOnMemory", "ScaleOnRequests", "Table"],
        )  # fmt: skip
        target = resources["ScalableTarget"]
        scaling.register_scalable_target(**target)
        where = {key: target[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        for name in ("ScaleOnCpu", "ScaleOnMemory", "ScaleOnRequests"):
            policy = {key: value for key, value in resources[name].items() if key != "ScalingTargetId"}
            scaling.put_scaling_policy(**where, **policy)
        (found,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        bounds = (found["MinCapacity"], found["MaxCapacity"])
        report.check("in production 2 to 6 tasks run", bounds == (2, 6), bounds)
        policies = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
        tracked = sorted(policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"] for policy in policies)
        wanted = ["ALBRequestCountPerTarget", "ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization"]
        report.check("by CPU, memory and requests", tracked == wanted, tracked)

        table = resources["Table"]
        recovery, encryption = table.pop("PointInTimeRecoverySpecification"), table.pop("SSESpecification")
        db.create_table(**table, SSESpecification={"Enabled": encryption["SSEEnabled"], "SSEType": encryption["SSEType"]})
        db.update_continuous_backups(TableName="table", PointInTimeRecoverySpecification=recovery)
        made = db.describe_table(TableName="table")["Table"]
        report.check("the table is encrypted with a key of the account", made["SSEDescription"]["SSEType"] == "KMS", made["SSEDescription"])
        backups = db.describe_continuous_backups(TableName="table")["ContinuousBackupsDescription"]
        status = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
        report.check("and has point-in-time recovery", status == "ENABLED", status)


def outcome(call) -> str:
    try:
        call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "denied" if "AccessDenied" in code or "Unauthorized" in code else code
    return "allowed"


@contextmanager
def clone_of_head():
    with tempfile.TemporaryDirectory() as directory:
        clone = Path(directory) / "clarity-backend"
        must("git", "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(clone))
        yield clone


def main(parts: list[str]) -> int:
    # Told to stop, it puts everything back, as what contexts and `finally` are for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parts = parts or ["image", "compose", "scaling", "permissions", "deployment"]
    started = time.monotonic()
    with clone_of_head() as clone:
        if {"image", "compose", "deployment"} & set(parts):
            build_image(clone)
        if "image" in parts:
            prove_image()
        if "compose" in parts:
            prove_compose(clone)
        if "scaling" in parts:
            prove_scaling(clone / "infra/clarity-backend.yaml")
        if "permissions" in parts:
            with emulated.aws(enforced=True):
                prove_permissions(emulated.policies(clone / "infra/clarity-backend.yaml"))
        if "deployment" in parts:
            template = clone.parent / "template.yaml"
            for left_out in emulated.project(clone / "infra/clarity-backend.yaml", template):
                print(f"        left out of the emulated stack: {left_out}")
            with emulated.aws(enforced=False), emulated.registry():
                prove_deployment(Deployment(clone, template))
    print(f"        in {time.monotonic() - started:.0f} s")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
