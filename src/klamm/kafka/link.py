"""A connection that comes when Kafka comes, and comes back after it went.

Operators start beside brokers that are not there yet. A plain TCP connect asks whether somebody listens, which costs
nothing; only then is the Kafka library imported and a connection opened. While nobody answers, one line is logged and
not one for each try, and so for the end of it.

    link = Link(connection, random)
    admin = await link.admin()          # waits until Kafka answers
    ... except Unreachable as failure: await link.lost(failure)
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from random import Random

from klamm.base import logs
from klamm.base.backoff import BackOff
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import KafkaFailure

_log = logs.room("kafka")

TCP_CONNECT = 2.0
"""Seconds: within a cluster an answer takes a millisecond."""

_BACK_OFF = BackOff(first=0.2, factor=1.2, longest=0.4)

Open = Callable[[Connection], Awaitable[Admin]]
Listens = Callable[[str], Awaitable["str | None"]]
"""Why nobody answers at "host:port", or None."""


class Link:
    def __init__(
        self,
        connection: Connection,
        random: Random,
        *,
        open_admin: Open | None = None,
        reason_silent: Listens | None = None,
        back_off: BackOff = _BACK_OFF,
    ) -> None:
        self.reason_lost: str | None = f"{','.join(connection.bootstrap)} was not reached yet"
        """Why there is no connection now; None while there is one."""
        self.answered_once = False
        self._connection = connection
        self._random = random
        self._open = open_admin or Admin.connect
        self._reason_silent = reason_silent or reason_silent_at
        self._back_off = back_off
        self._admin: Admin | None = None
        self._opening = asyncio.Lock()
        self._said_waiting = False
        self._in_vain: frozenset[str] = frozenset()
        """Where somebody listened, and no connection came of it: others that listen have precedence."""

    async def admin(self) -> Admin:
        """The open connection; waits for Kafka as long as it takes."""
        async with self._opening:
            failures = 0
            while self._admin is None:
                why = await self._tried()
                if why is None:
                    break
                if not self._said_waiting:
                    _log.info("waiting for Kafka", because=why)
                self._said_waiting, failures = True, failures + 1
                self.reason_lost = why
                await asyncio.sleep(self._back_off.delay(failures, self._random))
            assert self._admin is not None
            return self._admin

    async def lost(self, failure: KafkaFailure) -> None:
        """The connection is of no use any more: the next `admin` opens a new one, from the bootstrap addresses."""
        admin, self._admin = self._admin, None
        if admin is not None:
            self.reason_lost = failure.message
            _log.info("the connection to Kafka was lost", because=str(failure))
            await admin.close()

    async def renew(self, connection: Connection) -> None:
        """From now on connect so: certificates were renewed, say. What is open is closed."""
        self._connection = connection
        await self.close()

    async def close(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            await admin.close()

    async def _tried(self) -> str | None:
        """Why the connection could not be opened, or None."""
        answering, why = await self._asked()
        if not answering:
            return why
        # Before the try: whoever waits for it may give up earlier than it fails.
        self._in_vain |= set(answering)
        try:
            # The library takes any of the addresses, and would spend all its patience on a silent one.
            self._admin = await self._open(replace(self._connection, bootstrap=answering))
        except KafkaFailure as failure:
            return str(failure)
        self.reason_lost, self.answered_once, self._said_waiting = None, True, False
        self._in_vain = frozenset()
        _log.info("Kafka answers", at=",".join(self._connection.bootstrap))
        return None

    async def _asked(self) -> tuple[tuple[str, ...], str]:
        """Where somebody listens, as soon as one is found; if nowhere, why. Side by side, for silent ones take long.

        A broker that hangs (a JVM that was stopped, say) listens, too, and where it is the nearest it is found first
        each time. So where it was tried in vain is left out while another one listens.
        """
        asked = {asyncio.ensure_future(self._reason_silent(one)): one for one in self._connection.bootstrap}
        listening: tuple[str, ...] = ()
        try:
            for each in asyncio.as_completed(asked):
                await each
                listening = tuple(one for task, one in asked.items() if task.done() and task.result() is None)
                if new := tuple(one for one in listening if one not in self._in_vain):
                    return new, ""
        finally:
            for task in asked:
                task.cancel()
            await asyncio.wait(asked)
        return listening, "; ".join(task.result() or "" for task in asked)


async def reason_silent_at(address: str) -> str | None:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(TCP_CONNECT):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except TimeoutError:
        return f"{address} does not answer within {TCP_CONNECT:g} s"
    except OSError as error:
        return f"{address}: {error.strerror or error}"
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(TCP_CONNECT):
            await writer.wait_closed()
    return None
