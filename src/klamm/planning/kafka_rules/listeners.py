"""Rules for `spec.kafka.listeners` beyond what the schema can say."""

import re
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_network
from typing import Any

from klamm.resources.custom.listeners import Listener, ListenerConfiguration
from klamm.resources.reading import Problem

_NAME = re.compile(r"^[a-z0-9]{1,11}$")
_LOWEST_PORT = 9092
_TAKEN = {9404: "metrics", 9999: "JMX"}
_TYPES = ("internal", "nodeport", "loadbalancer", "ingress", "cluster-ip")
_PASSTHROUGH = ("ingress", "route", "tlsroute")

_Getter = Callable[[ListenerConfiguration], Any]
_ONLY_FOR: dict[str, tuple[_Getter, tuple[str, ...]]] = {
    "class": (lambda c: c.class_, ("ingress", "loadbalancer")),
    "preferredNodePortAddressType": (lambda c: c.preferred_node_port_address_type, ("nodeport",)),
    "externalTrafficPolicy": (lambda c: c.external_traffic_policy, ("nodeport", "loadbalancer")),
    "loadBalancerSourceRanges": (lambda c: c.load_balancer_source_ranges, ("loadbalancer",)),
    "finalizers": (lambda c: c.finalizers, ("loadbalancer",)),
    "createBootstrapService": (lambda c: c.create_bootstrap_service, ("loadbalancer",)),
    "useServiceDnsDomain": (lambda c: c.use_service_dns_domain, ("internal", "cluster-ip")),
    "allocateLoadBalancerNodePorts": (lambda c: c.allocate_load_balancer_node_ports, ("loadbalancer",)),
    "hostTemplate": (lambda c: c.host_template, _PASSTHROUGH),
    "parentRefs": (lambda c: c.parent_refs, ("tlsroute",)),
}
"""Fields of `configuration` that only some types have a use for: a wrong one would silently do nothing."""


def listener_problems(listeners: Sequence[Listener], replicas: int) -> list[Problem]:
    """Everything that is wrong with the listeners, in their order."""
    path = "spec.kafka.listeners"
    if not listeners:
        return [Problem(path, None, "is empty", "add a listener, e.g. {name: plain, port: 9092, type: internal}")]
    found: list[Problem] = []
    for index, listener in enumerate(listeners):
        place = f"{path}[{index}]"
        found += _name_and_port(place, listener)
        found += _type_and_security(place, listener)
        found += _configuration(place, listener, replicas)
    found += _doubled(path, "name", [listener.name for listener in listeners])
    found += _doubled(path, "port", [listener.port for listener in listeners])
    return found + _node_ports(path, listeners)


def _name_and_port(place: str, listener: Listener) -> Iterator[Problem]:
    if listener.name is None or not _NAME.match(listener.name):
        yield Problem(
            f"{place}.name", listener.name, "is no listener's name", "use 1 to 11 lower-case letters and digits"
        )
    if listener.port is None or not _LOWEST_PORT <= listener.port <= 65535:
        yield Problem(f"{place}.port", listener.port, "is no listener's port", "choose a port from 9092 to 65535")
    elif listener.port in _TAKEN:
        rule = f"is taken by {_TAKEN[listener.port]}"
        yield Problem(f"{place}.port", listener.port, rule, "choose another port from 9092")
    if listener.tls is None:
        yield Problem(f"{place}.tls", None, "is missing", "write tls: true or tls: false")


def _type_and_security(place: str, listener: Listener) -> Iterator[Problem]:
    kind = f"{place}.type"
    if listener.type == "route":
        yield Problem(kind, "route", "needs OpenShift's Routes, which klamm does not write", "use ingress or nodeport")
    elif listener.type == "tlsroute":
        yield Problem(kind, "tlsroute", "needs the Gateway API, which klamm does not write", "use ingress or nodeport")
    elif listener.type not in _TYPES:
        yield Problem(kind, listener.type, "is no type of listener", f"choose one of {', '.join(_TYPES)}")
    if listener.type in _PASSTHROUGH and not listener.tls:
        yield Problem(f"{place}.tls", listener.tls, f"cannot be with type {listener.type}", "set tls: true")
    authentication = listener.authentication
    if authentication is None:
        return
    path = f"{place}.authentication.type"
    if authentication.type == "tls" and not listener.tls:
        yield Problem(path, "tls", "needs an encrypted listener", "set tls: true on this listener")
    elif authentication.type == "oauth":
        mend = "use type: custom with the handlers' classes in listenerConfig, and an image that holds them"
        yield Problem(path, "oauth", "needs a library that klamm's Kafka images do not hold", mend)
    elif authentication.type not in ("tls", "scram-sha-512", "custom"):
        yield Problem(path, authentication.type, "is no authentication", "choose tls, scram-sha-512 or custom")


