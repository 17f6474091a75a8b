"""Manifests read from files: YAML or JSON, several documents each, lists unpacked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from klamm.cli.errors import Mistake


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of a file. `origin` ("kafka-1.yaml, document 2") is for messages."""

    api_version: str
    kind: str
    name: str
    namespace: str | None
    object: dict[str, Any]
    origin: str


def read_manifests(files: Iterable[str], standard_input: TextIO | None = None) -> list[Manifest]:
    """Every object of the files, in their order. Raises `Mistake` naming the file, the document and the mend."""
    return [manifest for file in files for manifest in _read(file, standard_input)]


def _read(file: str, standard_input: TextIO | None) -> Iterator[Manifest]:
    import yaml

    from klamm.base import documents

    try:
        found = list(documents.read_all(_text(file, standard_input)))
    except (yaml.YAMLError, ValueError) as error:
        raise Mistake(f"{file} is not YAML: {error}") from error
    for number, document in enumerate(found, 1):
        if document is not None:
            yield from _objects(document, f"{file}, document {number}" if len(found) > 1 else file)


def _text(file: str, standard_input: TextIO | None) -> str:
    if file == "-":
        return standard_input.read() if standard_input else ""
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error


def _objects(document: object, origin: str) -> Iterator[Manifest]:
    if not isinstance(document, dict):
        raise Mistake(f"{origin} holds a {type(document).__name__}, not a Kubernetes object (apiVersion, kind, …)")
    if document.get("kind") == "List" and isinstance(document.get("items"), list):
        for number, item in enumerate(document["items"], 1):
            yield from _objects(item, f"{origin}, item {number}")
        return
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    for path, value in (
        ("apiVersion", document.get("apiVersion")),
        ("kind", document.get("kind")),
        ("metadata.name", name),
    ):
        if not isinstance(value, str) or not value:
            raise Mistake(f"{origin}: {path} is {value!r}; every object needs it, as text")
    assert isinstance(metadata, dict)
    if not isinstance(metadata.get("namespace"), str | None):
        raise Mistake(f"{origin}: metadata.namespace is {metadata['namespace']!r}; a namespace is text: quote it")
    yield Manifest(document["apiVersion"], document["kind"], str(name), metadata.get("namespace"), document, origin)


def kafka_versions(manifests: Iterable[Manifest], default: str) -> frozenset[str]:
    """Versions of Kafka that the manifests will run, so that their content can be fetched before it is waited for."""
    found = (_kafka_version(manifest, default) for manifest in manifests if manifest.kind == "Kafka")
    return frozenset(version for version in found if version is not None)


def _kafka_version(manifest: Manifest, default: str) -> str | None:
    """None when the manifest is so wrong that it will not run at all: the API says so."""
    spec = manifest.object.get("spec")
    kafka = spec.get("kafka", {}) if isinstance(spec, dict) else None
    return str(kafka.get("version") or default) if isinstance(kafka, dict) else None
