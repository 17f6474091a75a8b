"""What a user adds through `template.*`, laid over the objects that klamm makes.

Labels and annotations are added, never replaced: selectors and the operator's own bookkeeping depend on ours.
"""

from collections.abc import Mapping, Sequence

from klamm.desired.labels import DOMAIN, Component
from klamm.desired.surroundings import Surroundings
from klamm.desired.volumes import additional_mounts, memory_volume
from klamm.resources.custom.template import (
    AdditionalVolume,
    ContainerTemplate,
    PodTemplate,
    ResourceTemplate,
)
from klamm.resources.native.container import (
    Container,
    EnvVar,
    EnvVarSource,
)
from klamm.resources.native.metadata import LocalObjectReference, ObjectMeta, OwnerReference
from klamm.resources.native.pod import PodSpec
from klamm.resources.native.security import PodSecurityContext
from klamm.resources.native.volumes import EmptyDirVolumeSource, Volume

TMP_VOLUME = "strimzi-tmp"
_TMP_SIZE = "5Mi"


def metadata(
    component: Component,
    name: str,
    namespace: str,
    owner: OwnerReference | None,
    template: ResourceTemplate | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> ObjectMeta:
    """Metadata of a child: our labels and annotations over those of the template."""
    added = template.metadata if template and template.metadata else None
    return ObjectMeta(
        name=name,
        namespace=namespace,
        labels=component.labels({**users(added.labels if added else {}), **(labels or {})}),
        annotations={**(added.annotations if added else {}), **(annotations or {})},
        owner_references=[owner] if owner else [],
    )


def users(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels of a template without those that only klamm may set."""
    return {key: value for key, value in labels.items() if not key.startswith(DOMAIN)}


def pod_spec(
    template: PodTemplate | None,
    surroundings: Surroundings,
    *,
    containers: Sequence[Container],
    volumes: Sequence[Volume],
    init_containers: Sequence[Container] = (),
    service_account: str,
    owns_claims: bool = False,
) -> PodSpec:
    """The pod around its containers, as the template wants it.

    `owns_claims`: a fresh volume belongs to root; group 0 may write to it, so the pod joins that group (Strimzi's
    baseline security profile).
    """
    template = template or PodTemplate()
    security = template.security_context or (PodSecurityContext(fs_group=0) if owns_claims else None)
    grace = template.termination_grace_period_seconds
    return PodSpec(
        affinity=template.affinity,
        containers=list(containers),
        dns_config=template.dns_config,
        dns_policy=template.dns_policy,
        enable_service_links=template.enable_service_links,
        host_aliases=list(template.host_aliases),
        host_users=template.host_users,
        image_pull_secrets=_pull_secrets(template, surroundings),
        init_containers=list(init_containers),
        priority_class_name=template.priority_class_name,
        restart_policy="Always",
        scheduler_name=template.scheduler_name or "default-scheduler",
        security_context=security,
        service_account_name=service_account,
        termination_grace_period_seconds=30 if grace is None else grace,
        tolerations=list(template.tolerations),
        topology_spread_constraints=list(template.topology_spread_constraints),
        volumes=[*volumes, *(_added_volume(volume) for volume in template.volumes)],
    )


def tmp_volume(template: PodTemplate | None) -> Volume:
    """`/tmp` in memory: launch scripts put key stores there, which must not reach a disk."""
    return memory_volume(TMP_VOLUME, (template and template.tmp_dir_size_limit) or _TMP_SIZE)


def customised(container: Container, template: ContainerTemplate | None) -> Container:
    """The container with the template's environment, rights and mounts. Variables that we set win."""
    if template is None:
        return container
    ours = {variable.name for variable in container.env}
    container.env = container.env + [
        EnvVar(
            name=added.name,
            value=added.value,
            value_from=EnvVarSource(
                config_map_key_ref=added.value_from.config_map_key_ref,
                secret_key_ref=added.value_from.secret_key_ref,
            )
            if added.value_from
            else None,
        )
        for added in template.env
        if added.name and added.name not in ours
    ]
    container.volume_mounts = container.volume_mounts + additional_mounts(template.volume_mounts)
    container.security_context = template.security_context or container.security_context
    return container


def _pull_secrets(template: PodTemplate, surroundings: Surroundings) -> list[LocalObjectReference]:
    """The template's secrets, or the operator's for all pods."""
    ours = [LocalObjectReference(name=name) for name in surroundings.image_pull_secrets]
    return list(template.image_pull_secrets) or ours


def _added_volume(added: AdditionalVolume) -> Volume:
    empty = added.empty_dir
    return Volume(
        name=added.name or "",
        config_map=added.config_map,
        csi=added.csi,
        empty_dir=EmptyDirVolumeSource(medium=empty.medium, size_limit=empty.size_limit) if empty else None,
        image=added.image,
        persistent_volume_claim=added.persistent_volume_claim,
        secret=added.secret,
    )
