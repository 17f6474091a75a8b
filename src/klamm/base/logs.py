"""Log lines that people read and programs can cut: time, level, room, sentence, key=value.

    2026-03-01T12:00:00.123Z INFO  control  reconciled kafka/my-cluster: Done  kind=Kafka seconds=0.041

Standard `logging` carries them, so libraries' records come out in the same form. One record is one line; only the
stack of an error follows on lines of its own that begin with "    | " (in JSON form it is one more field).

Secrets never reach a line: values of fields that are named like secrets, PEM private keys, bearer tokens and
passwords in JAAS settings are replaced. That is the last net, not a licence: do not log Secrets' content.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

Form = Literal["text", "json"]

_HIDDEN = "[hidden]"
_SECRET_FIELD = re.compile(
    r"pass(word|phrase)?$|token|secret_?(value|data)|private_?key|credential|jaas", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=Bearer )\S+"
    r"|(?<=password=)\"?[^\"\s;]+\"?",
    re.DOTALL | re.IGNORECASE,
)
_PLAIN = re.compile(r"[^\s\"=]+")


class Log:
    """A room's log. Methods take one sentence, and facts as keywords."""

    __slots__ = ("_facts", "_logger")

    def __init__(self, logger: logging.Logger, facts: Mapping[str, object] | None = None) -> None:
        self._logger = logger
        self._facts = dict(facts or {})

    def about(self, **facts: object) -> "Log":
        """The same log with facts that every line carries."""
        return Log(self._logger, {**self._facts, **facts})

    def debug(self, sentence: str, **facts: object) -> None:
        self._write(logging.DEBUG, sentence, facts)

    def info(self, sentence: str, **facts: object) -> None:
        self._write(logging.INFO, sentence, facts)

    def warning(self, sentence: str, **facts: object) -> None:
        self._write(logging.WARNING, sentence, facts)

    def error(self, sentence: str, error: BaseException | None = None, **facts: object) -> None:
        """With `error`, its whole chain and stack are written: for what nobody expected."""
        self._write(logging.ERROR, sentence, facts, error)

    def _write(
        self, level: int, sentence: str, facts: Mapping[str, object], error: BaseException | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            extra = {"facts": {**self._facts, **facts}}
            stack = (type(error), error, error.__traceback__) if error is not None else None
            self._logger.log(level, "%s", sentence, extra=extra, exc_info=stack)


def room(name: str) -> Log:
    """The log of a room or of a part of it, e.g. `room("kube.watching")`."""
    return Log(logging.getLogger(f"klamm.{name}"))


def set_up(
    level: str = "INFO",
    form: Form = "text",
    stream: TextIO | None = None,
    levels: Mapping[str, str] | None = None,
) -> None:
    """Send all records of the process to `stream` (standard error). Called once, in `programs/`.

    `levels` sets single rooms: {"kube": "DEBUG"}. An unknown level is a ValueError. Libraries speak from WARNING on.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonForm() if form == "json" else TextForm())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("klamm").setLevel(level.upper())
    for name, own in (levels or {}).items():
        logging.getLogger(f"klamm.{name}").setLevel(own.upper())
    # asyncio's and aiohttp's access to these would look up process and thread names for each record.
    logging.logProcesses = logging.logThreads = logging.logMultiprocessing = False


class TextForm(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {key}={_quoted(value)}" for key, value in _facts(record).items())
        line = f"{_time(record)} {record.levelname:<7} {_room(record)}  {_one_line(_sentence(record))}"
        stack = _stack(record)
        indented = "".join(f"\n    | {_visible(part)}" for part in stack.splitlines()) if stack else ""
        return f"{line} {facts}{indented}" if facts else f"{line}{indented}"


class JsonForm(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": _time(record),
            "level": record.levelname,
            "room": _room(record),
            "message": _sentence(record),
            **_facts(record),
        }
        if stack := _stack(record):
            fields["stack"] = stack
        return _visible(json.dumps(fields, ensure_ascii=False, default=str))


def hide_secrets(text: str) -> str:
    """`text` without the shapes of secrets that we know."""
    return _SECRET_TEXT.sub(_HIDDEN, text)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _room(record: logging.LogRecord) -> str:
    return record.name.removeprefix("klamm.")


def _sentence(record: logging.LogRecord) -> str:
    return hide_secrets(record.getMessage())


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: Mapping[str, object] = getattr(record, "facts", {})
    return {key: _value(key, value) for key, value in facts.items() if value is not None}


def _value(key: str, value: object) -> Any:
    if _SECRET_FIELD.search(key):
        return _HIDDEN
    return value if isinstance(value, int | float | bool) else hide_secrets(str(value))


def _stack(record: logging.LogRecord) -> str:
    if not record.exc_info:
        return ""
    return hide_secrets(logging.Formatter().formatException(record.exc_info))


def _quoted(value: object) -> str:
    text = str(value)
    if _PLAIN.fullmatch(text) and text.isprintable():
        return text
    return _visible(json.dumps(text, ensure_ascii=False))


def _one_line(text: str) -> str:
    return _visible(text.replace("\r", "\\r").replace("\n", "\\n"))


def _visible(text: str) -> str:
    """With escapes for what ends lines, steers terminals or turns the direction of writing: names come from others."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1].replace("\x7f", "\\u007f") for one in text)
