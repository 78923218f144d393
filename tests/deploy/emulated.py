"""An AWS on this machine: MiniStack, whose tasks are real containers, and a registry
under the name that images have at AWS."""

import json
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import boto3
import yaml
from cfnlint.decode import cfn_yaml

PORT = 4566
URL = f"http://127.0.0.1:{PORT}"
REGION = "us-east-1"
ACCOUNT = "123456789012"
VARIABLES = {
    "AWS_ENDPOINT_URL": URL,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
DOCKER = os.environ.get("DOCKER", "docker")

# What MiniStack 1.5 refuses.
REFUSED_TYPES = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::EC2::EIP",
    "AWS::EC2::NatGateway",
    "AWS::WAFv2::WebACLAssociation",
}
# An alarm on an expression, which it refuses too.
REFUSED_NAMES = {"ThrottleAlarm"}


def containers() -> set[str]:
    """The emulator's tasks."""
    output = subprocess.run(
        [DOCKER, "ps", "--all", "--quiet", "--no-trunc", "--filter", "name=ministack-"],
        stdout=subprocess.PIPE, text=True, timeout=30, check=False,
    ).stdout  # fmt: skip
    return set(output.split())


@contextmanager
def aws(enforced: bool):
    """Runs the emulator, with permissions enforced or not."""
    before = containers()
    variables = {
        "AUTH": "true" if enforced else "false",
        "GATEWAY_PORT": str(PORT),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    with tempfile.TemporaryDirectory() as directory, open(Path(directory) / "log", "w+") as log:
        process = subprocess.Popen(["ministack"], cwd=directory, env={**os.environ, **variables}, stdout=log, stderr=log)
        try:
            wait_for(f"{URL}/_ministack/health", process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
            for container in containers() - before:
                subprocess.run([DOCKER, "rm", "--force", container], stdout=subprocess.DEVNULL, timeout=60, check=False)


def wait_for(url: str, process: subprocess.Popen) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.3)
    raise RuntimeError(f"the emulator does not answer at {url}")


@contextmanager
def registry():
    """Makes the host name of images at AWS lead to the emulator, with a certificate."""
    hosts, trusted = Path("/etc/hosts"), Path("/etc/docker/certs.d") / REGISTRY
    line = f"127.0.0.1 {REGISTRY}\n"
    with tempfile.TemporaryDirectory() as directory:
        pem, certificate = Path(directory) / "both.pem", Path(directory) / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={REGISTRY}",
             "-addext", f"subjectAltName=DNS:{REGISTRY}", "-keyout", pem, "-out", certificate],
            stderr=subprocess.DEVNULL, timeout=60, check=True,
        )  # fmt: skip
        pem.write_text(pem.read_text() + certificate.read_text())
        trusted.mkdir(parents=True, exist_ok=True)
        (trusted / "ca.crt").write_text(certificate.read_text())
        hosts.write_text(f"{hosts.read_text().rstrip()}\n{line}")
        process = subprocess.Popen(
            ["socat", f"OPENSSL-LISTEN:443,bind=127.0.0.1,fork,reuseaddr,cert={pem},verify=0", f"TCP:127.0.0.1:{PORT}"],
            stderr=subprocess.DEVNULL,
        )
        try:
            # The engine keeps the hosts file for 5 s.
            time.sleep(6)
            yield
        finally:
            process.terminate()
            process.wait(10)
            # What others wrote meanwhile stays.
            hosts.write_text(hosts.read_text().replace(line, ""))
            (trusted / "ca.crt").unlink()
            trusted.rmdir()


def session() -> "Session":
    return Session("test", "test", None)


class Session:
    """A way to the emulator as somebody."""

    def __init__(self, key: str, secret: str, token: str | None):
        self.session = boto3.Session(key, secret, token, REGION)

    def client(self, name: str):
        return self.session.client(name, endpoint_url=URL)


def assume(root: Session, name: str, policy: str) -> Session:
    """A session with a new role that has this policy alone."""
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]}
    role = root.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    root.client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    given = root.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="proof")["Credentials"]
    return Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def load(path: Path) -> dict:
    return json.loads(json.dumps(cfn_yaml.load(path), default=str))


def resolved(template: Path, values: dict, names: list[str]) -> dict[str, dict]:
    """The properties of these resources, with the values that names stand for."""
    whole = load(template)

    def value(node):
        if isinstance(node, list):
            return [value(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        match node:
            case {"Ref": name}:
                return values.get(name, name)
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([^}]+)\}", lambda name: values[name[1]], text)
            case {"Fn::If": [_, chosen, _]}:
                return value(chosen)
            case {"Fn::FindInMap": [mapping, first, second]}:
                return whole["Mappings"][mapping][value(first)][second]
        return {key: value(entry) for key, entry in node.items()}

    return {name: value(whole["Resources"][name]["Properties"]) for name in names}


