"""Objects as they come from the API, read one by one into the kind's type.

One object that does not fit its type (an old operator stored it, a schema that preserves unknown fields let it pass)
must not blind us for all the others: it is read as `Unreadable`, which has metadata and says what is wrong.
"""

from dataclasses import dataclass
from typing import Generic

import msgspec

from klamm.kube.kinds import Kind, T
from klamm.resources.native.metadata import NativeObject, ObjectMeta


@dataclass(frozen=True, slots=True)
class Unreadable:
    metadata: ObjectMeta
    why: str
    """Path and expectation: "Expected `int`, got `str` - at `$.spec.replicas`"."""


class Reader(Generic[T]):
    def __init__(self, kind: Kind[T]) -> None:
        self._decoder = msgspec.json.Decoder(kind.type_)

    def read(self, raw: msgspec.Raw) -> T | Unreadable:
        """msgspec.MsgspecError when not even the metadata can be read."""
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            return Unreadable(msgspec.json.decode(raw, type=NativeObject).metadata, str(error))
