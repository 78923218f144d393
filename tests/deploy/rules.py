"""What must hold between the deployment files, and no linter looks at.

usage: rules.py [DIRECTORY]   prints each fault as `rule: what is wrong`
"""

import re
import sys
from pathlib import Path

import yaml
from cfnlint.decode import cfn_yaml

TABLE_ACTIONS = {
    "dynamodb:" + action
    for action in (
        "BatchGetItem BatchWriteItem DeleteItem DescribeTable GetItem PutItem Query"
    ).split()
}
ALARMED_METRICS = {
    "HTTPCode_Target_5XX_Count",
    "HTTPCode_ELB_5XX_Count",
    "TargetResponseTime",
    "UnHealthyHostCount",
    "HealthyHostCount",
    "ReadThrottleEvents",
    "WriteThrottleEvents",
    "CPUUtilization",
    "MemoryUtilization",
    "GeminiFailures",
}
# Variables that the service has and a task does not need: what it is elsewhere, and the
# other ways to give the same.
NOT_ON_AWS = set(
    "HOST CLARITY_STORE CLARITY_DATA_DIR DYNAMODB_ENDPOINT SECRETS_MANAGER_ENDPOINT CLARITY_API_KEY "
    "MAX_CONNECTIONS IDLE_TIMEOUT WRITE_TIMEOUT DATA_DEADLINE BULK_DEADLINE LOG_FORMAT METRICS_ADDR "
    "OTEL_EXPORTER_OTLP_ENDPOINT CLARITY_REVISION "
    "CLARITY_API_KEYS_FILE CLARITY_API_KEYS_SECRET AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_PROFILE".split()
)
# Reference of the service's settings, generated from the table that the service reads.
SETTINGS_PAGE = "docs/reference/settings.md"
# What Fargate allows, in seconds.
LONGEST_STOP_TIMEOUT = 120


class Files:
    """The deployment files of a directory."""

    def __init__(self, directory: Path):
        self.directory = directory
        template = cfn_yaml.load(directory / "infra/clarity-backend.yaml")
        self.parameters = template["Parameters"]
        self.resources = template["Resources"]
        self.rules = template["Rules"]
        self.dockerfile = self.text("Dockerfile")
        self.compose = yaml.safe_load(self.text("docker-compose.aws.yml"))

    def text(self, path: str) -> str:
        return (self.directory / path).read_text(encoding="utf-8")

    @property
    def settings(self) -> dict[str, str]:
        """Default of each of the service's settings, by variable."""
        row = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)?", re.M)
        return dict(row.findall(self.text(SETTINGS_PAGE)))

    def properties(self, name: str) -> dict:
        return self.resources[name]["Properties"]

    def of_type(self, suffix: str) -> dict:
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"].endswith(suffix)
        }

    @property
    def container(self) -> dict:
        (container,) = self.properties("TaskDefinition")["ContainerDefinitions"]
        return container

    @property
    def environment(self) -> dict:
        return {pair["Name"]: pair["Value"] for pair in plain(self.container["Environment"])}


def plain(entries: list) -> list:
    """The entries of a list, those of a condition that gives one or nothing too."""
    return [entry["Fn::If"][1] if "Fn::If" in entry else entry for entry in entries]


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def attributes(entries: list) -> dict:
    return {entry["Key"]: entry["Value"] for entry in entries}


def container_and_target_group_agree(files: Files):
    """The load balancer sends to the container and port that there are."""
    container = files.container
    (mapping,) = container["PortMappings"]
    port = mapping["ContainerPort"]
    (target,) = files.properties("Service")["LoadBalancers"]
    group = files.properties("TargetGroup")
    (ingress,) = files.properties("TaskSecurityGroup")["SecurityGroupIngress"]
    if target["ContainerName"] != container["Name"]:
        yield f"the service sends to a container {target['ContainerName']}, which is {container['Name']}"
    ports = {
        "the service's load balancer": target["ContainerPort"],
        "the target group": group["Port"],
        "the tasks' security group": ingress["FromPort"],
        "the variable PORT": int(files.environment["PORT"]),
    }
    for place, other in ports.items():
        if other != port:
            yield f"{place} has port {other}, the container {port}"
    if target["TargetGroupArn"] != {"Ref": "TargetGroup"}:
        yield "the service is in another target group"


