"""The serdes of one cluster: those built in, by its registry, by files; which one a topic has; what is masked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from klamm.console.access.masking import Masking
from klamm.console.schemas.registry import Registry
from klamm.console.serdes import Part, Serde, Shown, UnknownSerde
from klamm.console.serdes.automatic import Automatic
from klamm.console.serdes.builtin import AUTO, BUILT_IN
from klamm.console.serdes.by_registry import NAME as REGISTRY
from klamm.console.serdes.by_registry import ByRegistry, Schemas
from klamm.console.serdes.cursor import Misfit
from klamm.console.serdes.own import ALIASES, FORM, KEYS, NAMELESS, VALUES, of_kafka
from klamm.console.serdes.proto_files import NAME as PROTO_FILES
from klamm.console.serdes.proto_files import ByFiles, FileSettings, load
from klamm.console.serdes.protobuf import Messages


@dataclass(frozen=True, slots=True)
class Wish:
    """A serde of the settings (kafka-ui's `serde`): which topics have it by default. `files`: of ProtobufFile only.

    `of`: the serde that is meant, where `name` is another name for it.
    """

    name: str
    keys: "re.Pattern[str] | None" = None
    values: "re.Pattern[str] | None" = None
    of: str | None = None
    files: FileSettings | None = None

    def holds(self, topic: str, part: Part) -> bool:
        pattern = self.keys if part == "key" else self.values
        return pattern is not None and pattern.fullmatch(topic) is not None


@dataclass(frozen=True, slots=True)
class SerdeSettings:
    """`key`, `value`: names of those taken where no pattern of `wishes` holds; None: automatic."""

    wishes: tuple[Wish, ...] = ()
    key: str | None = None
    value: str | None = None


@dataclass(slots=True)
class ClusterSerdes:
    settings: SerdeSettings = field(default_factory=SerdeSettings)
    masking: Masking = field(default_factory=Masking)
    registry: Registry | None = None
    _schemas: Schemas | None = field(init=False, default=None)
    _files: dict[str, Messages | str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.registry is not None:
            self._schemas = Schemas(self.registry)
        for wish in self.settings.wishes:
            if wish.files is not None:
                try:
                    self._files[wish.name] = load(wish.files)
                except Misfit as misfit:
                    self._files[wish.name] = str(misfit)

    def names(self, topic: str, part: Part) -> Sequence[str]:
        first = self._default(topic, part)
        return tuple(dict.fromkeys((first, AUTO, *self._all(topic, part))))

    def get(self, topic: str, part: Part, name: str | None) -> Serde:
        wanted = name or self._default(topic, part)
        wanted = ALIASES.get(wanted, wanted)
        if wanted == AUTO:
            return self._automatic(topic, part)
        found = self._all(topic, part).get(wanted)
        if found is None:
            raise UnknownSerde(f"there is no serde {name!r}; there are {', '.join(self.names(topic, part))}")
        return found

    def _default(self, topic: str, part: Part) -> str:
        for wish in self.settings.wishes:
            if wish.holds(topic, part):
                return wish.name
        return (self.settings.key if part == "key" else self.settings.value) or AUTO

    def _automatic(self, topic: str, part: Part) -> Automatic:
        own = of_kafka(topic)
        if own is not None:
            return Automatic(((KEYS if part == "key" else VALUES)[own],))
        first: list[Serde] = [] if self._schemas is None else [ByRegistry(self._schemas, topic, part)]
        for wish in self.settings.wishes:
            if wish.files is not None and wish.files.type_of(topic, part) is not None:
                first.append(self._by_files(wish, wish.files, topic, part))
        return Automatic(tuple(first))

    def _all(self, topic: str, part: Part) -> Mapping[str, Serde]:
        found: dict[str, Serde] = {name: one for name, one in BUILT_IN.items() if name != AUTO}
        found |= KEYS if part == "key" else VALUES
        if self._schemas is not None:
            found[REGISTRY] = ByRegistry(self._schemas, topic, part)
        for wish in self.settings.wishes:
            if wish.files is not None:
                found[wish.name] = self._by_files(wish, wish.files, topic, part)
            elif wish.of is not None and (meant := found.get(ALIASES.get(wish.of, wish.of))) is not None:
                found[wish.name] = meant
        return found

    def _by_files(self, wish: Wish, files: FileSettings, topic: str, part: Part) -> ByFiles:
        return ByFiles(self._files[wish.name], files.type_of(topic, part), PROTO_FILES)

    def masks(self, topic: str) -> bool:
        return any(self.masking.of(topic, keys) is not None for keys in (True, False))

    def uncovered(self, source: str, target: str) -> str | None:
        rule = self.masking.uncovered(source, target)
        if rule is None:
            return None
        return (
            f"a rule of masking ({rule.settings.type}) hides parts of topic {source} and not of topic {target}; "
            f"records are copied as they are, so let its patterns hold for {target}, too"
        )

    def masked(self, topic: str, part: Part, shown: Shown) -> Shown:
        """Details go, too, where anything is hidden: a reason may tell of the bytes that it stumbled over."""
        mask = self.masking.of(topic, part == "key")
        if mask is None or shown.text is None:
            return shown
        text = mask(shown.text, tells_names=self._tells_names(topic, part, shown))
        kind = "null" if text is None else shown.kind if shown.kind == "json" and text[:1] in ("{", "[") else "text"
        why_not = None if shown.why_not is None else "it could not be read; the reason is hidden with the rest"
        details = tuple((name, value) for name, value in shown.details if name in _HARMLESS)
        return Shown(kind, text, why_not, details)

    def _tells_names(self, topic: str, part: Part, shown: Shown) -> bool:
        """Bytes of one form can often be read by another, and then its names are not those that rules speak of."""
        form = dict(shown.details).get(FORM)
        if form is not None and form != of_kafka(topic):
            default = self._default(topic, part)
            meant = self._all(topic, part).get(ALIASES.get(default, default))
            return meant is not None and meant.name == form
        return shown.kind != "binary" and NAMELESS not in shown.details


_HARMLESS = frozenset({"serde", "schemaId", "schemaType", "message"})
