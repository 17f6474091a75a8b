"""httpServer of the JMX exporter: threads, who may ask, TLS. A part that lacks what belongs to it ends the JVM."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from klamm.resources.reading import Problem

_DIGEST = ("SHA-1", "SHA-256", "SHA-512")
_DERIVED = ("PBKDF2WithHmacSHA1", "PBKDF2WithHmacSHA256", "PBKDF2WithHmacSHA512")
_NUMBER = re.compile(r"[+-]?\d+")
_LARGEST = 2**31 - 1


def http_server_problems(content: Any, path: str) -> Iterator[Problem]:
    """Everything for which the exporter would not serve, and where it would pass over what is no map."""
    if not isinstance(content, Mapping):
        yield _no_map(content, path)
        return
    if "threads" in content:
        yield from _threads(content["threads"], f"{path}.threads")
    if "authentication" in content:
        yield from _authentication(content["authentication"], f"{path}.authentication")
    if "ssl" in content:
        yield from _ssl(content["ssl"], f"{path}.ssl")


def _threads(content: Any, path: str) -> Iterator[Problem]:
    if not isinstance(content, Mapping):
        yield _no_map(content, path)
        return
    least = {"minimum": 0, "maximum": 1, "keepAliveTime": 1}
    found = [problem for key, least_of in least.items() for problem in _number(content, key, least_of, path)]
    yield from found
    if not found and int(content["maximum"]) < int(content["minimum"]):
        yield Problem(f"{path}.maximum", content["maximum"], "is less than the minimum", "raise it")


def _authentication(content: Any, path: str) -> Iterator[Problem]:
    basic = content.get("basic") if isinstance(content, Mapping) else content
    path = f"{path}.basic"
    if not isinstance(basic, Mapping):
        yield _no_map(basic, path)
        return
    yield from _text(basic, "username", path)
    algorithm = basic.get("algorithm", "plaintext")
    if algorithm is None or str(algorithm).lower() == "plaintext":
        yield from _text(basic, "password", path)
    elif algorithm not in (*_DIGEST, *_DERIVED):
        known = ", ".join(("plaintext", *_DIGEST, *_DERIVED))
        yield Problem(f"{path}.algorithm", algorithm, "is not to be had", f"choose one of {known}")
    else:
        yield from _text(basic, "passwordHash", path)
        yield from _text(basic, "salt", path)
    if algorithm in _DERIVED:
        for key in (key for key in ("iterations", "keyLength") if basic.get(key) is not None):
            yield from _number(basic, key, 1, path)


def _ssl(content: Any, path: str) -> Iterator[Problem]:
    """Java's own properties could name the key store, too; nobody sets them in our pods."""
    if not isinstance(content, Mapping):
        yield _no_map(content, path)
        return
    yield from _text(content.get("certificate"), "alias", f"{path}.certificate")
    for key in ("filename", "password"):
        yield from _text(content.get("keyStore"), key, f"{path}.keyStore")


def _no_map(value: Any, path: str) -> Problem:
    return Problem(path, value, "is no map", "write its parts below it")


def _text(content: Any, key: str, path: str) -> Iterator[Problem]:
    value = content.get(key) if isinstance(content, Mapping) else None
    if value is None:
        yield Problem(f"{path}.{key}", None, "is missing", "add it")
    elif not isinstance(value, str):
        yield Problem(f"{path}.{key}", value, "is no text", "put it in quotes")
    elif not value.strip():
        yield Problem(f"{path}.{key}", value, "is empty", "write something")


def _number(content: Mapping[str, Any], key: str, least: int, path: str) -> Iterator[Problem]:
    """Here, and nowhere else, the exporter reads numbers in quotes, too."""
    value = content.get(key)
    if value is None:
        yield Problem(f"{path}.{key}", None, "is missing", "add it")
    elif not _NUMBER.fullmatch(str(value)) or not least <= int(value) <= _LARGEST:
        yield Problem(f"{path}.{key}", value, f"is no whole number from {least} on", "write one")
