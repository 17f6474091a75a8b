"""Where pods may run and who may reach them: selectors, tolerations, affinities, peers.

The schema knows their fields, Kubernetes looks at their values only when the objects are written, in the middle of a
pass. So they are looked at here, and told with their place.
"""

from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

from klamm.planning.kafka_rules.additions import blocks_below, key_problems, label_problems
from klamm.resources.custom.kafka import Kafka
from klamm.resources.native.metadata import LabelSelector, LabelSelectorRequirement
from klamm.resources.native.network import IPBlock, NetworkPolicyPeer
from klamm.resources.native.scheduling import (
    PodAffinityTerm,
    Toleration,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from klamm.resources.reading import Problem

_SETS = ("In", "NotIn")
_EXISTENCE = ("Exists", "DoesNotExist")


def placement_problems(kafka: Kafka) -> list[Problem]:
    found: list[Problem] = []
    for path, block in blocks_below(kafka.spec, "spec"):
        check = _CHECKS.get(type(block))
        if check is not None:
            found += check(path, block)
    return found


def _one_of(path: str, value: str | None, allowed: tuple[str, ...]) -> Iterator[Problem]:
    if value not in allowed:
        yield Problem(path, value, "is none of those that there are", f"write one of {', '.join(allowed)}")


def _selector(path: str, selector: LabelSelector) -> Iterator[Problem]:
    yield from label_problems(f"{path}.matchLabels", selector.match_labels)


def _requirement(path: str, one: LabelSelectorRequirement) -> Iterator[Problem]:
    yield from _one_of(f"{path}.operator", one.operator, (*_SETS, *_EXISTENCE))
    yield from key_problems(f"{path}.key", one.key or "")
    if one.operator in _SETS and not one.values:
        yield Problem(f"{path}.values", None, "is missing", f"{one.operator} needs at least one value")
    if one.operator in _EXISTENCE and one.values:
        yield Problem(
            f"{path}.values", one.values[0], "has no meaning", f"{one.operator} takes no values; leave them out"
        )


def _term(path: str, term: PodAffinityTerm) -> Iterator[Problem]:
    yield from key_problems(f"{path}.topologyKey", term.topology_key or "")


def _weighted(path: str, one: WeightedPodAffinityTerm) -> Iterator[Problem]:
    if one.weight is None or not 1 <= one.weight <= 100:
        yield Problem(f"{path}.weight", one.weight, "is not between 1 and 100", "write a number from 1 to 100")
    if one.pod_affinity_term is None:
        yield Problem(f"{path}.podAffinityTerm", None, "is missing", "write a topologyKey and a labelSelector")


def _spread(path: str, one: TopologySpreadConstraint) -> Iterator[Problem]:
    if one.max_skew is None or one.max_skew < 1:
        yield Problem(f"{path}.maxSkew", one.max_skew, "is not at least 1", "write by how many pods zones may differ")
    yield from key_problems(f"{path}.topologyKey", one.topology_key or "")
    yield from _one_of(f"{path}.whenUnsatisfiable", one.when_unsatisfiable, ("DoNotSchedule", "ScheduleAnyway"))


def _toleration(path: str, one: Toleration) -> Iterator[Problem]:
    if one.key:
        yield from key_problems(f"{path}.key", one.key)
    elif one.operator != "Exists":
        yield Problem(f"{path}.operator", one.operator, "needs a key", "write a key, or Exists for every taint")
    if one.operator:
        yield from _one_of(f"{path}.operator", one.operator, ("Equal", "Exists"))
    if one.operator == "Exists" and one.value:
        yield Problem(f"{path}.value", one.value, "has no meaning with Exists", "leave it out")
    if one.effect:
        yield from _one_of(f"{path}.effect", one.effect, ("NoSchedule", "PreferNoSchedule", "NoExecute"))
    if one.toleration_seconds is not None and one.effect != "NoExecute":
        rule = "has a meaning for the effect NoExecute only"
        yield Problem(f"{path}.tolerationSeconds", one.toleration_seconds, rule, "leave it out, or write that effect")


def _peer(path: str, peer: NetworkPolicyPeer) -> Iterator[Problem]:
    selectors = (peer.pod_selector, peer.namespace_selector)
    if peer.ip_block is None and selectors == (None, None):
        yield Problem(path, None, "names nobody", "write podSelector, namespaceSelector or ipBlock")
    elif peer.ip_block is not None and selectors != (None, None):
        yield Problem(f"{path}.ipBlock", peer.ip_block.cidr, "stands beside a selector", "give it a peer of its own")


def _block(path: str, block: IPBlock) -> Iterator[Problem]:
    for place, text in (("cidr", block.cidr), *((f"except[{n}]", one) for n, one in enumerate(block.except_))):
        try:
            ip_network(text or "", strict=False)
        except ValueError:
            yield Problem(f"{path}.{place}", text, "is no range of addresses", "write it like 10.0.0.0/8")


_CHECKS: dict[type, Callable[[str, Any], Iterator[Problem]]] = {
    IPBlock: _block,
    LabelSelector: _selector,
    LabelSelectorRequirement: _requirement,
    NetworkPolicyPeer: _peer,
    PodAffinityTerm: _term,
    Toleration: _toleration,
    TopologySpreadConstraint: _spread,
    WeightedPodAffinityTerm: _weighted,
}
