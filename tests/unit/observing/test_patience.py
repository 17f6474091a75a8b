from dataclasses import replace

from klamm.observing.patience import FIRST, LEAST, MOST, SHORT, patience
from klamm.observing.snapshot import Part

ANSWERED = Part(read_at=1.0, seconds=0.1)


def test_who_was_never_asked_is_given_time() -> None:
    assert patience(None) == FIRST


def test_who_answers_fast_is_waited_for_as_long_as_it_usually_takes_four_times() -> None:
    assert patience(ANSWERED) == LEAST
    assert patience(replace(ANSWERED, seconds=2.0)) == 8.0
    assert patience(replace(ANSWERED, seconds=20.0)) == MOST


def test_who_hangs_costs_a_second_and_every_fourth_time_twice_as_long() -> None:
    waits = [patience(replace(ANSWERED, row=row)) for row in range(1, 17)]
    assert waits[:8] == [SHORT, SHORT, SHORT, 2 * LEAST, SHORT, SHORT, SHORT, 4 * LEAST]
    assert max(waits) <= MOST


def test_who_never_answered_is_given_more() -> None:
    waits = [patience(Part(row=row)) for row in range(9)]
    assert waits == [FIRST, LEAST, LEAST, LEAST, 2 * FIRST, LEAST, LEAST, LEAST, MOST]


def test_who_needs_long_is_waited_for_in_the_end() -> None:
    part = replace(ANSWERED, seconds=0.1)
    for _ in range(20):
        part = part.failed("too slow")
    assert any(patience(replace(part, row=row)) >= 25.0 for row in range(1, 21))
