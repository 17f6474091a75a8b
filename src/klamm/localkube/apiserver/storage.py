"""Objects on disk and in memory, their versions, and the window of changes that watches are served from.

One SQLite file (WAL, synchronous NORMAL: what is acknowledged survives any death of the process; a power cut may take
the last moments, which a laptop's cluster can bear). The resourceVersion is one counter for all kinds; it is kept in
the same transaction as the object, so that it never goes back, not even after the newest object was deleted.

In memory every object is its compact JSON (a decoded dictionary costs some eight times as much): lists join the bytes,
watches send the same bytes to all watchers. Changes are kept per kind, in a window of bounded number and bytes. The
window starts at the process' start: a watch from before it is answered with 410, as after any restart of a real API
server.
"""

import sqlite3
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from klamm.localkube.apiserver import statuses
from klamm.localkube.objects import Object, Refused

Key = tuple[str, str]
"""(namespace or "", name)"""

_MIGRATIONS = (
    """
    CREATE TABLE objects (
      kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
      PRIMARY KEY (kind, namespace, name)
    ) WITHOUT ROWID;
    CREATE TABLE counter (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL);
    INSERT INTO counter VALUES (1, 1);
    """,
)
_DECODED = 256
_encode = msgspec.json.Encoder().encode
_decode: Callable[[bytes], Object] = msgspec.json.Decoder().decode


class HomeIsNewer(Exception):
    """The file was written by a newer klamm than this one."""


class Stored:
    """An object at one version. Its body never changes."""

    __slots__ = ("body", "name", "namespace", "version")

    def __init__(self, namespace: str, name: str, version: int, body: bytes) -> None:
        self.namespace = namespace
        self.name = name
        self.version = version
        self.body = body


class Change:
    """One write. `views` holds what watchers made of it, so that the work is done once for all of them."""

    __slots__ = ("after", "before", "type", "version", "views")

    def __init__(self, type: Literal["ADDED", "MODIFIED", "DELETED"], before: Stored | None, after: Stored) -> None:
        self.type = type
        self.before = before
        self.after = after
        """For DELETED: the last state, at the version of the deletion."""
        self.version = after.version
        self.views: dict[Any, Any] = {}


Subscriber = Callable[[Change], None]


