"""Operators, and what they say about the resources that they look after."""

from klamm.monitoring.alerts import Alert, Group, Pace
from klamm.monitoring.rules.parts import OF_DEPLOYMENTS, containers_down

_DAYS = 30
_KINDS = {"Kafka": "kafka", "KafkaTopic": "kafka_topic", "KafkaUser": "kafka_user"}
"""Kind → what stands between `strimzi_` and `_resource_info` in the series of its resources."""


def entity_operator(pace: Pace) -> Group:
    mend = "See the pod <cluster>-entity-operator and its logs; topics and users stay as they are meanwhile."

    def down(name: str, container: str, what: str) -> Alert:
        return containers_down(name, container, OF_DEPLOYMENTS, what, mend, pace)

    return Group(
        "entityOperator",
        (
            down("TopicOperatorContainerDown", "topic-operator", "topic operator"),
            down("UserOperatorContainerDown", "user-operator", "user operator"),
        ),
    )


def cluster_operator(pace: Pace) -> Group:
    container = 'container_last_seen{container="strimzi-cluster-operator"}'
    return Group(
        "clusterOperator",
        (
            Alert(
                "ClusterOperatorContainerDown",
                # Whoever loads these rules has an operator: also one that never came up is an alert.
                f"absent({container} > time() - {pace.seen})",
                pace.while_,
                "major",
                "No cluster operator runs",
                "Clusters run on, but nothing changes, rolls or renews certificates.",
                "See the Deployment strimzi-cluster-operator: kubectl describe, then kubectl logs --previous.",
            ),
        ),
    )


def certificates(pace: Pace) -> Group:
    return Group(
        "certificates",
        (
            Alert(
                "CertificateExpiration",
                f"strimzi_certificate_expiration_timestamp_ms / 1000 - time() < {_DAYS} * 24 * 3600",
                pace.window,
                "warning",
                "A certificate authority ends soon",
                "The {{ $labels.type }} of {{ $labels.cluster }} in {{ $labels.resource_namespace }} ends in "
                "{{ humanizeDuration $value }}.",
                "The operator renews its own in the maintenance windows: see why it did not; renew your own by hand.",
            ),
        ),
    )


def resources(pace: Pace) -> Group:
    """What kube-state-metrics tells of Strimzi's resources elsewhere, klamm's operators tell themselves."""
    return Group("resources", tuple(alert for kind in _KINDS for alert in _of_kind(kind, pace)))


def _of_kind(kind: str, pace: Pace) -> tuple[Alert, ...]:
    info = f"strimzi_{_KINDS[kind]}_resource_info"
    which = f"{kind} {{{{ $labels.name }}}} in {{{{ $labels.exported_namespace }}}}"
    look = f"kubectl describe {kind.lower()} shows its conditions with reason and message."
    return (
        Alert(
            f"{kind}NotReady",
            f'{info}{{ready="False"}} > 0',
            pace.settled,
            "warning",
            f"A {kind} is not ready",
            f"{which} has not become ready.",
            look,
        ),
        Alert(
            f"{kind}Warnings",
            f'{info}{{warnings!=""}} > 0',
            pace.settled,
            "warning",
            f"A {kind} has warnings",
            f"{which} carries a warning.",
            look,
        ),
        Alert(
            f"{kind}Deprecated",
            f'{info}{{deprecated!=""}} > 0',
            pace.settled,
            "warning",
            f"A {kind} uses deprecated fields",
            f"{which} uses something that will go.",
            f"{look} Write the new field before the next upgrade.",
        ),
    )
