"""The files that a configuration stands in: YAML, and the certificates that it names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from klamm.base import documents
from klamm.console.configuring.configuration import Configuration, Place, read
from klamm.console.configuring.told import Unusable

_ABSENT = object()


def read_places(places: Sequence[Place], environment: Mapping[str, str], host: str | None = None) -> Configuration:
    """Raises `Unusable`, whose text names everything that cannot be used."""
    found = [(place.path, _document(place)) for place in places]
    return read([one for one in found if one[1] is not _ABSENT], environment, _content, host)


def _content(path: str) -> bytes:
    return Path(path.removeprefix("file:")).read_bytes()


def _document(place: Place) -> Any:
    """What the file holds. One that is optional may be missing."""
    try:
        return documents.read(Path(place.path).read_bytes())
    except FileNotFoundError as error:
        if place.optional:
            return _ABSENT
        raise Unusable([f"{place.path}: is not there; mount it, or write optional: before its name"]) from error
    except OSError as error:
        raise Unusable([f"{place.path}: cannot be read: {error.strerror}"]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise Unusable([f"{place.path}: is no YAML: {_where(error)}"]) from error


def _where(error: Exception) -> str:
    """Without the line itself, which may hold a password."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem} in line {mark.line + 1}, column {mark.column + 1}"
    return "it cannot be read as text in UTF-8"
