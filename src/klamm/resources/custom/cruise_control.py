"""Cruise Control, which moves partitions so that brokers carry like loads."""

from typing import Annotated

from klamm.resources.custom.process import JvmOptions, Logging, MetricsConfig, Probe, TlsSidecar
from klamm.resources.custom.secrets import SecretValue
from klamm.resources.custom.template import (
    NO_SIDECAR,
    ContainerTemplate,
    DeploymentTemplate,
    InternalServiceTemplate,
    PodDisruptionBudgetTemplate,
    PodTemplate,
    ResourceTemplate,
)
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.native.metadata import LocalObjectReference
from klamm.resources.structure import About, Block, Deprecated, Form, FreeForm

_CPU = Form(r"^[0-9]+([.][0-9]{0,3}|[m]?)$", "1.5")
_NETWORK = Form(r"^[0-9]+([KMG]i?)?B/s$", "10000KiB/s")


class CruiseControlTemplate(Block):
    """Additions to Cruise Control's objects."""

    api_service: Annotated[InternalServiceTemplate | None, About("Service of the REST API.")] = None
    cruise_control_container: Annotated[ContainerTemplate | None, About("Container of Cruise Control.")] = None
    deployment: Annotated[DeploymentTemplate | None, About("Deployment.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    pod_disruption_budget: Annotated[PodDisruptionBudgetTemplate | None, About("Budget of the pods.")] = None
    service_account: Annotated[ResourceTemplate | None, About("Service account.")] = None
    tls_sidecar_container: Annotated[
        ContainerTemplate | None,
        About("Has no effect any more.", only="v1beta2", deprecated=NO_SIDECAR),
    ] = None


class BrokerCapacityOverride(Block):
    """What some brokers can carry."""

    brokers: Annotated[list[int], About("Ids of these brokers.", required=True)] = []
    cpu: Annotated[str | None, About("CPU, in cores or millicores.", form=_CPU)] = None
    inbound_network: Annotated[str | None, About("Inbound rate, e.g. 10000KiB/s.", form=_NETWORK)] = None
    outbound_network: Annotated[str | None, About("Outbound rate, e.g. 10000KiB/s.", form=_NETWORK)] = None


class BrokerCapacity(Block):
    """What brokers can carry."""

    cpu: Annotated[str | None, About("CPU, in cores or millicores.", form=_CPU)] = None
    cpu_utilization: Annotated[
        int | None,
        About(
            "Has no effect any more.",
            only="v1beta2",
            minimum=0,
            maximum=100,
            deprecated=Deprecated(mend="remove it"),
        ),
    ] = None
    disk: Annotated[
        str | None,
        About(
            "Has no effect any more.",
            only="v1beta2",
            form=Form(r"^[0-9]+([.][0-9]*)?([KMGTPE]i?|e[0-9]+)?$", "100Gi"),
            deprecated=Deprecated(mend="remove it; sizes of volumes are known"),
        ),
    ] = None
    inbound_network: Annotated[str | None, About("Inbound rate, e.g. 10000KiB/s.", form=_NETWORK)] = None
    outbound_network: Annotated[str | None, About("Outbound rate, e.g. 10000KiB/s.", form=_NETWORK)] = None
    overrides: Annotated[list[BrokerCapacityOverride], About("Brokers that differ.")] = []


class ApiUsers(Block):
    """More users of the REST API."""

    type: Annotated[str | None, About("Form of the list.", required=True, choices=("hashLoginService",))] = None
    value_from: Annotated[SecretValue | None, About("The Secret's entry that lists them.", required=True)] = None


class AutoRebalance(Block):
    """A rebalance that starts by itself when the cluster is scaled."""

    mode: Annotated[
        str | None,
        About("What starts it.", required=True, choices=("add-brokers", "remove-brokers")),
    ] = None
    template: Annotated[LocalObjectReference | None, About("KafkaRebalance whose settings are taken.")] = None


class CruiseControlSpec(Block):
    """Runs Cruise Control."""

    api_users: Annotated[ApiUsers | None, About("More users of the REST API.", only="v1")] = None
    auto_rebalance: Annotated[
        list[AutoRebalance],
        About("Rebalances that start by themselves.", only="v1", at_least=1),
    ] = []
    broker_capacity: Annotated[BrokerCapacity | None, About("What brokers can carry.")] = None
    config: Annotated[FreeForm, About("Settings of Cruise Control.")] = {}
    image: Annotated[str | None, About("Image of the container.")] = None
    jvm_options: Annotated[JvmOptions | None, About("How the JVM is started.")] = None
    liveness_probe: Annotated[Probe | None, About("Timing of the liveness check.")] = None
    logging: Annotated[Logging | None, About("Log levels.")] = None
    metrics_config: Annotated[MetricsConfig | None, About("Metrics for Prometheus.")] = None
    readiness_probe: Annotated[Probe | None, About("Timing of the readiness check.")] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    template: Annotated[CruiseControlTemplate | None, About("Additions to the objects.")] = None
    tls_sidecar: Annotated[
        TlsSidecar | None, About("Has no effect any more.", only="v1beta2", deprecated=NO_SIDECAR)
    ] = None
