"""Random writes by three managers: create, replace, all four patches, deletion; both servers say the same to each.

400 seeds are 10 000 writes; `CONFORMANCE_SEEDS` says how many. Those that once showed a difference are kept in `KEPT`.
"""

import os
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from tests.conformance.case import Case, Step
from tests.conformance.conftest import Sessions
from tests.conformance.transcripts import Transcript, differences

from klamm.base.together import side_by_side

KEPT: tuple[int, ...] = (48, 127, 262)
SEEDS = int(os.environ.get("CONFORMANCE_SEEDS", "400"))  # noqa: TID251 (a test's own)
WRITES = 25
APPLY, STRATEGIC = "application/apply-patch+yaml", "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Writes:
    """What three managers may want of one ConfigMap and one Deployment."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def steps(self) -> tuple[Step, ...]:
        return tuple(self._step() for _ in range(WRITES))

    def _step(self) -> Step:
        random = self._random
        place, content = random.choice((("{maps}", self._map), ("{deployments}", self._deployment)))
        manager = f"fieldManager={random.choice(('one', 'two', 'three'))}"
        wanted = content()
        match random.randrange(10):
            case 0:
                return Step("POST", f"{place}?{manager}", wanted)
            case 1:
                return Step("PUT", f"{place}/a?{manager}", wanted)
            case 2 | 3:
                return Step("PATCH", f"{place}/a?{manager}", _without_type(wanted), "application/merge-patch+json")
            case 4:
                return Step("PATCH", f"{place}/a?{manager}", _without_type(wanted), STRATEGIC)
            case 5:
                return Step("PATCH", f"{place}/a?{manager}", [self._operation()], JSON_PATCH)
            case 6 if random.random() < 0.3:
                return Step("DELETE", f"{place}/a")
        force = "&force=true" if random.random() < 0.5 else ""
        return Step("PATCH", f"{place}/a?{manager}{force}", wanted, APPLY)

    def _map(self) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": self._metadata(), "data": self._some("klmn")}

    def _deployment(self) -> dict[str, Any]:
        random = self._random
        names = random.sample(("c", "d", "e"), random.randint(1, 3))
        spec: dict[str, Any] = {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {
                "metadata": {"labels": {"app": "x", **self._some("pq")}},
                "spec": {"containers": [self._container(name) for name in names]},
            },
        }
        if random.random() < 0.3:
            spec["replicas"] = random.randint(0, 3)
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": self._metadata(), "spec": spec}

    def _container(self, name: str) -> dict[str, Any]:
        random = self._random
        made: dict[str, Any] = {"name": name, "image": f"i:{random.randint(1, 3)}"}
        if random.random() < 0.5:
            names = random.sample(("A", "B", "C"), random.randint(1, 2))
            made["env"] = [{"name": one, "value": str(random.randint(0, 2))} for one in names]
        if random.random() < 0.3:
            made["args"] = [random.choice("xyz") for _ in range(random.randint(0, 2))]
        if random.random() < 0.1:
            made[random.choice(("env", "ports", "command"))] = random.choice(([], None))
        if random.random() < 0.1:
            made["resources"] = {}
        return made

    def _metadata(self) -> dict[str, Any]:
        made: dict[str, Any] = {"name": "a"}
        for part in ("labels", "annotations"):
            if self._random.random() < 0.5:
                made[part] = self._some("rs")
        return made

    def _operation(self) -> dict[str, Any]:
        path = self._random.choice(
            ("/metadata/labels", "/metadata/annotations", "/metadata/labels/r", "/data/k", "/data")
        )
        kind = self._random.choice(("add", "replace", "remove"))
        value: Any = "v" if path.count("/") > 2 or path == "/data/k" else self._some("rs")
        return {"op": kind, "path": path} | ({} if kind == "remove" else {"value": value})

    def _some(self, keys: str) -> dict[str, str]:
        if self._random.random() < 0.1:
            return {}
        chosen = self._random.sample(keys, self._random.randint(1, len(keys)))
        return {key: str(self._random.randint(0, 2)) for key in chosen}


def _without_type(wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if name not in ("apiVersion", "kind")}


@pytest.mark.parametrize("seed", sorted({*range(SEEDS), *KEPT}))
async def test_both_servers_say_the_same_to_random_writes(seed: int, localkube: Sessions, kubernetes: Sessions) -> None:
    case = Case(f"seed {seed}", "random", seed, Writes(seed).steps())
    ours, theirs = await side_by_side(*(Transcript(*one, case).play() for one in (localkube, kubernetes)))
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        found = differences(_without_warnings_of_what_is_gone(one), _without_warnings_of_what_is_gone(other))
        assert not found, f"write {number} of {WRITES}: {case.steps[number]}\n" + "\n".join(found)


def _without_warnings_of_what_is_gone(told: Mapping[str, Any]) -> dict[str, Any]:
    """kube-apiserver may first patch what its cache still has of a deleted object, and keeps that try's warnings."""
    return {asked: answer | {"warnings": []} if answer["code"] == 404 else answer for asked, answer in told.items()}
