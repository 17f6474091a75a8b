"""Short fingerprints by which a pod remembers what it was made from.

They stand in annotations and are compared as text, so they must be equal for equal content in every process and
version of Python: JSON with sorted keys, SHA-256, and of that the first 16 hex digits.
"""

import hashlib
import json
from typing import Any

_LENGTH = 16


def fingerprint_of(content: Any) -> str:
    """Fingerprint of a JSON value (the order of keys does not count, the order of lists does)."""
    return fingerprint(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def fingerprint(text: str) -> str:
    """Fingerprint of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]