def health_is_that_of_readiness(files: Files):
    """The load balancer looks at readiness, ECS at the process."""
    group = files.properties("TargetGroup")
    if group["HealthCheckPath"] != "/health/ready":
        yield f"the target group asks {group['HealthCheckPath']}"
    if group["Matcher"] != {"HttpCode": "200"}:
        yield "the target group takes other answers than 200"
    if files.container["HealthCheck"]["Command"] != ["CMD", "/clarity-backend", "healthcheck"]:
        yield "the container's health check is not the service's own"
    if 'CMD ["/clarity-backend", "healthcheck"]' not in files.dockerfile:
        yield "the image's health check is not the service's own"


def service_waits_for_its_listener(files: Files):
    """ECS refuses a service whose target group no load balancer uses yet."""
    needed = listed(files.resources["Service"].get("DependsOn", []))
    if "HttpListener" not in needed:
        yield "the service does not depend on the listener for HTTP"
    if {"Fn::If": ["HasCertificate", {"Ref": "HttpsListener"}, "http"]} not in attributes(files.properties("Service")["Tags"]).values():
        yield "the service does not wait for the listener for HTTPS"
    forward = {"Type": "forward", "TargetGroupArn": {"Ref": "TargetGroup"}}
    (plain_action,) = files.properties("HttpListener")["DefaultActions"]
    if files.properties("HttpsListener")["DefaultActions"] != [forward] or plain_action["Fn::If"][2] != forward:
        yield "the listeners do not forward to the target group"


def drain_fits(files: Files):
    """Neither the service nor the load balancer nor ECS cuts off what is in flight."""
    deadline = files.settings.get("INSIGHT_DEADLINE", "")
    if not deadline.isdecimal():
        yield f"{SETTINGS_PAGE} states no default for INSIGHT_DEADLINE"
        return
    insight = files.parameters["InsightDeadline"]
    if insight["Default"] != int(deadline):
        yield f"InsightDeadline is not {deadline}, as in the service"
    grace, deadline = (int(files.environment[name]) for name in ("SHUTDOWN_GRACE", "SHUTDOWN_DEADLINE"))
    stop = files.container["StopTimeout"]
    group = attributes(files.properties("TargetGroup")["TargetGroupAttributes"])
    delay = int(group["deregistration_delay.timeout_seconds"])
    if not grace + insight["MaxValue"] < deadline:
        yield f"SHUTDOWN_DEADLINE {deadline} does not hold a grace of {grace} and an insight of {insight['MaxValue']}"
    if not deadline < stop <= LONGEST_STOP_TIMEOUT:
        yield f"StopTimeout {stop} is not longer than SHUTDOWN_DEADLINE {deadline}, or too long for Fargate"
    if not deadline < delay <= stop:
        yield f"the deregistration delay {delay} is not between SHUTDOWN_DEADLINE {deadline} and StopTimeout {stop}"


def permissions_are_least(files: Files):
    """No wildcard but where IAM knows nothing narrower."""
    for name, role in files.of_type("IAM::Role").items():
        if "ManagedPolicyArns" in role:
            yield f"{name} has a managed policy"
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = listed(statement["Action"])
                if any("*" in action for action in actions):
                    yield f"{name} allows all actions of {actions}"
                if "*" in listed(statement["Resource"]) and actions != ["ecr:GetAuthorizationToken"]:
                    yield f"{name} allows {actions} on every resource"
    (policy,) = files.properties("TaskRole")["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    if set(statement["Action"]) != TABLE_ACTIONS:
        yield f"the task role has other actions: {set(statement['Action']) ^ TABLE_ACTIONS}"
    table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}"
    if statement["Resource"] != [{"Fn::Sub": table}, {"Fn::Sub": table + "/index/by-type"}]:
        yield "the task role is for more than the table and its index"


def secrets_stay_secret(files: Files):
    """Keys come from Secrets Manager, and from nowhere else."""
    secrets = {pair["Name"]: pair["ValueFrom"] for pair in plain(files.container["Secrets"])}
    wanted = {
        "CLARITY_API_KEYS": {"Ref": "ApiKeysSecretArn"},
        "CLARITY_SERVICE_SECRET": {"Ref": "ServiceSecretArn"},
        "GEMINI_API_KEY": {"Ref": "GeminiApiKeySecretArn"},
    }
    if secrets != wanted:
        yield f"the container's secrets are {secrets}"
    for name in files.environment:
        if "KEY" in name or "SECRET" in name:
            yield f"{name} is a plain variable of the container"
    for path in [".env.aws", "Dockerfile"]:
        for name, value in re.findall(r"^(?:ENV |ARG )?(\w*(?:KEY|SECRET|TOKEN)\w*)=(.+)$", files.text(path), re.M):
            yield f"{path} gives {name} the value {value}"


