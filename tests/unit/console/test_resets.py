"""What a reset of offsets would do, why it may not be, and the equal command: the planner alone."""

from dataclasses import replace

import pytest

from klamm.console.groups.resets import Observed, Wish, iso, plan, reason_changed, reason_not_to_reset
from klamm.console.groups.undos import Undos

_SEEN = Observed(
    group="shop",
    type="classic",
    state="Empty",
    members=0,
    partitions=[("orders", 0), ("orders", 1)],
    committed={("orders", 0): 50},
    earliest={("orders", 0): 10, ("orders", 1): 0},
    latest={("orders", 0): 100, ("orders", 1): 7},
    at_time={("orders", 0): 42, ("orders", 1): -1},
)
_TOOL = "kafka-consumer-groups.sh --bootstrap-server b:9092 --group shop --reset-offsets"


@pytest.mark.parametrize(
    ("wish", "new", "command"),
    [
        (Wish("earliest"), [10, 0], f"{_TOOL} --topic orders:0,1 --to-earliest --execute"),
        (Wish("latest"), [100, 7], f"{_TOOL} --topic orders:0,1 --to-latest --execute"),
        (
            Wish("time", millis=1_700_000_000_123),
            [42, 7],
            f"{_TOOL} --topic orders:0,1 --to-datetime 2023-11-14T22:13:20.123 --execute",
        ),
        (Wish("offset", 12), [12, None], f"{_TOOL} --topic orders:0 --to-offset 12 --execute"),
        (Wish("offset", 5), [50, 5], f"{_TOOL} --topic orders:1 --to-offset 5 --execute"),
        (Wish("shift", 20), [70, None], f"{_TOOL} --topic orders:0 --shift-by 20 --execute"),
        (Wish("shift", -99), [10, None], f"{_TOOL} --topic orders:0 --shift-by -99 --execute"),
        (Wish("shift", 99), [100, None], f"{_TOOL} --topic orders:0 --shift-by 99 --execute"),
        (
            Wish("group", offsets={("orders", 0): 33}, other="other"),
            [33, None],
            f"{_TOOL} --from-file offsets.csv --execute",
        ),
        (
            Wish("undo", offsets={("orders", 0): 9, ("orders", 1): None}),
            [9, None],
            f"{_TOOL} --from-file offsets.csv --execute",
        ),
    ],
)
def test_where_each_partition_goes(wish: Wish, new: list[int | None], command: str) -> None:
    made = plan(wish, _SEEN, "b:9092")
    assert [line.new for line in made.lines] == new
    assert [line.old for line in made.lines] == [50, None]
    assert made.command == command
    assert made.refused is None


@pytest.mark.parametrize(
    ("wish", "partition", "why"),
    [
        (Wish("offset", 5), 0, "5 is before the log's beginning at 10"),
        (Wish("offset", 101), 0, "101 is beyond the log's end at 100"),
        (Wish("shift", 1), 1, "nothing is committed that could be shifted"),
        (Wish("group", offsets={("orders", 0): 1}, other="far"), 0, "1 is before the log's beginning at 10"),
        (Wish("group", offsets={}, other="far"), 1, "group far has committed nothing here"),
    ],
)
def test_why_a_partition_stays_as_it_is(wish: Wish, partition: int, why: str) -> None:
    line = plan(wish, _SEEN).lines[partition]
    assert (line.why_not, line.new, line.changes) == (why, line.old, False)


def test_a_partition_without_a_leader_stays_and_says_so() -> None:
    line = plan(Wish("earliest"), replace(_SEEN, earliest={}, latest={})).lines[0]
    assert line.why_not is not None
    assert "nobody leads it" in line.why_not


def test_a_shift_ends_at_the_log_and_says_so_as_the_tool_does() -> None:
    assert plan(Wish("shift", -99), _SEEN).lines[0].remark == "-49 is before the log's beginning: the beginning"
    assert plan(Wish("time", millis=1), _SEEN).lines[1].remark == "no record is so young: the end"


def test_an_undo_is_exact_even_where_the_log_has_moved_on() -> None:
    first, second = plan(Wish("undo", offsets={("orders", 0): 9, ("orders", 1): None}), _SEEN).lines
    assert (first.new, first.changes) == (9, True)
    assert first.remark == "9 is before the log's beginning at 10. A consumer goes where its auto.offset.reset says"
    assert (second.new, second.changes) == (None, False)  # nothing was committed, and nothing is


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"state": "Dead", "members": None}, None),
        ({"state": ""}, None),
        ({"state": "Stable", "members": 2}, "members in it: 2"),
        ({"state": "", "members": 1}, "members in it: 1"),
        ({"state": "PreparingRebalance", "members": 0}, "its state is PreparingRebalance"),
        ({"state": "Assigning", "type": "consumer"}, "its state is Assigning"),
        ({"type": "share"}, "kafka-share-groups.sh --reset-offsets"),
        ({"type": "streams"}, None),
        ({"type": "streams", "state": "NotReady", "members": None}, "its state is NotReady"),
    ],
)
def test_why_a_group_may_not_be_reset(changes: dict[str, object], why: str | None) -> None:
    said = reason_not_to_reset(replace(_SEEN, **changes))  # type: ignore[arg-type]
    assert said is None if why is None else said is not None and why in said


def test_a_plan_that_changes_nothing_says_so() -> None:
    assert plan(Wish("offset", 50), replace(_SEEN, partitions=[("orders", 0)])).refused == "nothing would change"


def test_a_streams_group_has_its_own_tool_and_keeps_its_state() -> None:
    made = plan(Wish("earliest"), replace(_SEEN, type="streams"))
    assert made.command.startswith("kafka-streams-groups.sh ")
    assert "--input-topic orders:0,1" in made.command
    assert made.lines[0].remark == (
        "what the application stored and its internal topics stay; Kafka's own tool deletes those topics"
    )


def test_names_are_quoted_for_a_shell() -> None:
    assert "--group 'a b; rm'" in plan(Wish("earliest"), replace(_SEEN, group="a b; rm")).command


def test_what_somebody_changed_in_between_is_not_overwritten() -> None:
    assert reason_changed(_SEEN, ("orders", 0), 50, 60) is None
    assert reason_changed(_SEEN, ("orders", 0), 49, 60) is not None
    assert reason_changed(_SEEN, ("orders", 1), None, -1) == "-1 is no offset; the least is 0"


def test_times_are_written_to_the_millisecond() -> None:
    assert iso(0) == "1970-01-01T00:00:00.000"
    assert iso(1_700_000_000_999) == "2023-11-14T22:13:20.999"


def test_old_offsets_are_kept_within_bounds() -> None:
    undos = Undos(of_a_group=2, groups=2, lines=5)
    for number in range(3):
        undos.add("a", float(number), "anna", "x", {("t", number): 1}, {("t", number): 2})
    assert [one.at for one in undos.of("a")] == [2.0, 1.0]
    undos.add("b", 3.0, "anna", "x", {("t", 0): 1}, {})
    undos.add("c", 4.0, "anna", "x", {("t", 0): 1}, {})
    assert undos.of("a") == []  # it was reset longest ago
    undos.add("c", 5.0, "anna", "x", {("t", each): 1 for each in range(5)}, {})
    assert [one.at for one in undos.of("c")] == [5.0]
    assert undos.of("b") == []
    assert undos.find("c", undos.of("c")[0].number) is not None
    assert undos.find("c", 1) is None
