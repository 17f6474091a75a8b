"""ConfigMaps and Secrets of one namespace with their values as bytes, read through the API door when needed.

Nothing is kept: a copy of every Secret in memory would be one more place to leak from, and a look-up costs
microseconds.
"""

import base64
from collections.abc import Mapping

from klamm.localkube.objects import CONFIG_MAPS, SECRETS, Objects


class ObjectSources:
    def __init__(self, objects: Objects, namespace: str) -> None:
        self._objects = objects
        self._namespace = namespace

    def config_map(self, name: str) -> Mapping[str, bytes] | None:
        found = self._objects.find(CONFIG_MAPS, self._namespace, name)
        if found is None:
            return None
        plain = {key: text.encode() for key, text in (found.get("data") or {}).items()}
        return plain | {key: base64.b64decode(text) for key, text in (found.get("binaryData") or {}).items()}

    def secret(self, name: str) -> Mapping[str, bytes] | None:
        found = self._objects.find(SECRETS, self._namespace, name)
        if found is None:
            return None
        return {key: base64.b64decode(text) for key, text in (found.get("data") or {}).items()}
