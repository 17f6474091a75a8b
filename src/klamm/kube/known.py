"""What we know of one kind's objects, and how news change it. No I/O: events and lists in, differences out.

Two rules make it safe against an API server that answers from an old cache, or tells a thing twice (Sieve, OSDI 2022,
found operators that delete volumes because of either):

1. It never goes back in time. A list that is older than what was seen is refused (`WentBack`); an event at or before
   the last seen moment is a replay and is ignored.
2. What we wrote ourselves is known at once (`saw`), so that the next decision does not stand on the state before it.

resourceVersions are compared as numbers: Kubernetes promises that since 1.35 (KEP-5504), and etcd-backed servers always
kept it. Where one is no number, order cannot be told and the server is believed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic

from klamm.kube.kinds import Name, Object, T, name_of, version_of


class WentBack(Exception):
    """The list is of an earlier moment than one that we have seen."""

    def __init__(self, seen: str, listed: str) -> None:
        super().__init__(f"the list is of resourceVersion {listed}, but {seen} was seen before")


@dataclass(frozen=True, slots=True)
class Difference(Generic[T]):
    """One object before and after; None is "not there"."""

    old: T | None
    new: T | None

    @property
    def name(self) -> Name:
        either = self.new if self.new is not None else self.old
        assert either is not None
        return name_of(either)


class Known(Generic[T]):
    """Objects by name and by index. `indexes` give the keys under which an object is found, e.g. its cluster label."""

    def __init__(
        self, trim: Callable[[T], T] | None = None, indexes: Mapping[str, Callable[[T], Iterable[str]]] | None = None
    ) -> None:
        self._trim = trim or (lambda obj: obj)
        self._keys = dict(indexes or {})
        self._objects: dict[Name, T] = {}
        self._index: dict[str, dict[str, set[Name]]] = {index: {} for index in self._keys}
        self.version = ""
        """The last moment seen, from which a watch goes on."""

    def get(self, name: Name) -> T | None:
        return self._objects.get(name)

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._objects.values()))

    def __len__(self) -> int:
        return len(self._objects)

    def under(self, index: str, key: str) -> tuple[T, ...]:
        """The objects that this index has under `key`, in the order of their names."""
        return tuple(self._objects[name] for name in sorted(self._index[index].get(key, ())))

    def replace(self, items: Iterable[T], version: str) -> list[Difference[T]]:
        """A whole list of the moment `version`. `WentBack` leaves everything as it was."""
        if is_before(version, self.version):
            raise WentBack(self.version, version)
        believe = not self.version
        listed = {name_of(obj): obj for obj in items}
        unlisted = [obj for name, obj in self._objects.items() if name not in listed]
        # What we wrote after the list was made is not in it, and is not gone.
        gone = [obj for obj in unlisted if believe or not is_before(version, version_of(obj))]
        self.version = version
        differences = [self._forget(obj) for obj in gone]
        return differences + [found for obj in listed.values() if (found := self._put(obj, believe))]

    def changed(self, obj: T, version: str) -> Difference[T] | None:
        """An ADDED or MODIFIED event; None for a replay."""
        return self._put(obj) if self.advance(version) else None

    def deleted(self, obj: T, version: str) -> Difference[T] | None:
        """A DELETED event; None for a replay, or when it was not known."""
        if not self.advance(version):
            return None
        known = self._objects.get(name_of(obj))
        return self._forget(known) if known is not None else None

    def drop(self, obj: T) -> Difference[T]:
        """A known object is gone."""
        return self._forget(obj)

    def advance(self, version: str) -> bool:
        """Time goes on to `version`; False when it was there already."""
        if self.version and not is_before(self.version, version):
            return False
        self.version = version
        return True

    def saw(self, obj: T) -> Difference[T] | None:
        """The server's answer to a write or a read of ours, which the watch has not told yet, or tells later."""
        if name_of(obj) not in self._objects and not is_before(self.version, version_of(obj)):
            # Older than the watch, which does not have it: it was deleted since.
            return None
        return self._put(obj)

    def forget_time(self) -> None:
        """Take the next list as it is: the server was restored from a backup, or is another one."""
        self.version = ""

    def _put(self, obj: T, believe: bool = False) -> Difference[T] | None:
        name, old = name_of(obj), self._objects.get(name_of(obj))
        if old is not None and version_of(old) == version_of(obj):
            return None
        if old is not None and not believe and not is_before(version_of(old), version_of(obj)):
            return None
        new = self._trim(obj)
        self._objects[name] = new
        self._reindex(name, old, new)
        return Difference(old, new)

    def _forget(self, obj: T) -> Difference[T]:
        name = name_of(obj)
        del self._objects[name]
        self._reindex(name, obj, None)
        return Difference(obj, None)

    def _reindex(self, name: Name, old: T | None, new: T | None) -> None:
        for index, keys_of in self._keys.items():
            entries = self._index[index]
            for key in keys_of(old) if old is not None else ():
                entries.get(key, set()).discard(name)
                if not entries.get(key):
                    entries.pop(key, None)
            for key in keys_of(new) if new is not None else ():
                entries.setdefault(key, set()).add(name)


def is_before(one: str, other: str) -> bool:
    """Whether resourceVersion `one` is earlier. Without order (no numbers): whether they differ."""
    if one.isdigit() and other.isdigit():
        return int(one) < int(other)
    return bool(other) and one != other


def label_index(label: str) -> Callable[[Object], Iterable[str]]:
    """An index by a label's value: `indexes={"cluster": label_index("strimzi.io/cluster")}`."""

    def keys_of(obj: Object) -> Iterable[str]:
        value = obj.metadata.labels.get(label)
        return () if value is None else (value,)

    return keys_of
