"""What is found by text: by bytes where they are shown as they are, else by what is shown."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from klamm.console.api.messages import chosen, csv_line, purged_before
from klamm.console.problems import Problem
from klamm.console.records.selection import Selection
from klamm.console.records.shown import CUT, Header, Message, Showing, Side, shortened
from klamm.console.serdes import Part, Shown
from klamm.console.serdes.builtin import BUILT_IN, BuiltIns
from klamm.kafka.batches import Batch, batches_in
from klamm.kafka.writing import NewRecord, batch_of


class _Masked(BuiltIns):
    """Values are hidden."""

    def masks(self, topic: str) -> bool:
        return True

    def masked(self, topic: str, part: Part, shown: Shown) -> Shown:
        return replace(shown, text="***") if part == "value" else shown


def _batch(*values: bytes | None, key: bytes | None = None) -> Batch:
    (batch,) = batches_in(0, batch_of([NewRecord(key, one, 0, (("trace", b"in a header"),)) for one in values]))
    return batch


async def _found(text: str, batch: Batch, serde: str = "Auto", serdes: BuiltIns | None = None) -> list[int]:
    showing = Showing("orders", serdes or BuiltIns(), BUILT_IN["Auto"], BUILT_IN[serde])
    selection = Selection(showing, text)
    fitting = selection.fitting(batch, is_among=True)
    verdicts = await selection.verdicts(await showing.show(fitting))
    return [one.offset for one, verdict in zip(fitting, verdicts, strict=True) if verdict is True]


async def test_a_text_is_found_in_values_keys_and_headers() -> None:
    assert await _found("two", _batch(b"one", b"two", None)) == [1]
    assert await _found("in a key", _batch(b"one", b"two", key=b"in a key")) == [0, 1]
    assert await _found("a header", _batch(b"one")) == [0]
    assert await _found("trace", _batch(b"one")) == [0]
    assert await _found("three", _batch(b"one", b"two")) == []


async def test_what_bytes_do_not_tell_is_found_in_what_is_shown() -> None:
    number = (1234567).to_bytes(4, "big")
    assert await _found("1234567", _batch(number), serde="Int32") == [0]
    assert await _found(number.hex(), _batch(number)) == [0]


async def test_what_is_masked_is_not_found() -> None:
    assert await _found("secret", _batch(b"a secret"), serdes=_Masked()) == []
    assert await _found("***", _batch(b"a secret"), serdes=_Masked()) == [0]


def test_records_are_made_only_of_batches_that_hold_the_text() -> None:
    showing = Showing("orders", BuiltIns(), BUILT_IN["Auto"], BUILT_IN["Auto"])
    batch = _batch(b"one", b"two")
    assert Selection(showing, "three").fitting(batch, is_among=False) == []
    assert batch._body is None


def _message(key: str | None, value: str) -> Message:
    time = 1_700_000_000_000
    headers = (Header("h", "x"),)
    return Message(0, 1, "2023-11-14T22:13:20.000Z", time, "CREATE_TIME", _side(key), _side(value), headers, 3)


def _side(text: str | None) -> Side:
    return Side("null", None, "Auto", None) if text is None else Side("text", text, "Auto", len(text))


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+x", "'+x"),
        ("@x", "'@x"),
        ("-x", "'-x"),
        ("-5", "-5"),
        ('a"b', '"a""b"'),
    ],
)
def test_a_sheet_runs_nothing_that_a_record_brings(value: str, cell: str) -> None:
    line = csv_line(_message(None, value)).decode()
    assert line == f'0,1,2023-11-14T22:13:20.000Z,,{cell},"[[""h"",""x""]]"\r\n'


def test_a_list_shows_the_beginning_of_what_is_long() -> None:
    long = shortened(_message("k", "v" * (CUT + 1)))
    assert (len(long.value.text or ""), long.value.cut, long.value.size) == (CUT, True, CUT + 1)
    assert not long.key.cut


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", {0: -1, 1: -1, 2: -1}), ("1", {1: -1}), ("0:15,2", {0: 15, 2: -1}), ("2 : 7", {2: 7})],
)
def test_what_is_purged_is_said_by_partition(text: str, expected: dict[int, int]) -> None:
    assert purged_before(text, [0, 1, 2]) == expected


@pytest.mark.parametrize("text", ["7", "x", "1:x", "1:-5", "1,"])
def test_what_is_no_list_of_partitions_is_refused(text: str) -> None:
    with pytest.raises(Problem):
        purged_before(text, [0, 1, 2])


def test_all_partitions_are_chosen_when_none_is_named() -> None:
    there: Sequence[int] = [0, 1, 2]
    assert chosen("", there) == [0, 1, 2]
    assert chosen("2, 0", there) == [0, 2]
