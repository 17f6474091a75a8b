"""From where to where records are read."""

import pytest

from klamm.console.records.plan import BACKWARD, MODES, Cursor, Span, cursor_of, planned, resumed

_KEPT = {0: Span(10, 100)}

_TABLE = [
    ("from the beginning", "EARLIEST", None, None, Span(10, 100)),
    ("back from the end", "LATEST", None, None, Span(10, 100)),
    ("from an offset", "FROM_OFFSET", 50, None, Span(50, 100)),
    ("from an offset that is gone", "FROM_OFFSET", 3, None, Span(10, 100)),
    ("from an offset that is not there yet", "FROM_OFFSET", 200, None, Span(200, 100)),
    ("up to an offset, which is shown, too", "TO_OFFSET", 50, None, Span(10, 51)),
    ("up to an offset beyond the end", "TO_OFFSET", 500, None, Span(10, 100)),
    ("from a time", "FROM_TIMESTAMP", None, 70, Span(70, 100)),
    ("from a time after all records", "FROM_TIMESTAMP", None, None, Span(100, 100)),
    ("up to a time", "TO_TIMESTAMP", None, 70, Span(10, 70)),
    ("up to a time after all records", "TO_TIMESTAMP", None, None, Span(10, 100)),
    ("what comes", "TAILING", None, None, Span(100, 100)),
]


@pytest.mark.parametrize(
    ("mode", "offset", "young", "span"), [row[1:] for row in _TABLE], ids=[row[0] for row in _TABLE]
)
def test_a_mode_says_which_offsets(mode: str, offset: int | None, young: int | None, span: Span) -> None:
    plan = planned(mode, _KEPT, offset, {0: young})
    assert plan.spans == {0: span}
    assert plan.backward == (mode in BACKWARD)


def test_every_mode_of_an_empty_partition_reads_nothing() -> None:
    for mode in MODES:
        assert all(one.is_empty for one in planned(mode, {0: Span(5, 5)}, offset=5, young={0: None}).spans.values())


@pytest.mark.parametrize("text", ["f.0:15", "b.0:15,1:20", "f.10:0"])
def test_a_cursor_is_read_as_it_was_written(text: str) -> None:
    assert str(cursor_of(text)) == text


@pytest.mark.parametrize("text", ["", "f.", "x.0:1", "f.0:1,", "f.0:-1", "f.a:1", "f.0:1 "])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert cursor_of(text) is None


def test_a_cursor_goes_on_where_it_was_as_far_as_that_is_kept() -> None:
    forward, backward = Cursor(False, {0: 50}), Cursor(True, {0: 50})
    assert resumed(forward, {0: Span(10, 120)}).spans == {0: Span(50, 120)}
    assert resumed(forward, {0: Span(70, 120)}).spans == {0: Span(70, 120)}
    assert resumed(backward, {0: Span(10, 120)}).spans == {0: Span(10, 50)}
    assert resumed(backward, {0: Span(70, 120)}).spans[0].is_empty
    assert resumed(forward, {}).spans[0].is_empty
