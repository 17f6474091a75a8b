"""What the operator knows besides the resources: its own place, and the images that it hands out.

All of it comes from settings of the operator (`programs/` reads them); nothing here is read from a cluster.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """`kafka_images`: Kafka version -> image. `kafka_init_image`, `kafka_exporter_image`: empty for the operator's own.

    `operator_namespace_labels` find the operator from other namespaces. Labels of resources that `excluded_labels`
    (a regular expression) matches are not handed on to their objects. Without `network_policies` and
    `disruption_budgets` none are made; those that are there stay.
    """

    operator_namespace: str
    operator_image: str
    kafka_images: Mapping[str, str]
    default_version: str
    kafka_init_image: str = ""
    kafka_exporter_image: str = ""
    operator_namespace_labels: Mapping[str, str] = field(default_factory=dict)
    dns_domain: str = "cluster.local"
    image_pull_policy: str | None = None
    image_pull_secrets: Sequence[str] = ()
    excluded_labels: str = ""
    network_policies: bool = True
    disruption_budgets: bool = True

    def handed_on(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels of a resource that its objects may inherit (see `labels.inherited_labels` for the rest)."""
        excluded = re.compile(self.excluded_labels) if self.excluded_labels else None
        return {key: value for key, value in labels.items() if not (excluded and excluded.search(key))}


def service_names(service: str, namespace: str, dns_domain: str) -> list[str]:
    """The four names by which a Service is reached, shortest first."""
    short = f"{service}.{namespace}"
    return [service, short, f"{short}.svc", f"{short}.svc.{dns_domain}"]


def pod_names(pod: str, service: str, namespace: str, dns_domain: str) -> list[str]:
    """The two full names of a pod under its headless Service."""
    name = f"{pod}.{service}.{namespace}.svc"
    return [name, f"{name}.{dns_domain}"]
