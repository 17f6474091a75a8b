"""Filters: what they see, and what becomes of those that are wrong, endless or greedy."""

import sys
from typing import Any

import pytest

from klamm.console.records.cel import BadFilter, Filter, compiled
from klamm.console.records.shown import Header, Message, Side

_PATIENCE = 60.0
"""Seconds, on a machine that does much else."""

_ENDLESS = (
    "[1,2,3,4,5,6,7,8,9,10]"
    + "".join(f".all(a{at}, [1,2,3,4,5,6,7,8,9,10]" for at in range(9))
    + ".size() > 0"
    + ")" * 9
)


def _message(value: str | None = '{"total": 150, "id": 9007199254740993}', kind: str = "json", **more: Any) -> Message:
    side = Side(kind, value, "Auto", 1) if value is not None else Side("null", None, "Auto", None)
    key = Side("text", "k7", "Auto", 2)
    return Message(1, 42, None, 1_700_000_000_000, "CREATE_TIME", key, side, (Header("trace", "t"),), 3)


@pytest.mark.parametrize(
    "expression",
    [
        "record.value.total > 100",
        "record.value.id == 9007199254740993",
        'record.key == "k7" && record.keyAsText == "k7"',
        'record.valueAsText.contains("total")',
        'record.headers.trace == "t" && !("other" in record.headers)',
        "record.partition == 1 && record.offset == 42 && record.timestampMs > 1600000000000",
        "has(record.value.total) && !has(record.value.nothing) && type(record.value.total) == int",
    ],
)
async def test_a_filter_sees_the_record(expression: str) -> None:
    async with Filter(expression, _PATIENCE) as judge:
        assert await judge.verdicts([_message()]) == [True]


async def test_what_a_filter_cannot_look_at_does_not_match_and_says_why() -> None:
    async with Filter("record.value.total > 100", _PATIENCE) as judge:
        messages = [_message(), _message("no json", "text"), _message(None), _message('{"total": 7}')]
        verdicts = await judge.verdicts(messages)
    assert (verdicts[0], verdicts[3]) == (True, False)
    assert all(isinstance(one, str) for one in verdicts[1:3])


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("record.value.", "is no CEL"),
        ("value.total > 1", "knows only `record`, and not value"),
        ("x" * 5000, "4096 are the most"),
    ],
)
async def test_a_wrong_filter_says_what_is_wrong(expression: str, said: str) -> None:
    with pytest.raises(BadFilter, match=said):
        async with Filter(expression):
            raise AssertionError("it was taken")


def test_an_answer_that_is_no_truth_is_told() -> None:
    record = {"isJson": [False, False], "keyAsText": "a", "valueAsText": "b"}
    assert compiled("record.key")(record) == "it answers 'a' and not true or false"


def test_whole_numbers_beyond_64_bits_are_compared_as_floating_ones() -> None:
    record = {"isJson": [False, True], "keyAsText": None, "valueAsText": '{"n": 99999999999999999999}'}
    assert compiled("record.value.n > 1e18")(record) is True


async def test_a_filter_that_does_not_end_is_stopped_and_told() -> None:
    async with Filter(_ENDLESS, patience=0.5) as judge:
        process = judge._process
        assert process is not None
        with pytest.raises(BadFilter, match=r"did not end within 0\.5 s"):
            await judge.verdicts([_message()])
        assert process.returncode is not None
        with pytest.raises(BadFilter, match="was stopped"):
            await judge.verdicts([_message()])


async def test_a_filter_that_wants_all_memory_ends_its_own_process_only() -> None:
    greedy = "record.valueAsText" + ".replace('a', 'aaaaaaaaaa')" * 9 + ".size() > 0"
    async with Filter(greedy, patience=_PATIENCE) as judge:
        try:
            (verdict,) = await judge.verdicts([_message("a" * 1000, "text")])
        except BadFilter:
            return
        assert verdict is not True
    assert sys.getsizeof(verdict) < 10_000