def readings_are_kept(files: Files):
    """The table is as the service wants it, and cannot be lost by accident."""
    resource, table = files.resources["Table"], files.properties("Table")
    keys = {"KeySchema": [("user_id", "HASH"), ("data_id", "RANGE")]}
    (index,) = table["GlobalSecondaryIndexes"]
    for place, schema, wanted in [
        ("table", table["KeySchema"], keys["KeySchema"]),
        ("index", index["KeySchema"], [("type_key", "HASH"), ("data_id", "RANGE")]),
    ]:
        if [(key["AttributeName"], key["KeyType"]) for key in schema] != wanted:
            yield f"the {place} has other keys than {wanted}"
    if index["IndexName"] != "by-type" or index["Projection"] != {"ProjectionType": "ALL"}:
        yield "the index is not by-type with whole readings"
    if table.get("BillingMode") != "PAY_PER_REQUEST":
        yield "the table is not paid per request"
    if table.get("PointInTimeRecoverySpecification") != {"PointInTimeRecoveryEnabled": True}:
        yield "the table has no point-in-time recovery"
    if table.get("SSESpecification", {}).get("SSEEnabled") is not True:
        yield "the table is not encrypted with a key of the account"
    if table.get("DeletionProtectionEnabled") is not True:
        yield "the table can be deleted"
    if "TimeToLiveSpecification" in table:
        yield "readings expire"
    for policy in ["DeletionPolicy", "UpdateReplacePolicy"]:
        if resource.get(policy) != "Retain":
            yield f"the table's {policy} is not Retain"


def rollouts_are_safe(files: Files):
    """A bad version is taken back, and the one before it is still there."""
    service = files.properties("Service")
    deployment = service["DeploymentConfiguration"]
    if deployment["DeploymentCircuitBreaker"] != {"Enable": True, "Rollback": True}:
        yield "the circuit breaker does not take a bad version back"
    if deployment["MinimumHealthyPercent"] != 100 or deployment["MaximumPercent"] != 200:
        yield "a roll-out stops tasks before others are ready"
    if files.container["DockerLabels"] != {"secret-versions": {"Ref": "SecretVersions"}}:
        yield "other secrets do not make another version, which would be rolled out"
    if "DesiredCount" in service:
        yield "an update of the stack would undo what scaling did"
    if files.resources["TaskDefinition"].get("UpdateReplacePolicy") != "Retain":
        yield "the version before is deregistered, so that nothing can go back to it"
    if not files.parameters["ImageUri"]["AllowedPattern"].endswith("@sha256:[0-9a-f]{64}"):
        yield "an image may be deployed by a tag, which can come to mean another"


def task_is_hardened(files: Files):
    """Not root, nothing to write to, no capabilities, the smallest size."""
    task, container = files.properties("TaskDefinition"), files.container
    if (task["Cpu"], task["Memory"], task["NetworkMode"]) != ("256", "512", "awsvpc"):
        yield "the task is not of 256 CPU units and 512 MB with an address of its own"
    if container["User"] != "10001:10001" or "USER 10001:10001" not in files.dockerfile:
        yield "the container does not run as user 10001"
    if container["ReadonlyRootFilesystem"] is not True:
        yield "the container can write to its root"
    if container["LinuxParameters"]["Capabilities"] != {"Drop": ["ALL"]}:
        yield "the container has capabilities"
    service = files.compose["services"]["clarity-backend"]
    alike = {"mem_limit": "512m", "cpus": 0.25, "read_only": True, "cap_drop": ["ALL"]}
    for key, value in alike.items():
        if service.get(key) != value:
            yield f"docker-compose.aws.yml has {key} {service.get(key)} in place of {value}"
    for name, other in files.compose["services"].items():
        for port in other.get("ports", []):
            if not str(port).startswith("127.0.0.1:"):
                yield f"docker-compose.aws.yml opens {name} to other machines: {port}"


def entrance_is_encrypted(files: Files):
    """TLS 1.2 or later wherever there is a certificate, HTTP only when asked for."""
    listener = files.properties("HttpsListener")
    if listener["Protocol"] != "HTTPS" or "TLS13-1-2" not in listener["SslPolicy"]:
        yield "the listener takes TLS older than 1.2"
    (action,) = files.properties("HttpListener")["DefaultActions"]
    condition, redirect, _ = action["Fn::If"]
    if condition != "HasCertificate" or redirect["Type"] != "redirect":
        yield "HTTP is not redirected where there is a certificate"
    # AWS counts the list as 55 rules, and a group may have 60.
    if str(files.properties("LoadBalancerSecurityGroup")).count("SourcePrefixListId") != 1:
        yield "CloudFront is not admitted on one port"
    if files.properties("Distribution")["DistributionConfig"]["Origins"][0]["CustomOriginConfig"]["OriginProtocolPolicy"] != "https-only":
        yield "CloudFront talks to the load balancer without encryption"
    if "AllowPlainHttp" not in str(files.rules["Encrypted"]) or files.parameters["AllowPlainHttp"]["Default"] != "false":
        yield "HTTP alone need not be asked for"


