"""The cluster operator's settings, under the names that Strimzi's users know (its ClusterOperatorConfig).

What is wrong is an error at the start (`process.BadSetting`). What Strimzi knows and klamm has no use for is ignored;
what a user would wait for in vain, and what nobody knows, is told once (`remarks`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from klamm.certificates.keys import KeyAlgorithm
from klamm.control.steps import DEADLINE
from klamm.desired.surroundings import Surroundings
from klamm.kube.kinds import Name
from klamm.kube.leases import Times
from klamm.programs.process import BadSetting, label_pairs, listed, milliseconds, needed, number, truth

_ELECTION = "STRIMZI_LEADER_ELECTION"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PULL_POLICIES = {policy.lower(): policy for policy in ("Always", "IfNotPresent", "Never")}
_PLAIN = Times()


@dataclass(frozen=True, slots=True)
class Leadership:
    """Which Lease is to be held by whom."""

    lease: Name
    identity: str
    times: Times = _PLAIN


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """`namespaces`: those that are watched, None for all. `selector`: labels of the Kafka resources that are ours.

    `leadership` None: there is one operator, and it leads, if need be until somebody else holds the Lease
    `gives_way_to`. `operation`: seconds that a step of a pass may take.
    """

    surroundings: Surroundings
    resync: float
    port: int
    key_algorithm: KeyAlgorithm
    instance: str
    namespaces: tuple[str, ...] | None = None
    selector: Mapping[str, str] = field(default_factory=dict)
    operation: float = DEADLINE
    leadership: Leadership | None = None
    gives_way_to: Name | None = None
    pod_sets_only: bool = False


def read_settings(environment: Mapping[str, str]) -> OperatorSettings:
    namespace = environment.get("STRIMZI_OPERATOR_NAMESPACE", "default")
    return OperatorSettings(
        surroundings=_surroundings(environment, namespace),
        resync=milliseconds(environment, "STRIMZI_FULL_RECONCILIATION_INTERVAL_MS", 120_000),
        port=number(environment, "KLAMM_HEALTH_PORT", 8080),
        key_algorithm=_key_algorithm(environment),
        instance=environment.get("HOSTNAME", "strimzi-cluster-operator"),
        namespaces=_namespaces(environment),
        selector=label_pairs(environment, "STRIMZI_CUSTOM_RESOURCE_SELECTOR"),
        operation=milliseconds(environment, "STRIMZI_OPERATION_TIMEOUT_MS", int(DEADLINE * 1000)),
        leadership=_leadership(environment, namespace),
        gives_way_to=_lease(environment, namespace) if truth(environment, "KLAMM_GIVES_WAY", False) else None,
        pod_sets_only=truth(environment, "STRIMZI_POD_SET_RECONCILIATION_ONLY", False),
    )


def _surroundings(environment: Mapping[str, str], namespace: str) -> Surroundings:
    return Surroundings(
        operator_namespace=namespace,
        operator_image=environment.get("STRIMZI_DEFAULT_TOPIC_OPERATOR_IMAGE", ""),
        kafka_init_image=environment.get("STRIMZI_DEFAULT_KAFKA_INIT_IMAGE", ""),
        kafka_exporter_image=environment.get("STRIMZI_DEFAULT_KAFKA_EXPORTER_IMAGE", ""),
        kafka_images=_images(environment),
        default_version=environment.get("KLAMM_DEFAULT_KAFKA_VERSION", "3.6.0"),
        operator_namespace_labels=label_pairs(environment, "STRIMZI_OPERATOR_NAMESPACE_LABELS"),
        dns_domain=environment.get("KUBERNETES_SERVICE_DNS_DOMAIN", "cluster.local"),
        image_pull_policy=_pull_policy(environment),
        image_pull_secrets=tuple(listed(environment, "STRIMZI_IMAGE_PULL_SECRETS")),
        network_policies=truth(environment, "STRIMZI_NETWORK_POLICY_GENERATION", True),
        disruption_budgets=truth(environment, "STRIMZI_POD_DISRUPTION_BUDGET_GENERATION", True),
        excluded_labels=_pattern(environment, "STRIMZI_LABELS_EXCLUSION_PATTERN"),
    )


def _namespaces(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    names = listed(environment, "STRIMZI_NAMESPACE")
    if names in ([], ["*"]):
        return None
    for name in names:
        if name == "*":
            raise BadSetting("STRIMZI_NAMESPACE: '*' stands beside names; write * alone for all namespaces")
        if not _LABEL.fullmatch(name):
            raise BadSetting(
                f"STRIMZI_NAMESPACE: {name!r} cannot be a namespace's name; write names of small letters, digits and "
                "dashes, separated by commas, or * for all"
            )
    return tuple(dict.fromkeys(names))


def _images(environment: Mapping[str, str]) -> dict[str, str]:
    """Lines (or entries between commas) of `version=image`."""
    lines = [line.strip() for line in re.split(r"[\n,]", environment.get("STRIMZI_KAFKA_IMAGES", "")) if line.strip()]
    for line in lines:
        if not re.fullmatch(r"[^=\s]+=\S+", line):
            raise BadSetting(f"STRIMZI_KAFKA_IMAGES: {line!r} is no version with its image; write version=image a line")
    return dict(line.split("=", 1) for line in lines)


def _pull_policy(environment: Mapping[str, str]) -> str | None:
    text = environment.get("STRIMZI_IMAGE_PULL_POLICY", "")
    if text and text.lower() not in _PULL_POLICIES:
        raise BadSetting(f"STRIMZI_IMAGE_PULL_POLICY: {text!r} is none of {', '.join(_PULL_POLICIES.values())}")
    return _PULL_POLICIES.get(text.lower())


def _pattern(environment: Mapping[str, str], name: str) -> str:
    text = environment.get(name, "")
    try:
        re.compile(text)
    except re.error as error:
        raise BadSetting(f"{name}: {text!r} is no regular expression: {error}") from error
    return text


def _key_algorithm(environment: Mapping[str, str]) -> KeyAlgorithm:
    text = environment.get("KLAMM_KEY_ALGORITHM", KeyAlgorithm.EC_P256)
    try:
        return KeyAlgorithm(text)
    except ValueError as error:
        raise BadSetting(f"KLAMM_KEY_ALGORITHM: {text!r} is none of {', '.join(KeyAlgorithm)}") from error


def _leadership(environment: Mapping[str, str], namespace: str) -> Leadership | None:
    if not truth(environment, f"{_ELECTION}_ENABLED", False):
        return None
    lease = _lease(environment, namespace)
    identity = environment.get(f"{_ELECTION}_IDENTITY") or environment.get("HOSTNAME", "")
    return Leadership(lease, identity or needed(environment, f"{_ELECTION}_IDENTITY"), _times(environment))


def _lease(environment: Mapping[str, str], namespace: str) -> Name:
    return Name(
        environment.get(f"{_ELECTION}_LEASE_NAMESPACE") or namespace,
        environment.get(f"{_ELECTION}_LEASE_NAME") or "strimzi-cluster-operator",
    )


def _times(environment: Mapping[str, str]) -> Times:
    names = [f"{_ELECTION}_{what}_MS" for what in ("RETRY_PERIOD", "RENEW_DEADLINE", "LEASE_DURATION")]
    defaults = [int(seconds * 1000) for seconds in (_PLAIN.retry, _PLAIN.renew_deadline, _PLAIN.duration)]
    values = [milliseconds(environment, name, default) for name, default in zip(names, defaults, strict=True)]
    for index in (0, 1):
        if values[index] >= values[index + 1]:
            raise BadSetting(
                f"{names[index]}: {values[index] * 1000:g} is not shorter than {names[index + 1]}, which is "
                f"{values[index + 1] * 1000:g}; a leader must find out that it is none before another one begins"
            )
    return Times(duration=values[2], renew_deadline=values[1], retry=values[0])


_WITHOUT_EFFECT = {
    "STRIMZI_FEATURE_GATES": "klamm has no gates; node pools and KRaft come with their own fields",
    "STRIMZI_POD_SECURITY_PROVIDER_CLASS": "security contexts are set in the resource's templates",
    "STRIMZI_CREATE_CLUSTER_ROLES": "cluster roles are installed with the operator, which may not make them",
}

_HONOURED = re.compile(
    rf"STRIMZI_((OPERATOR_)?NAMESPACE|OPERATOR_NAMESPACE_LABELS|KAFKA_IMAGES|IMAGE_PULL_(POLICY|SECRETS)"
    r"|(NETWORK_POLICY|POD_DISRUPTION_BUDGET)_GENERATION|LABELS_EXCLUSION_PATTERN|CUSTOM_RESOURCE_SELECTOR"
    r"|FULL_RECONCILIATION_INTERVAL_MS|OPERATION_TIMEOUT_MS|POD_SET_RECONCILIATION_ONLY|LOG_LEVEL"
    rf"|{_ELECTION.removeprefix('STRIMZI_')}_(ENABLED|LEASE_NAME|LEASE_NAMESPACE|IDENTITY|LEASE_DURATION_MS"
    r"|RENEW_DEADLINE_MS|RETRY_PERIOD_MS))"
)

_UNNEEDED = re.compile(
    r"STRIMZI_(DEFAULT_\w+_IMAGE|KAFKA_(CONNECT|MIRROR_MAKER|MIRROR_MAKER_2)_IMAGES|CONNECT_BUILD_TIMEOUT_MS"
    r"|OPERATIONS_THREAD_POOL_SIZE|ZOOKEEPER_ADMIN_SESSION_TIMEOUT_MS|DNS_CACHE_TTL|POD_SET_CONTROLLER_WORK_QUEUE_SIZE"
    r"|OPERATOR_NAME|KUBERNETES_VERSION|PKCS12_KEYSTORE_GENERATION|ENTITY_OPERATOR_WATCHED_NAMESPACE_ENABLED"
    r"|JAVA_\w+|GC_LOG_ENABLED|GATEKEEPER_\w+_PLUGINS)"
)


def remarks(environment: Mapping[str, str]) -> Iterator[str]:
    """What is set and does nothing, for the log."""
    for name in sorted(environment):
        if not name.startswith("STRIMZI_") or environment[name] in ("", "false"):
            continue
        if name in _WITHOUT_EFFECT:
            yield f"{name} has no effect: {_WITHOUT_EFFECT[name]}"
        elif re.fullmatch(r"STRIMZI_CUSTOM_\w+_LABELS", name):
            yield f"{name} has no effect: labels of pods are set in the resource's templates"
        elif not _HONOURED.fullmatch(name) and not _UNNEEDED.fullmatch(name):
            yield f"{name} is not known: is it misspelt?"
