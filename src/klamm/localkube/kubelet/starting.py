"""Gathering all that one attempt of a container needs, or saying in Kubernetes' words why it cannot start yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from klamm.localkube.kubelet.containers import container_spec, hostname, user_of
from klamm.localkube.kubelet.downward import UnknownField
from klamm.localkube.kubelet.environment import MissingSource, Surroundings, environment
from klamm.localkube.kubelet.facts import PodKey
from klamm.localkube.kubelet.host_volumes import VolumeBlocked
from klamm.localkube.kubelet.images import unknown_image
from klamm.localkube.kubelet.parts import Parts
from klamm.localkube.kubelet.runtime import ContainerSpec
from klamm.localkube.kubelet.service_links import api_variables, service_variables
from klamm.localkube.kubelet.sources import ObjectSources
from klamm.localkube.kubelet.volumes import PodVolumes
from klamm.localkube.objects import SERVICES, Image, Object, PullFailed

CONFIG_ERROR = "CreateContainerConfigError"


class NoImage(Exception):
    """The table of images has no such name, or what it stands for could not be fetched."""


class NotConfigured(Exception):
    """Something that the container refers to is missing: CreateContainerConfigError."""


@dataclass(frozen=True, slots=True)
class Prepared:
    spec: ContainerSpec
    image_id: str


def prepare(
    parts: Parts,
    pod: Object,
    container: Mapping[str, Any],
    attempt: int,
    image: Image,
    volumes: PodVolumes,
    pod_ip: str,
) -> Prepared:
    """Raises `NotConfigured`."""
    try:
        variables = variables_of(parts, pod, container, image, pod_ip)
        mounts = volumes.mounts(container, variables)
    except (MissingSource, UnknownField, VolumeBlocked, ValueError) as missing:
        raise NotConfigured(str(missing)) from missing
    log_path = parts.log_path(PodKey.of(pod), container["name"], attempt)
    log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    spec = container_spec(pod, container, attempt, image, variables, mounts, str(log_path))
    if not spec.command:
        raise NotConfigured(f'neither the container nor image "{container.get("image")}" names a command')
    return Prepared(spec, image.image_id or f"klamm://{container.get('image', '')}")


async def pull_image(parts: Parts, container: Mapping[str, Any]) -> Image:
    """Raises `NoImage`, whether there is no such image or it cannot be had now: both are tried again."""
    name = container.get("image") or ""
    try:
        image = await parts.images.pull(name)
    except PullFailed as failed:
        raise NoImage(f'failed to pull image "{name}": {failed}') from failed
    if image is None:
        raise NoImage(unknown_image(name, parts.images.known()))
    return image


def variables_of(parts: Parts, pod: Object, container: Mapping[str, Any], image: Image, pod_ip: str) -> dict[str, str]:
    """The container's environment as of now."""
    namespace = pod["metadata"]["namespace"]
    around = Surroundings(
        hostname=hostname(pod),
        pod_ip=pod_ip,
        host_ip=parts.node_of(pod).address,
        capacity=parts.capacity_of(pod),
        services=_services(parts, pod),
    )
    root = user_of(pod, container) in (None, 0)
    return environment(pod, container, image.environment, around, ObjectSources(parts.objects, namespace), root)


def _services(parts: Parts, pod: Object) -> dict[str, str]:
    api = api_variables(parts.settings.api_address, parts.settings.api_port)
    if pod["spec"].get("enableServiceLinks") is False:
        return api
    return service_variables(parts.objects.list(SERVICES, pod["metadata"]["namespace"])) | api