def nothing_personal_is_kept_by_the_firewall(files: Files):
    """Paths name users, and a batch is larger than the managed rules expect."""
    acl = files.properties("WebAcl")
    for rule in [acl, *acl["Rules"]]:
        if rule["VisibilityConfig"]["SampledRequestsEnabled"] is not False:
            yield f"{rule.get('Name', 'the web ACL')} samples requests"
    if "SizeRestrictions_BODY" not in str(acl["Rules"]):
        yield "the managed rules block a batch for its size"


def alarms_reach_somebody(files: Files):
    """What is worth knowing has an alarm, and each alarm is sent."""
    alarms = files.of_type("CloudWatch::Alarm")
    metrics = set()
    for name, alarm in alarms.items():
        if alarm.get("AlarmActions") != [{"Ref": "AlarmTopic"}]:
            yield f"{name} tells nobody"
        queries = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
        metrics |= {metric["MetricName"] for metric in queries or [alarm]}
    if alarms["LatencyAlarm"].get("ExtendedStatistic") != "p99":
        yield "the alarm on latency is not on the slowest hundredth"
    for metric in sorted(ALARMED_METRICS - metrics):
        yield f"no alarm on {metric}"


def names_of_variables_agree(files: Files):
    """Each setting of the service is in the template and in .env.aws."""
    known = set(files.settings)
    described = set(re.findall(r"^([A-Z_]+)=", files.text(".env.aws"), re.M))
    set_on_aws = {*files.environment, *(pair["Name"] for pair in plain(files.container["Secrets"]))}
    if not {"ENVIRONMENT", "CLARITY_DATA_DIR", "GEMINI_MODEL", "INSIGHT_DEADLINE"} <= known:
        yield f"this rule does not find the service's settings: {sorted(known)}"
    # A profile that is named, but empty, would be looked for.
    for name in sorted(known - described - {"AWS_PROFILE"}):
        yield f".env.aws lacks {name}"
    for name in sorted(known - set_on_aws - NOT_ON_AWS):
        yield f"the template lacks {name}"
    for name in sorted(set_on_aws - known):
        yield f"the template sets {name}, which the service does not read"


def image_is_of_its_platform(files: Files):
    """BuildKit's own value for the platform reaches the build."""
    for line in re.findall(r"^ARG (?:TARGET|BUILD)\w+=.*$", files.dockerfile, re.M):
        yield f"a default in the Dockerfile goes before the platform that is asked for: {line}"


def versions_are_pinned(files: Files):
    """What is built today is built tomorrow."""
    channel = re.search(r'channel = "(\d+\.\d+)', files.text("rust-toolchain.toml")).group(1)
    bases = re.findall(r"^FROM (?:--\S+ )?(\S+)", files.dockerfile, re.M)
    if len(bases) != 2 or bases[1] != "scratch":
        yield f"the image is not made of a build and an empty root: {bases}"
    if not bases[0].startswith(f"rust:{channel}-"):
        yield f"the image is built by {bases[0]}, the tests by {channel}"
    for name, service in files.compose["services"].items():
        image = service["image"]
        if "build" not in service and (":" not in image or image.endswith(":latest")):
            yield f"docker-compose.aws.yml takes any version of {image} for {name}"


RULES = [
    container_and_target_group_agree,
    health_is_that_of_readiness,
    service_waits_for_its_listener,
    drain_fits,
    permissions_are_least,
    secrets_stay_secret,
    readings_are_kept,
    rollouts_are_safe,
    task_is_hardened,
    entrance_is_encrypted,
    nothing_personal_is_kept_by_the_firewall,
    alarms_reach_somebody,
    names_of_variables_agree,
    image_is_of_its_platform,
    versions_are_pinned,
]


def faults(directory: Path) -> list[str]:
    files = Files(directory)
    return [f"{rule.__name__}: {fault}" for rule in RULES for fault in rule(files)]


if __name__ == "__main__":
    found = faults(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(found) or f"{len(RULES)} rules hold")
    sys.exit(bool(found))