def _configuration(place: str, listener: Listener, replicas: int) -> Iterator[Problem]:
    configuration = listener.configuration or ListenerConfiguration()
    path = f"{place}.configuration"
    for name, (given, types) in _ONLY_FOR.items():
        value = given(configuration)
        if value not in (None, []) and listener.type not in types:
            rule = f"has no effect on a listener of type {listener.type}"
            yield Problem(f"{path}.{name}", value, rule, f"remove it (it is for {' and '.join(types)})")
    if configuration.broker_cert_chain_and_key is not None and not listener.tls:
        mend = "set tls: true on this listener, or remove it"
        yield Problem(f"{path}.brokerCertChainAndKey", None, "needs an encrypted listener", mend)
    yield from _source_ranges(path, configuration)
    yield from _brokers(path, listener, configuration)
    if listener.type == "ingress":
        yield from _hosts(path, configuration, replicas)


def _source_ranges(path: str, configuration: ListenerConfiguration) -> Iterator[Problem]:
    for index, network in enumerate(configuration.load_balancer_source_ranges):
        try:
            ip_network(network, strict=False)
        except ValueError:
            place = f"{path}.loadBalancerSourceRanges[{index}]"
            yield Problem(place, network, "is no network", "write it like 10.0.0.0/8")


def _brokers(path: str, listener: Listener, configuration: ListenerConfiguration) -> Iterator[Problem]:
    for index, broker in enumerate(configuration.brokers):
        place = f"{path}.brokers[{index}]"
        if broker.broker is None:
            yield Problem(f"{place}.broker", None, "is missing", "write the id of the broker that this is for")
        if broker.advertised_port is not None and not 0 < broker.advertised_port <= 65535:
            yield Problem(f"{place}.advertisedPort", broker.advertised_port, "is no port", "choose one from 1 to 65535")
        if broker.node_port is not None and listener.type not in ("nodeport", "loadbalancer"):
            rule = f"has no effect on a listener of type {listener.type}"
            yield Problem(f"{place}.nodePort", broker.node_port, rule, "remove it, or use type: nodeport")
    yield from _doubled(f"{path}.brokers", "broker", [broker.broker for broker in configuration.brokers])
    bootstrap = configuration.bootstrap
    if bootstrap and bootstrap.node_port is not None and listener.type not in ("nodeport", "loadbalancer"):
        rule = f"has no effect on a listener of type {listener.type}"
        yield Problem(f"{path}.bootstrap.nodePort", bootstrap.node_port, rule, "remove it, or use type: nodeport")


def _hosts(path: str, configuration: ListenerConfiguration, replicas: int) -> Iterator[Problem]:
    """An Ingress tells connections apart by host name, so each broker and the bootstrap need one."""
    if configuration.bootstrap is None or not configuration.bootstrap.host:
        yield Problem(f"{path}.bootstrap.host", None, "is missing", "write the host name that clients start from")
    if configuration.host_template:
        return
    with_host = {broker.broker for broker in configuration.brokers if broker.host}
    for node in range(replicas):
        if node not in with_host:
            mend = f"add {{broker: {node}, host: …}}"
            yield Problem(f"{path}.brokers", None, f"holds no host for broker {node}", mend)


def _node_ports(path: str, listeners: Sequence[Listener]) -> list[Problem]:
    """A node port can be given once in the whole cluster."""
    ports: list[int | None] = []
    for listener in listeners:
        configuration = listener.configuration or ListenerConfiguration()
        ports += [configuration.bootstrap.node_port] if configuration.bootstrap else []
        ports += [broker.node_port for broker in configuration.brokers]
    return _doubled(path, "nodePort", ports)


def _doubled(path: str, field: str, values: Sequence[str | int | None]) -> list[Problem]:
    given = [value for value in values if value is not None]
    twice = sorted({value for value in given if given.count(value) > 1}, key=str)
    return [Problem(f"{path}[].{field}", value, "is given twice", "give each its own") for value in twice]
