from dataclasses import replace

import pytest

from klamm.observing.patience import FIRST, LEAST, MOST, SHORT, TOGETHER, limit, wait
from klamm.observing.snapshot import Part

ANSWERED = Part(read_at=1.0, seconds=0.1)


def test_a_question_may_take_four_times_as_long_as_the_broker_ever_takes() -> None:
    assert limit(None, 0.0) == FIRST
    assert limit(ANSWERED, 0.1) == LEAST
    assert limit(ANSWERED, 2.0) == 8.0, "it stands in line behind what takes 2 s"
    assert limit(None, 8.0) == 32.0
    assert limit(ANSWERED, 20.0) == MOST


def test_a_question_may_take_twice_as_long_after_each_failure() -> None:
    limits = [limit(replace(ANSWERED, row=row), 0.1) for row in range(6)]
    assert limits == [LEAST, 2 * LEAST, 4 * LEAST, 8 * LEAST, MOST, MOST]
    assert limit(Part(row=1), 0.0) == 2 * FIRST
    assert limit(replace(ANSWERED, row=2000), 0.1) == MOST


@pytest.mark.parametrize(
    ("part", "left", "late", "seconds", "because"),
    [
        (None, 3.0, False, 3.0, "whoever was never asked may need all the time that there is"),
        (ANSWERED, 3.0, False, 3.0, "whoever answers fast will"),
        (ANSWERED, 0.0, False, SHORT, "others have used up the time, and it needs little"),
        (replace(ANSWERED, seconds=0.45), -1.0, False, 0.9, "nor is who needs a little more made late by others"),
        (replace(ANSWERED, seconds=2.9), 0.0, False, 1.0, "but who needs much is"),
        (replace(ANSWERED, row=1), 3.0, False, SHORT, "it did not answer last time"),
        (replace(ANSWERED, seconds=TOGETHER + 0.1), 3.0, False, SHORT, "it never answers in time"),
        (ANSWERED, 3.0, True, 0.0, "it is late with something else right now"),
    ],
)
def test_how_long_a_collection_waits(part: Part | None, left: float, late: bool, seconds: float, because: str) -> None:
    assert wait(part, left, late) == seconds, because
