"""A case is a list of requests, written down in cases/*.yaml:

    - name: a stale resourceVersion is a conflict
      steps:
        - POST {maps}: {metadata: {name: a}}
        - PUT {maps}/a: {metadata: {name: a, resourceVersion: "1"}, data: {k: v}}

A step's key is method and path, its value the body: a mapping, a list, a text, or nothing. Beside it may stand `type`
and `accept` (media types, or the short names of them in `FORMS`), for a watch `events` (how many are read), and
`token`. {ns} is the case's own namespace; {maps}, {pods}, … are collections in it, {group} is an API group for its own
definitions (`Case.filled`); {mebibyte}, {umlauts} and {base64} are 1 MiB in three forms; {version}, {uid}, {continue}
and {token} are those of the last answer that had one.
`WAIT path` waits until that path is served, `GONE path` until it no longer is; neither is part of the transcript.

A case that is known to be answered otherwise says why in `differs`, and fails when it no longer is.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

JSON, MERGE = "application/json", "application/merge-patch+json"
_AS = "application/json;as={};g=meta.k8s.io;v=v1"
FORMS = {
    "apply": "application/apply-patch+yaml",
    "strategic": "application/strategic-merge-patch+json",
    "operations": "application/json-patch+json",
    "table": _AS.format("Table"),
    "metadata": _AS.format("PartialObjectMetadata"),
    "metadata list": _AS.format("PartialObjectMetadataList"),
    "aggregated": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
}
_BESIDE = frozenset({"type", "accept", "events", "token"})
_COLLECTIONS = {
    "api/v1": {
        "configmaps": "maps",
        "endpoints": "endpoints",
        "events": "events",
        "limitranges": "limits",
        "persistentvolumeclaims": "claims",
        "pods": "pods",
        "resourcequotas": "quotas",
        "secrets": "secrets",
        "serviceaccounts": "accounts",
        "services": "services",
    },
    "apis/apps/v1": {each: each for each in ("daemonsets", "deployments", "replicasets", "statefulsets")},
    "apis/batch/v1": {"jobs": "jobs", "cronjobs": "cronjobs"},
    "apis/coordination.k8s.io/v1": {"leases": "leases"},
    "apis/discovery.k8s.io/v1": {"endpointslices": "slices"},
    "apis/networking.k8s.io/v1": {"ingresses": "ingresses", "networkpolicies": "policies"},
    "apis/policy/v1": {"poddisruptionbudgets": "budgets"},
    "apis/rbac.authorization.k8s.io/v1": {"roles": "roles", "rolebindings": "rolebindings"},
}
_MEBIBYTE = 1 << 20
_LONG = {
    "mebibyte": "x" * _MEBIBYTE,
    "umlauts": "ü" * (_MEBIBYTE // 2),
    "base64": b64encode(b"x" * _MEBIBYTE).decode(),
}
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class Step:
    method: str
    path: str
    body: Any = None
    type: str = JSON
    accept: str = JSON
    events: int = 0
    token: str = ""
    """A bearer's token; without one the administrator asks."""


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

    def filled(self, text: str, last: Mapping[str, str]) -> str:
        """With the meaning of each word in braces; `last` are words from the last answer."""
        places = {
            word: f"/{group}/namespaces/{self.namespace}/{plural}"
            for group, words in _COLLECTIONS.items()
            for plural, word in words.items()
        }
        group = f"{self.namespace}.example.com"
        own = {"ns": self.namespace, "group": group, "definitions": _DEFINITIONS}
        for word, meaning in {**places, **own, **_LONG, **last}.items():
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
    beside = {key: FORMS.get(written[key], written[key]) for key in _BESIDE & written.keys()}
    return Step(method, path, written[asked], **{"type": MERGE if method == "PATCH" else JSON, **beside})