class AnyValue(dict):
    """Values of names, for those that do not matter the names themselves."""

    def __missing__(self, name: str) -> str:
        return name

    def get(self, name: str, _default=None):
        return self[name]


def policies(template: Path) -> dict[str, dict]:
    """The roles' policies, with the values that they have in the emulator."""
    values = {
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::AccountId": ACCOUNT,
        "TableName": "clarity-health-data",
        "RepositoryName": "clarity-backend",
        "LogGroup": "/ecs/clarity-backend",
        "ApiKeysSecretArn": "API_KEYS_ARN",
        "ServiceSecretArn": "SERVICE_SECRET_ARN",
        "GeminiApiKeySecretArn": "GEMINI_ARN",
    }
    roles = resolved(template, values, ["TaskRole", "ExecutionRole"])
    return {name: role["Policies"][0]["PolicyDocument"] for name, role in roles.items()}


@contextmanager
def moto():
    """Another emulator, which knows scaling, but not by CloudFormation."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(["moto_server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/moto-api/data.json", process)
        yield lambda name: boto3.client(
            name, endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )
    finally:
        process.terminate()
        process.wait(10)


def references(node) -> set[str]:
    """The names that a part of a template refers to."""
    if isinstance(node, list):
        return set().union(*map(references, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found = set()
    for key, value in node.items():
        if key == "Ref":
            found.add(value)
        elif key == "Fn::GetAtt":
            found.add(value[0] if isinstance(value, list) else value.split(".")[0])
        elif key == "Fn::Sub":
            found |= set(re.findall(r"\$\{(\w+)", value if isinstance(value, str) else value[0]))
        else:
            found |= references(value)
    return found


def without_nat(node):
    """What is chosen where there is no NAT gateway, as the emulator cannot make one."""
    if isinstance(node, list):
        return [without_nat(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    match node:
        case {"Fn::If": ["HasNat", _, otherwise]}:
            return without_nat(otherwise)
    return {key: without_nat(value) for key, value in node.items()}


def project(template: Path, target: Path) -> list[str]:
    """Writes what of a template the emulator can make, and gives what it cannot."""
    whole = load(template)
    resources = without_nat(whole["Resources"])
    gone = {name for name, resource in resources.items() if resource["Type"] in REFUSED_TYPES} | REFUSED_NAMES
    while more := {name for name, resource in resources.items() if name not in gone and references(resource.get("Properties", {})) & gone}:
        gone |= more
    numbers = {name: int(parameter["Default"]) for name, parameter in whole["Parameters"].items() if parameter["Type"] == "Number"}

    def inlined(node):
        # A number that is a parameter would arrive as text.
        if isinstance(node, dict):
            if list(node) == ["Ref"] and node["Ref"] in numbers:
                return numbers[node["Ref"]]
            return {key: inlined(value) for key, value in node.items()}
        return [inlined(value) for value in node] if isinstance(node, list) else node

    whole["Resources"] = {name: inlined(resource) for name, resource in resources.items() if name not in gone}
    # The emulator's load balancer is found by its name.
    whole["Resources"]["LoadBalancer"]["Properties"]["Name"] = "clarity-backend"
    # Within a container the service can neither have the credentials of a role here nor
    # reach the emulator as if it were AWS, so it runs as in development.
    (container,) = whole["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    instead = {
        "ENVIRONMENT": "development",
        "HOST": "0.0.0.0",
        "CLARITY_STORE": "dynamodb",
        "DYNAMODB_ENDPOINT": f"http://{bridge()}:{PORT}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    kept = [pair for pair in container["Environment"] if pair.get("Name") not in instead]
    for pair in kept:
        if isinstance(pair.get("Value"), int):
            pair["Value"] = str(pair["Value"])
    container["Environment"] = kept + [{"Name": name, "Value": value} for name, value in instead.items()]
    # The emulator hands these on as they are written here, and reads them as ECS has them.
    container["Secrets"] = [
        {"Fn::If": [pair["Fn::If"][0], as_in_ecs(pair["Fn::If"][1]), pair["Fn::If"][2]]} if "Fn::If" in pair else as_in_ecs(pair)
        for pair in container["Secrets"]
    ]
    target.write_text(yaml.safe_dump(whole, sort_keys=False))
    return sorted(f"{name} ({resources[name]['Type']})" for name in gone)


def as_in_ecs(secret: dict) -> dict:
    return {"name": secret["Name"], "valueFrom": secret["ValueFrom"]}


def bridge() -> str:
    """The address at which containers reach this machine."""
    return subprocess.run(
        [DOCKER, "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"],
        stdout=subprocess.PIPE, text=True, timeout=30, check=True,
    ).stdout.strip() or "172.17.0.1"  # fmt: skip