class Storage:
    """All objects of a home. Not safe for threads: it belongs to the event loop."""

    def __init__(self, path: Path | str, window: int = 1024, window_bytes: int = 2 << 20) -> None:
        self._database = sqlite3.connect(str(path), isolation_level=None)
        self._window = window
        self._window_bytes = window_bytes
        self._kinds: dict[str, dict[Key, Stored]] = {}
        self._changes: dict[str, deque[Change]] = {}
        self._held: dict[str, int] = {}
        """Bytes of the changes in each kind's window."""
        self._forgotten: dict[str, int] = {}
        self._subscribers: dict[str, list[Subscriber]] = {}
        self._decoded: OrderedDict[int, Object] = OrderedDict()
        self._prepare()
        self.version = self._load()
        self._start = self.version

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("PRAGMA busy_timeout = 5000")
        self._database.execute("PRAGMA cache_size = -1000")
        (have,) = self._database.execute("PRAGMA user_version").fetchone()
        if have > len(_MIGRATIONS):
            raise HomeIsNewer(f"schema {have} of the object store is newer than {len(_MIGRATIONS)}: use a newer klamm")
        for number, script in enumerate(_MIGRATIONS[have:], have + 1):
            self._database.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")

    def _load(self) -> int:
        for kind, namespace, name, version, body in self._database.execute("SELECT * FROM objects"):
            self._kinds.setdefault(kind, {})[namespace, name] = Stored(namespace, name, version, body)
        (version,) = self._database.execute("SELECT version FROM counter").fetchone()
        return int(version)

    def close(self) -> None:
        self._database.close()

    # Reading

    def find(self, kind: str, namespace: str, name: str) -> Stored | None:
        objects = self._kinds.get(kind)
        return objects.get((namespace, name)) if objects else None

    def count(self, kind: str) -> int:
        return len(self._kinds.get(kind, ()))

    def all(self, kind: str, namespace: str | None = None) -> list[Stored]:
        """In the order of etcd's keys: by "namespace/name"."""
        return _ordered(self._kinds.get(kind, {}), namespace)

    def all_at(self, kind: str, namespace: str | None, version: int) -> list[Stored]:
        """The objects as they were at `version`: today's with the younger changes taken back."""
        if version == self.version:
            return self.all(kind, namespace)
        if version < self.oldest(kind):
            raise statuses.expired(version, self.oldest(kind))
        objects = dict(self._kinds.get(kind, {}))
        for change in reversed(self._changes.get(kind, ())):
            if change.version <= version:
                break
            key = (change.after.namespace, change.after.name)
            if change.before is None:
                objects.pop(key, None)
            else:
                objects[key] = change.before
        return _ordered(objects, namespace)

    def kinds(self) -> Iterator[str]:
        return iter(list(self._kinds))

    def decode(self, stored: Stored) -> Object:
        """The object, shared: never change it. Few are kept decoded, the ones used last."""
        decoded = self._decoded.get(stored.version)
        if decoded is None:
            decoded = self._decoded[stored.version] = _decode(stored.body)
            if len(self._decoded) > _DECODED:
                self._decoded.popitem(last=False)
        else:
            self._decoded.move_to_end(stored.version)
        return decoded

    # Watching

    def oldest(self, kind: str) -> int:
        """Watches may start at this version or a younger one."""
        return self._forgotten.get(kind, self._start)

    def changes_since(self, kind: str, version: int) -> list[Change]:
        """What happened after `version`; Refused 410 when that is not known any more."""
        if version < self.oldest(kind):
            raise statuses.expired(version, self.oldest(kind))
        changes = self._changes.get(kind, ())
        return [change for change in changes if change.version > version]

    def subscribe(self, kind: str, subscriber: Subscriber) -> Callable[[], None]:
        """Called for every change, inside the write; returns what ends it (as often as one likes)."""
        subscribers = self._subscribers.setdefault(kind, [])
        subscribers.append(subscriber)

        def end() -> None:
            if subscriber in subscribers:
                subscribers.remove(subscriber)

        return end

    # Writing

    def put(self, kind: str, namespace: str, name: str, obj: Object) -> Stored:
        """Write the object (new or changed) at the next version, which it then carries. `obj` becomes the store's."""
        version = self.version + 1
        obj["metadata"]["resourceVersion"] = str(version)
        stored = Stored(namespace, name, version, _encode(obj))
        before = self.find(kind, namespace, name)
        self._execute(
            version,
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)",
            (kind, namespace, name, version, stored.body),
        )
        self._kinds.setdefault(kind, {})[namespace, name] = stored
        self._tell(kind, Change("MODIFIED" if before else "ADDED", before, stored))
        return stored

    def remove(self, kind: str, namespace: str, name: str, last: Object) -> Stored:
        """Delete; `last` is the state that watchers are told, at the version of the deletion."""
        version = self.version + 1
        last["metadata"]["resourceVersion"] = str(version)
        stored = Stored(namespace, name, version, _encode(last))
        statement = "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?"
        self._execute(version, statement, (kind, namespace, name))
        before = self._kinds[kind].pop((namespace, name))
        self._tell(kind, Change("DELETED", before, stored))
        return stored

    def _execute(self, version: int, statement: str, values: tuple[Any, ...]) -> None:
        """Memory follows the disk, never the other way round."""
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            database.execute(statement, values)
            database.execute("UPDATE counter SET version = ?", (version,))
            database.execute("COMMIT")
        except sqlite3.Error as error:
            if database.in_transaction:
                database.execute("ROLLBACK")
            message = f"cannot write to the object store: {error}; is the disk full?"
            raise Refused(507, "InternalError", message) from error
        self.version = version

    def _tell(self, kind: str, change: Change) -> None:
        changes = self._changes.get(kind)
        if changes is None:
            changes = self._changes[kind] = deque()
        changes.append(change)
        held = self._held.get(kind, 0) + len(change.after.body)
        while len(changes) > self._window or (held > self._window_bytes and len(changes) > 1):
            oldest = changes.popleft()
            held -= len(oldest.after.body)
            self._forgotten[kind] = oldest.version
        self._held[kind] = held
        for subscriber in tuple(self._subscribers.get(kind, ())):
            subscriber(change)


def _ordered(objects: dict[Key, Stored], namespace: str | None) -> list[Stored]:
    if namespace is not None:
        chosen = [stored for (of, _), stored in objects.items() if of == namespace]
        return sorted(chosen, key=lambda stored: stored.name)
    return sorted(objects.values(), key=lambda stored: f"{stored.namespace}/{stored.name}")
