"""What users add to the objects that an operator makes: labels, annotations, scheduling, environment, volumes."""

from typing import Annotated

from klamm.resources.custom.storage import SIZE
from klamm.resources.native.container import VolumeMount
from klamm.resources.native.metadata import ConfigMapKeySelector, LocalObjectReference, SecretKeySelector
from klamm.resources.native.pod import HostAlias, PodDnsConfig
from klamm.resources.native.scheduling import Affinity, Toleration, TopologySpreadConstraint
from klamm.resources.native.security import PodSecurityContext, SecurityContext
from klamm.resources.native.volumes import (
    ConfigMapVolumeSource,
    CsiVolumeSource,
    ImageVolumeSource,
    PersistentVolumeClaimVolumeSource,
    SecretVolumeSource,
)
from klamm.resources.structure import About, Block, Deprecated, Texts


class MetadataTemplate(Block):
    """Labels and annotations that are added."""

    annotations: Annotated[Texts, About("Added annotations.")] = {}
    labels: Annotated[Texts, About("Added labels.")] = {}


class ResourceTemplate(Block):
    """An object of which only the metadata can be added to."""

    metadata: Annotated[MetadataTemplate | None, About("Labels and annotations.")] = None


class PodSetTemplate(ResourceTemplate):
    """A StrimziPodSet."""


class StatefulSetTemplate(ResourceTemplate):
    """A StatefulSet; none is made any more."""

    pod_management_policy: Annotated[
        str | None, About("Has no effect any more.", choices=("OrderedReady", "Parallel"))
    ] = None


class DeploymentTemplate(ResourceTemplate):
    """A Deployment."""

    deployment_strategy: Annotated[
        str | None,
        About("How pods are replaced; RollingUpdate by default.", choices=("RollingUpdate", "Recreate")),
    ] = None


class PodDisruptionBudgetTemplate(ResourceTemplate):
    """A PodDisruptionBudget."""

    max_unavailable: Annotated[int | None, About("Pods that may be evicted at a time; 1 by default.", minimum=0)] = None


class InternalServiceTemplate(ResourceTemplate):
    """A Service inside the cluster."""

    ip_families: Annotated[list[str], About("IP families of the Service, in order.", choices=("IPv4", "IPv6"))] = []
    ip_family_policy: Annotated[
        str | None,
        About(
            "Whether one or both IP families are used.",
            choices=("SingleStack", "PreferDualStack", "RequireDualStack"),
        ),
    ] = None


class EmptyDirVolume(Block):
    """A folder that lives as long as its pod."""

    medium: Annotated[str | None, About(choices=("Memory",))] = None
    size_limit: Annotated[str | None, About(form=SIZE)] = None


class AdditionalVolume(Block):
    """A volume that is added to a pod: a name and one source."""

    name: Annotated[str | None, About("Name by which containers mount the volume.")] = None
    config_map: Annotated[ConfigMapVolumeSource | None, About("Files from a ConfigMap.")] = None
    csi: Annotated[CsiVolumeSource | None, About("Volume of a CSI driver.")] = None
    empty_dir: Annotated[EmptyDirVolume | None, About("Empty folder.")] = None
    image: Annotated[ImageVolumeSource | None, About("Content of an image.")] = None
    persistent_volume_claim: Annotated[PersistentVolumeClaimVolumeSource | None, About("An existing claim.")] = None
    secret: Annotated[SecretVolumeSource | None, About("Files from a Secret.")] = None


class TemplatedVolume(Block):
    """A volume whose source's name is filled in for each pod."""

    name: Annotated[str | None, About("Name by which containers mount the volume.")] = None
    config_map: Annotated[ConfigMapVolumeSource | None, About("Files from a ConfigMap.")] = None
    persistent_volume_claim: Annotated[PersistentVolumeClaimVolumeSource | None, About("An existing claim.")] = None
    secret: Annotated[SecretVolumeSource | None, About("Files from a Secret.")] = None


class PodTemplate(ResourceTemplate):
    """A pod."""

    affinity: Annotated[Affinity | None, About("Where pods may run.")] = None
    dns_config: Annotated[PodDnsConfig | None, About("DNS settings of the pod.", only="v1")] = None
    dns_policy: Annotated[
        str | None,
        About(
            "DNS policy of the pod.",
            only="v1",
            choices=("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        ),
    ] = None
    enable_service_links: Annotated[bool | None, About("Whether Services appear in the environment.")] = None
    host_aliases: Annotated[list[HostAlias], About("Lines that are added to /etc/hosts.")] = []
    host_users: Annotated[
        bool | None, About("Run in the host's user namespace (default) or in one of its own.", only="v1")
    ] = None
    image_pull_secrets: Annotated[list[LocalObjectReference], About("Secrets with the registry's credentials.")] = []
    priority_class_name: Annotated[str | None, About("PriorityClass of the pod.")] = None
    scheduler_name: Annotated[str | None, About("Scheduler that places the pod.")] = None
    security_context: Annotated[PodSecurityContext | None, About("User, groups and rights of the pod.")] = None
    templated_volumes: Annotated[
        list[TemplatedVolume], About("Added volumes that differ from pod to pod.", only="v1")
    ] = []
    termination_grace_period_seconds: Annotated[
        int | None, About("Seconds to stop in peace before being killed; 30 by default.", minimum=0)
    ] = None
    tmp_dir_size_limit: Annotated[str | None, About("Size of /tmp; 5Mi by default.", form=SIZE)] = None
    tolerations: Annotated[list[Toleration], About("Taints that the pod accepts.")] = []
    topology_spread_constraints: Annotated[list[TopologySpreadConstraint], About("How pods are spread.")] = []
    volumes: Annotated[list[AdditionalVolume], About("Volumes that are added to the pod.", only="v1")] = []


class EnvVarSource(Block):
    """Where an environment variable gets its value."""

    config_map_key_ref: Annotated[ConfigMapKeySelector | None, About("Entry of a ConfigMap.")] = None
    secret_key_ref: Annotated[SecretKeySelector | None, About("Entry of a Secret.")] = None


class EnvVar(Block):
    """An environment variable."""

    name: Annotated[str | None, About("Name of the variable.")] = None
    value: Annotated[str | None, About("Its value.")] = None
    value_from: Annotated[EnvVarSource | None, About("Where its value stands.", only="v1")] = None


class ContainerTemplate(Block):
    """A container."""

    env: Annotated[list[EnvVar], About("Added environment variables.")] = []
    security_context: Annotated[SecurityContext | None, About("User and rights of the container.")] = None
    volume_mounts: Annotated[list[VolumeMount], About("Where added volumes are mounted.", only="v1")] = []


NO_STATEFUL_SET = Deprecated(mend="remove it; pods are made by StrimziPodSets (see podSet)")
NO_SIDECAR = Deprecated(mend="remove it; the sidecar is not started any more")
