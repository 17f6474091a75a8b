"""ConfigMaps and Secrets. The data of a Secret is base64 text, as on the wire."""

from base64 import b64decode

import msgspec

from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import Block, always


class ConfigMap(Block):
    api_version: str = always("v1")
    kind: str = always("ConfigMap")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    data: dict[str, str] = {}
    binary_data: dict[str, str] = {}
    immutable: bool | None = None


class Secret(Block):
    api_version: str = always("v1")
    kind: str = always("Secret")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    type: str | None = None
    data: dict[str, str] = {}
    string_data: dict[str, str] = {}
    immutable: bool | None = None


def entry(secret: Secret | None, key: str) -> bytes:
    """The decoded bytes of one entry; b"" when there is none, or no Secret."""
    return b64decode(secret.data.get(key, "")) if secret else b""
