"""Configurations, as brokers tell them.

Of a topic that is some thirty settings, most of them the same in every topic: an answer about many topics is not taken
apart by the library, which makes an object of each setting (a quarter of a second for 500 topics of two clusters).
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from klamm.base.pieces import in_pieces
from klamm.kafka.facts import ConfigValue
from klamm.kafka.packed import Answer, after_tags, length, text

VERSIONS = (4, 4)
"""Of DescribeConfigs, those that are read here; Kafka 2.8 and newer knows them."""
ABSENT = frozenset({3, 17})
"""UNKNOWN_TOPIC_OR_PARTITION; INVALID_TOPIC, a name that no topic can have."""

_DYNAMIC_TOPIC, _DYNAMIC_BROKER = 1, 2  # DescribeConfigsResponse.ConfigSource
Values = dict[str, ConfigValue]


async def config_values(doing: str, answer: Any) -> dict[str, Values]:
    """Of an answer to DescribeConfigs, ours or the library's, by topic or broker; topics that do not exist are left
    out."""
    from klamm.kafka.answers import from_code

    read = results_in(answer) if isinstance(answer, Answer) else _results_of(answer.results)
    found = {}
    async for one in in_pieces(read):
        if one.error_code in ABSENT:
            continue
        if one.error_code:
            raise from_code(doing, one.error_code, one.error_message)
        found[one.name] = one.values
    return found


class Result(NamedTuple):
    """`error_code` 0: none. `name`: of the topic, or the broker."""

    error_code: int
    error_message: str | None
    name: str
    values: Values


def results_in(answer: Answer) -> Iterator[Result]:
    """Topic by topic, or broker by broker."""
    body, before = answer.body, _Before()
    count, at = length(body, 4)
    for _ in range(count):
        code = int.from_bytes(body[at : at + 2], signed=True)
        message, at = text(body, at + 2)
        name, at = text(body, at + 1)
        if before.told and body.startswith(before.told, at):
            at += len(before.told)
        else:
            at = _read(body, at, before)
        at = after_tags(body, at)
        yield Result(code, message, name or "", before.values.copy())


class _Setting(NamedTuple):
    """`told`: the very bytes."""

    told: bytes
    name: str
    value: ConfigValue


class _Before:
    """What was read last: the very bytes, what they say, and what stood at each place."""

    def __init__(self) -> None:
        self.told = b""
        self.values: Values = {}
        self.settings: list[_Setting] = []


def _read(body: bytes, begin: int, before: _Before) -> int:
    """`before` is brought up to date; where it ends."""
    count, at = length(body, begin)
    values, settings = {}, before.settings
    for place in range(count):
        if place == len(settings) or not body.startswith(settings[place].told, at):
            settings[place : place + 1] = [_setting(body, at)]
        told, name, value = settings[place]
        values[name] = value
        at += len(told)
    before.told, before.values = body[begin:at], values
    return at


def _setting(body: bytes, begin: int) -> _Setting:
    name, at = text(body, begin)
    value, at = text(body, at)
    read_only, source, sensitive = body[at : at + 3]
    synonyms, at = length(body, at + 3)
    for _ in range(synonyms):
        _, at = text(body, at)
        _, at = text(body, at)
        at = after_tags(body, at + 1)
    _, at = text(body, at + 1)  # documentation, after the type
    at = after_tags(body, at)
    return _Setting(body[begin:at], name or "", _value(value, bool(read_only), source, bool(sensitive)))


def _results_of(results: Iterable[Any]) -> Iterator[Result]:
    """The same of an answer that the library read."""
    for result in results:
        values = {
            one.name: _value(one.value, one.read_only, one.config_source, one.is_sensitive) for one in result.configs
        }
        yield Result(result.error_code, result.error_message, result.resource_name, values)


def _value(value: str | None, read_only: bool, source: int, sensitive: bool) -> ConfigValue:
    return ConfigValue(value, source in (_DYNAMIC_TOPIC, _DYNAMIC_BROKER), bool(read_only), bool(sensitive))
