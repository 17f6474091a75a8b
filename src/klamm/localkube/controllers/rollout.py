"""How far a Deployment's roll-out may go now: numbers in, numbers out; pure.

Source: Kubernetes docs, "Deployments: Rolling Update Deployment". At most replicas + maxSurge pods exist, at least
replicas - maxUnavailable are available. Percentages are of replicas: maxSurge rounds up, maxUnavailable down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any


@dataclass(frozen=True, slots=True)
class Size:
    """A ReplicaSet in numbers."""

    name: str
    wanted: int
    available: int


@dataclass(frozen=True, slots=True)
class Limits:
    replicas: int
    surge: int
    unavailable: int

    @property
    def at_most(self) -> int:
        return self.replicas + self.surge

    @property
    def at_least_available(self) -> int:
        return self.replicas - self.unavailable


def limits(spec: Mapping[str, Any]) -> Limits:
    """Read the limits of a Deployment's spec."""
    replicas = spec.get("replicas", 1)
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Limits(replicas, 0, 0)  # its pods all go before new ones come, and that is no availability
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = min(share(rolling.get("maxUnavailable", "25%"), replicas, up=False), replicas)
    if surge == 0 and unavailable == 0:
        unavailable = min(1, replicas)  # both round to nothing: without one of them no pod could ever change
    return Limits(replicas, surge, unavailable)


def share(value: int | str, of: int, *, up: bool) -> int:
    """An IntOrString: a count, or a percentage of `of`."""
    if isinstance(value, int):
        return value
    exact = int(value.removesuffix("%")) * of / 100
    return ceil(exact) if up else floor(exact)


def grow_new(new: Size, old: Sequence[Size], allowed: Limits) -> int:
    """How many replicas the new ReplicaSet shall have now."""
    if new.wanted >= allowed.replicas:
        return allowed.replicas
    room = allowed.at_most - new.wanted - sum(o.wanted for o in old)
    return min(new.wanted + max(0, room), allowed.replicas)


def shrink_old(new: Size, old: Sequence[Size], allowed: Limits) -> Mapping[str, int]:
    """How many replicas each old ReplicaSet (oldest first) shall have now; only those that change."""
    total = new.wanted + sum(o.wanted for o in old)
    may_go = total - allowed.at_least_available - max(0, new.wanted - new.available)
    sizes = {o.name: o.wanted for o in old}
    for each in old:  # pods that serve nobody go first
        step = max(0, min(each.wanted - each.available, may_go))
        sizes[each.name] -= step
        may_go -= step
    spare = new.available + sum(o.available for o in old) - allowed.at_least_available
    for each in old:
        step = max(0, min(sizes[each.name], spare))
        sizes[each.name] -= step
        spare -= step
    return {o.name: sizes[o.name] for o in old if sizes[o.name] != o.wanted}


def scale_in_proportion(sizes: Sequence[Size], from_most: int, to_most: int) -> Mapping[str, int]:
    """Spread a change of the allowed total over ReplicaSets in the middle of a roll-out, by their sizes.

    Largest first; rounding differences go to the first (Kubernetes docs, "Proportional scaling").
    """
    total = sum(s.wanted for s in sizes)
    rest = to_most - total
    if total == 0 or rest == 0 or from_most == 0:
        return {}
    found: dict[str, int] = {}
    ordered = sorted(sizes, key=lambda s: (-s.wanted, s.name))
    for each in ordered:
        step = round(each.wanted * to_most / from_most) - each.wanted
        step = max(min(step, max(rest, 0)), min(rest, 0), -each.wanted)
        found[each.name] = each.wanted + step
        rest -= step
    first = ordered[0].name
    found[first] = max(0, found[first] + rest)
    return found
