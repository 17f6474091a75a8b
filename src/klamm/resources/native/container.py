"""A container: image, command, environment, ports, mounts, probes, resources."""

import msgspec

from klamm.resources.native.metadata import ConfigMapKeySelector, SecretKeySelector
from klamm.resources.native.security import SecurityContext
from klamm.resources.structure import Block, Quantity


class ObjectFieldSelector(Block):
    api_version: str | None = None
    field_path: str | None = None


class ResourceFieldSelector(Block):
    container_name: str | None = None
    divisor: Quantity | None = None
    resource: str | None = None


class EnvVarSource(Block):
    config_map_key_ref: ConfigMapKeySelector | None = None
    field_ref: ObjectFieldSelector | None = None
    resource_field_ref: ResourceFieldSelector | None = None
    secret_key_ref: SecretKeySelector | None = None


class EnvVar(Block):
    name: str | None = None
    value: str | None = None
    value_from: EnvVarSource | None = None


class EnvFromReference(Block):
    name: str | None = None
    optional: bool | None = None


class EnvFromSource(Block):
    prefix: str | None = None
    config_map_ref: EnvFromReference | None = None
    secret_ref: EnvFromReference | None = None


class ContainerPort(Block):
    name: str | None = None
    container_port: int = 0
    host_port: int | None = None
    host_ip: str | None = msgspec.field(name="hostIP", default=None)
    protocol: str | None = None


class VolumeMount(Block):
    mount_path: str | None = None
    mount_propagation: str | None = None
    name: str | None = None
    read_only: bool | None = None
    recursive_read_only: str | None = None
    sub_path: str | None = None
    sub_path_expr: str | None = None


class ResourceClaim(Block):
    name: str | None = None
    request: str | None = None


class ResourceRequirements(Block):
    """`limits` and `requests`: resource name → quantity."""

    claims: list[ResourceClaim] = []
    limits: dict[str, Quantity] = {}
    requests: dict[str, Quantity] = {}


class ExecAction(Block):
    command: list[str] = []


class HttpHeader(Block):
    name: str = ""
    value: str = ""


class HttpGetAction(Block):
    host: str | None = None
    http_headers: list[HttpHeader] = []
    path: str | None = None
    port: int | str | None = None
    scheme: str | None = None


class TcpSocketAction(Block):
    host: str | None = None
    port: int | str | None = None


class GrpcAction(Block):
    port: int | None = None
    service: str | None = None


class SleepAction(Block):
    seconds: int = 0


class Probe(Block):
    exec: ExecAction | None = None
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    grpc: GrpcAction | None = None
    initial_delay_seconds: int | None = None
    timeout_seconds: int | None = None
    period_seconds: int | None = None
    success_threshold: int | None = None
    failure_threshold: int | None = None
    termination_grace_period_seconds: int | None = None


class LifecycleHandler(Block):
    exec: ExecAction | None = None
    http_get: HttpGetAction | None = None
    sleep: SleepAction | None = None
    tcp_socket: TcpSocketAction | None = None


class Lifecycle(Block):
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None


class Container(Block):
    """One container, of `containers` or `initContainers`."""

    name: str = ""
    image: str | None = None
    image_pull_policy: str | None = None
    command: list[str] = []
    args: list[str] = []
    working_dir: str | None = None
    env: list[EnvVar] = []
    env_from: list[EnvFromSource] = []
    ports: list[ContainerPort] = []
    volume_mounts: list[VolumeMount] = []
    resources: ResourceRequirements | None = None
    startup_probe: Probe | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    restart_policy: str | None = None
    security_context: SecurityContext | None = None
    termination_message_path: str | None = None
    termination_message_policy: str | None = None
    stdin: bool | None = None
    tty: bool | None = None
