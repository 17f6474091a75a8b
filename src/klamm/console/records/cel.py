"""A filter in CEL, and the process that it runs in.

What a user writes never runs in the console: a process of its own compiles it and looks at records, with little memory
and none of the console's secrets. Its time is limited from outside, so one that does not end is ended and told.

The talk: four bytes of length, then JSON, both ways. First the expression is sent, and None or what is wrong with it
comes back; then records, and for each True, False, or why it could not be looked at.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Any

import msgspec

from klamm.console.records.shown import Message, Side

LONGEST = 4096
"""Characters of an expression."""
PATIENCE = 3.0
"""Seconds for one lot of records."""
_START = 20.0
"""Seconds until the process has compiled it."""
_AT_ONCE = 500
_LARGEST_ANSWER = 4 << 20
_MEMORY = 1 << 30
_PROGRAM = "klamm.programs.console_filter"

Verdict = bool | str
"""A text: why the filter could not look at this record; it does not match then."""


class BadFilter(Exception):
    """The filter is of no use; the message says why."""


class Filter:
    """One expression in one process; use as `async with`."""

    def __init__(self, expression: str, patience: float = PATIENCE) -> None:
        self._expression, self._patience = expression, patience
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Filter":
        if len(self._expression) > LONGEST:
            raise BadFilter(f"the filter has {len(self._expression)} characters; {LONGEST} are the most")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        try:
            wrong = await self._asked(self._expression, _START)
        except BaseException:
            await self.close()
            raise
        if wrong is not None:
            await self.close()
            raise BadFilter(str(wrong))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def verdicts(self, messages: Sequence[Message]) -> list[Verdict]:
        """In order. Raises `BadFilter` when it takes too long, or its process ends."""
        found: list[Verdict] = []
        for first in range(0, len(messages), _AT_ONCE):
            records = [record_of(one) for one in messages[first : first + _AT_ONCE]]
            found += await self._asked(records, self._patience)
        return found

    async def _asked(self, what: Any, seconds: float) -> Any:
        if self._process is None:
            raise BadFilter("the filter was stopped")
        try:
            async with asyncio.timeout(seconds):
                return await self._talked(self._process, what)
        except TimeoutError:
            await self.close()
            raise BadFilter(
                f"the filter was stopped: it did not end within {seconds:g} s for {_AT_ONCE} records; make it simpler"
            ) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.close()
            raise BadFilter("the filter was stopped: its process ended, maybe for want of memory") from None

    async def _talked(self, process: asyncio.subprocess.Process, what: Any) -> Any:
        assert process.stdin is not None
        assert process.stdout is not None
        said = msgspec.json.encode(what)
        process.stdin.write(len(said).to_bytes(4, "big") + said)
        await process.stdin.drain()
        size = int.from_bytes(await process.stdout.readexactly(4), "big")
        if size > _LARGEST_ANSWER:
            raise BadFilter("the filter was stopped: its answer is too large")
        return msgspec.json.decode(await process.stdout.readexactly(size))


def record_of(message: Message) -> dict[str, Any]:
    """What a filter sees as `record`; `key` and `value` are made of the texts in the filter's own process."""
    return {
        "partition": message.partition,
        "offset": message.offset,
        "timestampMs": message.timestamp_ms,
        "keyAsText": message.key.text,
        "valueAsText": message.value.text,
        "headers": {one.name: one.value for one in message.headers},
        "isJson": [_is_json(message.key), _is_json(message.value)],
    }


def _is_json(side: Side) -> bool:
    return side.kind == "json"


def work(heard: IO[bytes], said: IO[bytes]) -> None:
    """The process: until nobody asks any more."""
    expression = _read(heard)
    try:
        judge = compiled(expression)
    except ValueError as error:
        _say(said, str(error))
        return
    _say(said, None)
    while (records := _read(heard)) is not None:
        _say(said, [judge(one) for one in records])


def compiled(expression: str) -> Callable[[dict[str, Any]], Verdict]:
    """Raises ValueError with what is wrong."""
    import cel

    try:
        program = cel.compile(expression)
    except Exception as error:
        raise ValueError(f"the filter is no CEL: {error}") from error
    names = program.variables()
    if names and "record" not in names:
        raise ValueError(f"the filter knows only `record`, and not {names[0]}; write record.{names[0]}")

    def judge(record: dict[str, Any]) -> Verdict:
        seen = {**record, "key": _value(record, 0, "keyAsText"), "value": _value(record, 1, "valueAsText")}
        try:
            answer = program.execute({"record": seen})
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:300]
        return answer if isinstance(answer, bool) else f"it answers {answer!r}"[:200] + " and not true or false"

    return judge


def _value(record: dict[str, Any], at: int, text: str) -> Any:
    """JSON as it is meant, else the text. Whole numbers beyond 64 bits, which CEL has not, are floating there."""
    if not record["isJson"][at] or record[text] is None:
        return record[text]
    try:
        return _fitting(msgspec.json.decode(record[text]))
    except (msgspec.DecodeError, RecursionError):
        return record[text]


def _fitting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _fitting(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_fitting(one) for one in value]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return float(value)
    return value


def _read(heard: IO[bytes]) -> Any:
    head = heard.read(4)
    if len(head) < 4:
        return None
    return msgspec.json.decode(heard.read(int.from_bytes(head, "big")))


def _say(said: IO[bytes], what: Any) -> None:
    data = msgspec.json.encode(what)
    said.write(len(data).to_bytes(4, "big") + data)
    said.flush()


def limit_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
