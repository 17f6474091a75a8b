"""Pod templates: when two are the same, and the short hash that names what is made from one; pure."""

import hashlib
import json
from typing import Final

from klamm.localkube.objects import Object

POD_TEMPLATE_HASH: Final = "pod-template-hash"
ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels, so that no words arise; no characters that look alike (as in Kubernetes' generated names)."""


def template_hash(template: Object) -> str:
    """Ten characters that stand for the template's content; the hash label itself does not count."""
    digest = hashlib.sha256(json.dumps(without_hash(template), sort_keys=True).encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:10])


def same_template(a: Object, b: Object) -> bool:
    return without_hash(a) == without_hash(b)


def without_hash(template: Object) -> Object:
    """The template without pod-template-hash, empty metadata left out."""
    metadata = dict(template.get("metadata") or {})
    metadata.pop("creationTimestamp", None)
    labels = {k: v for k, v in (metadata.pop("labels", None) or {}).items() if k != POD_TEMPLATE_HASH}
    return {"metadata": metadata | ({"labels": labels} if labels else {}), "spec": template.get("spec") or {}}


def with_label(template: Object, name: str, value: str) -> Object:
    metadata = template.get("metadata") or {}
    return {**template, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), name: value}}}
