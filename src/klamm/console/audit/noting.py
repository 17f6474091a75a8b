"""One request's entry for the audit: begun before its rights are looked at, ended with how it ended."""

import asyncio
from types import TracebackType
from typing import Any, Self

from klamm.base.clock import milliseconds
from klamm.console.access.rights import Principal
from klamm.console.audit.trail import Entry, parameters
from klamm.console.problems import Problem
from klamm.console.routes import Route, Visit
from klamm.console.scene import Scene
from klamm.kafka.errors import KafkaFailure


class Noting:
    """`with Noting(...) as noting: …`. Routes that need no log-in note what they do themselves."""

    def __init__(self, scene: Scene, route: Route, who: Principal, path: dict[str, str], visit: Visit) -> None:
        self._scene, self._route, self._who, self._path, self._visit = scene, route, who, path, visit
        self._query: Any = None
        self._body: Any = None

    def asked(self, query: Any, body: Any) -> None:
        self._query, self._body = query, body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if self._route.public:
            return
        status, outcome, detail = _outcome(error)
        if not self._scene.trail.wants(self._cluster(), self._route.changes, status):
            return
        right = self._route.right
        if status == 400 and right is not None and right.action == "messages_produce":
            detail = None  # a serde may repeat what of the message it stumbled over
        named = self._path[right.of] if right is not None and right.of else getattr(self._body, "name", None)
        entry = Entry(
            at=milliseconds(self._scene.clock),
            who=self._who.name,
            what=self._route.summary,
            outcome=outcome,
            status=status,
            cluster=self._cluster(),
            resource=right.resource if right else None,
            action=right.action if right else None,
            object=str(named)[:300] if named is not None else None,
            remote=self._visit.remote,
            parameters=parameters(self._query, self._body),
            detail=detail,
        )
        self._scene.trail.note(entry, self._route.changes)

    def _cluster(self) -> str | None:
        """Only one that there is: entries of others would be seen by everybody."""
        name = self._path.get("cluster")
        return name if name in self._scene.places else None


def _outcome(error: BaseException | None) -> tuple[int, str, str | None]:
    if error is None:
        return 200, "ok", None
    if isinstance(error, KafkaFailure):
        error = Problem.of_kafka(error)
    if isinstance(error, Problem):
        return error.said.status, error.said.title, error.said.detail[:300]
    if isinstance(error, asyncio.CancelledError):
        return 499, "Gone", "who asked did not wait"
    return 500, "Bug", type(error).__name__
