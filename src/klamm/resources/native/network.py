"""NetworkPolicies and Ingresses."""

import msgspec

from klamm.resources.native.metadata import LabelSelector, ObjectMeta
from klamm.resources.native.service import LoadBalancerStatus
from klamm.resources.structure import Block, FreeForm, always


class IPBlock(Block):
    cidr: str | None = None
    except_: list[str] = msgspec.field(name="except", default_factory=list)


class NetworkPolicyPeer(Block):
    ip_block: IPBlock | None = None
    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None


class NetworkPolicyPort(Block):
    end_port: int | None = None
    port: int | str | None = None
    protocol: str | None = None


class NetworkPolicyIngressRule(Block):
    from_: list[NetworkPolicyPeer] = msgspec.field(name="from", default_factory=list)
    ports: list[NetworkPolicyPort] = []


class NetworkPolicyEgressRule(Block):
    ports: list[NetworkPolicyPort] = []
    to: list[NetworkPolicyPeer] = []


class NetworkPolicySpec(Block):
    egress: list[NetworkPolicyEgressRule] = []
    ingress: list[NetworkPolicyIngressRule] = []
    pod_selector: LabelSelector = msgspec.field(default_factory=LabelSelector)
    policy_types: list[str] = []


class NetworkPolicy(Block):
    api_version: str = always("networking.k8s.io/v1")
    kind: str = always("NetworkPolicy")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: NetworkPolicySpec = msgspec.field(default_factory=NetworkPolicySpec)


class ServiceBackendPort(Block):
    name: str | None = None
    number: int | None = None


class IngressServiceBackend(Block):
    name: str = ""
    port: ServiceBackendPort | None = None


class IngressBackend(Block):
    resource: FreeForm | None = None
    service: IngressServiceBackend | None = None


class HttpIngressPath(Block):
    backend: IngressBackend | None = None
    path: str | None = None
    path_type: str = ""


class HttpIngressRuleValue(Block):
    paths: list[HttpIngressPath] = []


class IngressRule(Block):
    host: str | None = None
    http: HttpIngressRuleValue | None = None


class IngressTls(Block):
    hosts: list[str] = []
    secret_name: str | None = None


class IngressSpec(Block):
    default_backend: IngressBackend | None = None
    ingress_class_name: str | None = None
    rules: list[IngressRule] = []
    tls: list[IngressTls] = []


class IngressStatus(Block):
    load_balancer: LoadBalancerStatus | None = None


class Ingress(Block):
    api_version: str = always("networking.k8s.io/v1")
    kind: str = always("Ingress")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: IngressSpec = msgspec.field(default_factory=IngressSpec)
    status: IngressStatus | None = None
