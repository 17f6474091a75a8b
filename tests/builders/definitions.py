"""Our custom kinds as an API server keeps them. A server takes them in once; each test's store begins with a copy.

Kafka's definition alone costs a server some 100 ms: what is tested is what comes after that, some hundred times. That
definitions are taken in as they are is the affair of tests/unit/localkube and of tests/unit/resources/test_crds.py.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import yaml
from tests.builders.virtual_time import START

from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import CUSTOM_RESOURCE_DEFINITIONS

_CRDS = Path(__file__).parents[2] / "install" / "crds"


class Standing:
    """A clock that never moves."""

    def now(self) -> Any:
        return START

    def monotonic(self) -> float:
        return 0.0


def store_with(definitions: Iterable[str], path: Path | str = ":memory:") -> Storage:
    """An API's store in which these kinds are defined, e.g. "kafkas.kafka"."""
    storage = Storage(path)
    for name in definitions:
        key, body = _kept(name)
        kept = msgspec.json.decode(body)
        storage.put(key, "", kept["metadata"]["name"], kept)
    return storage


@cache
def crd(name: str) -> Any:
    """As people apply it; never to be changed."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((_CRDS / f"{name}.strimzi.io.yaml").read_text(), Loader=loader)


@cache
def _kept(name: str) -> tuple[str, bytes]:
    registry = Registry(Storage(":memory:"), Standing(), Random(1), lambda: f"uid-of-{name}")
    kind = registry.kind_of(CUSTOM_RESOURCE_DEFINITIONS)
    registry.create(kind, None, crd(name), WriteOptions("test"))
    return kind.storage_key, registry.stored(kind, None, crd(name)["metadata"]["name"]).body
