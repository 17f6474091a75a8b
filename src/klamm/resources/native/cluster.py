"""The cluster itself: nodes, namespaces, events, leases."""

import msgspec

from klamm.resources.native.metadata import Condition, ObjectMeta, ObjectReference
from klamm.resources.structure import Block, Quantity, always


class NodeAddress(Block):
    address: str = ""
    type: str = ""


class Taint(Block):
    effect: str = ""
    key: str = ""
    time_added: str | None = None
    value: str | None = None


class NodeSpec(Block):
    pod_cidr: str | None = msgspec.field(name="podCIDR", default=None)
    provider_id: str | None = msgspec.field(name="providerID", default=None)
    taints: list[Taint] = []
    unschedulable: bool | None = None


class NodeStatus(Block):
    addresses: list[NodeAddress] = []
    allocatable: dict[str, Quantity] = {}
    capacity: dict[str, Quantity] = {}
    conditions: list[Condition] = []


class Node(Block):
    api_version: str = always("v1")
    kind: str = always("Node")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: NodeSpec = msgspec.field(default_factory=NodeSpec)
    status: NodeStatus = msgspec.field(default_factory=NodeStatus)


class NamespaceStatus(Block):
    phase: str | None = None


class Namespace(Block):
    api_version: str = always("v1")
    kind: str = always("Namespace")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: NamespaceStatus | None = None


class EventSource(Block):
    component: str | None = None
    host: str | None = None


class Event(Block):
    """An event of the core group, as `kubectl get events` lists it."""

    api_version: str = always("v1")
    kind: str = always("Event")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    action: str | None = None
    count: int | None = None
    event_time: str | None = None
    first_timestamp: str | None = None
    involved_object: ObjectReference = msgspec.field(default_factory=ObjectReference)
    last_timestamp: str | None = None
    message: str | None = None
    reason: str | None = None
    related: ObjectReference | None = None
    reporting_component: str | None = None
    reporting_instance: str | None = None
    source: EventSource | None = None
    type: str | None = None


class LeaseSpec(Block):
    acquire_time: str | None = None
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None
    renew_time: str | None = None


class Lease(Block):
    api_version: str = always("coordination.k8s.io/v1")
    kind: str = always("Lease")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: LeaseSpec = msgspec.field(default_factory=LeaseSpec)
