"""All that handlers share."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from klamm.base.clock import Clock
from klamm.console.audit.trail import Trail
from klamm.console.clusters import Place
from klamm.console.identity.gate import Gate
from klamm.console.kubernetes.watching import Kubernetes
from klamm.console.settings import Settings


@dataclass(frozen=True, slots=True)
class Scene:
    settings: Settings
    places: Mapping[str, Place]
    clock: Clock
    gate: Gate
    trail: Trail
    kubernetes: Kubernetes | None = None
    salt: Callable[[int], bytes] = secrets.token_bytes
    """So many random bytes, for passwords."""
