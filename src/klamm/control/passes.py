"""One pass over one object, as the reconciler sees it.

A pass reads the world, acts, and sometimes waits. It may become pointless while it waits: the user has changed the
resource, or the process is to stop. Then its *waits* end with `Superseded`; its *actions* are never cut in the middle.
That is why a reconciler waits through the pass and nowhere else:

    await pass_.wait_for("pod kafka/my-cluster-kafka-0 to be ready", reason_not_ready, deadline=300)

and asks what may take long, and changes nothing, so that it can be cut:

    said = await pass_.unless_superseded(ask_brokers())

The condition is asked at once, whenever something that the controller follows has changed for this object, and every
`poll` seconds in case that a change was not told.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from klamm.base.deadlines import Condition, Deadline, DeadlineExceeded, deadline_of, reason_of
from klamm.base.together import ended
from klamm.kube.kinds import Name

T = TypeVar("T")


class Superseded(Exception):
    """The pass has lost its point; `because` says why. Not a failure: a newer pass follows."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class Pass:
    """Made by the controller for each pass; `number` counts them for the log."""

    def __init__(self, name: Name, number: int = 1) -> None:
        self.name = name
        self.number = number
        self.failed = False
        """A step of it failed, for a reason that is not the user's to mend."""
        self._because: str | None = None
        self._bell = asyncio.Event()
        self._lost = asyncio.Event()

    @property
    def superseded(self) -> str | None:
        """Why the pass has lost its point, or None."""
        return self._because

    def supersede(self, because: str) -> None:
        """End its waits, now and later. The first reason stays."""
        if self._because is None:
            self._because = because
        self._lost.set()
        self._bell.set()

    def nudge(self) -> None:
        """Something has changed: conditions are asked again."""
        self._bell.set()

    def check(self) -> None:
        """`Superseded` when there is no point in going on: call it before a costly or disruptive action."""
        if self._because is not None:
            raise Superseded(self._because)

    async def wait_for(self, what: str, condition: Condition, deadline: Deadline | float, poll: float = 2.0) -> None:
        """Return once `condition` gives no reason against it; `DeadlineExceeded` with its last reason, or `Superseded`.

        `what` fits after "waited 300 s for". The condition itself is not cut, so its calls need an end of their own.
        """
        end = deadline_of(deadline)
        while True:
            self.check()
            self._bell.clear()
            why_not = await reason_of(condition)
            if why_not is None:
                return
            self.check()
            if end.passed:
                raise DeadlineExceeded(what, end.seconds, why_not)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(poll, end.remaining())):
                    await self._bell.wait()

    async def unless_superseded(self, question: Coroutine[Any, Any, T]) -> T:
        """The answer; or `Superseded` as soon as the pass has lost its point. The question is cut: never a deed."""
        asking, lost = asyncio.ensure_future(question), asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({asking, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                self.check()
            return asking.result()
        finally:
            await ended(asking, lost)

    async def sleep(self, seconds: float) -> None:
        """A pause that `Superseded` ends."""
        with suppress(DeadlineExceeded):
            await self.wait_for("the pause to end", lambda: "it has not ended", seconds, poll=seconds)
