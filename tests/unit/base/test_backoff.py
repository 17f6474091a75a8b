"""The sequence of waits."""

from itertools import islice
from random import Random

import pytest

from klamm.base.backoff import BackOff


def test_waits_double_up_to_the_longest() -> None:
    back_off = BackOff(first=1, factor=2, longest=10, jitter=0)
    assert list(islice(back_off.delays(Random(1)), 6)) == [1, 2, 4, 8, 10, 10]


def test_jitter_only_shortens_and_never_by_more_than_said() -> None:
    back_off, random = BackOff(first=8, longest=8, jitter=0.25), Random(1)
    waits = [back_off.delay(3, random) for _ in range(1000)]
    assert 6 <= min(waits) < 6.1
    assert 7.9 < max(waits) <= 8


@pytest.mark.parametrize("failures", [-1, 0, 1])
def test_the_first_wait_is_the_shortest(failures: int) -> None:
    assert BackOff(first=2, jitter=0).delay(failures, Random(1)) == 2


def test_a_million_failures_do_not_overflow() -> None:
    assert BackOff(longest=60, jitter=0).delay(1_000_000, Random(1)) == 60
