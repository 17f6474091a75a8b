"""A case is a list of requests, written down in cases/*.yaml:

    - name: a stale resourceVersion is a conflict
      steps:
        - POST {maps}: {metadata: {name: a}}
        - PUT {maps}/a: {metadata: {name: a, resourceVersion: "1"}, data: {k: v}}

A step's key is method and path, its value the body: a mapping, a list, a text, or nothing. Beside it may stand `type`
and `accept` (media types) and, for a watch, `events` (how many are read). {ns} is the case's own namespace; {maps},
{pods}, … are collections in it, {group} is an API group for its own definitions (`Case.filled`); {version} is the
resourceVersion of the last answer. `WAIT path` waits until that path is served, and is not part of the transcript.

A case that is known to be answered otherwise says why in `differs`, and fails when it no longer is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

JSON, MERGE = "application/json", "application/merge-patch+json"
_BESIDE = frozenset({"type", "accept", "events"})
_CORE = ("configmaps", "pods", "secrets", "services", "serviceaccounts", "persistentvolumeclaims")
_WORDS = {"configmaps": "maps", "serviceaccounts": "accounts", "persistentvolumeclaims": "claims"}


@dataclass(frozen=True)
class Step:
    method: str
    path: str
    body: Any = None
    type: str = JSON
    accept: str = JSON
    events: int = 0


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    number: int
    steps: tuple[Step, ...]
    differs: str = ""

    @property
    def namespace(self) -> str:
        return f"{self.file}-{self.number}"

    def filled(self, text: str, version: str) -> str:
        """With the meaning of each word in braces."""
        at = f"namespaces/{self.namespace}"
        places = {_WORDS.get(plural, plural): f"/api/v1/{at}/{plural}" for plural in _CORE}
        places |= {"deployments": f"/apis/apps/v1/{at}/deployments", "ns": self.namespace, "version": version}
        places["group"] = f"{self.namespace}.example.com"
        for word, meaning in places.items():
            text = text.replace(f"{{{word}}}", meaning)
        return text


def read_cases(folder: Path) -> list[Case]:
    return [
        Case(case["name"], path.stem, number, tuple(map(_step, case["steps"])), case.get("differs", ""))
        for path in sorted(folder.glob("*.yaml"))
        for number, case in enumerate(yaml.safe_load(path.read_text()))
    ]


def _step(written: Mapping[str, Any]) -> Step:
    (asked,) = (key for key in written if key not in _BESIDE)
    method, path = asked.split(" ", 1)
    beside = {key: written[key] for key in _BESIDE & written.keys()}
    return Step(method, path, written[asked], **{"type": MERGE if method == "PATCH" else JSON, **beside})
