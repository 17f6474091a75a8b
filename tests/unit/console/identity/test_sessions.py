"""Sessions end by themselves, and guessing takes its time."""

from itertools import count

import pytest

from klamm.console.access.rights import Principal
from klamm.console.identity import attempts, sessions
from klamm.console.identity.attempts import Attempts
from klamm.console.identity.sessions import Sessions

_ANN, _BEN = Principal("ann"), Principal("ben")


def _sessions() -> Sessions:
    numbers = count()
    return Sessions(lambda: f"token-{next(numbers)}")


def test_a_session_ends_when_it_is_idle_or_old_or_closed() -> None:
    known = _sessions()
    token = known.open(_ANN, 0)
    now = 0.0
    while now < sessions.LONGEST - sessions.IDLE:
        now += sessions.IDLE
        assert known.of(token, now) is _ANN
    assert known.of(token, sessions.LONGEST + 1) is None
    idle = known.open(_ANN, 0)
    assert known.of(idle, sessions.IDLE + 1) is None
    closed = known.open(_ANN, 0)
    assert known.close(closed) is _ANN
    assert (known.of(closed, 0), known.close(closed), len(known)) == (None, None, 0)


def test_to_ask_whether_a_session_stands_keeps_it_not_open() -> None:
    known = _sessions()
    token = known.open(_ANN, 0)
    assert known.stands(token, sessions.IDLE)
    assert not known.stands(token, sessions.IDLE + 1)
    assert known.of(token, sessions.IDLE + 1) is None
    assert not known.stands("token-1", 0)


def test_tokens_of_nobody_open_nothing() -> None:
    known = _sessions()
    known.open(_ANN, 0)
    for token in ("", "token-1", "TOKEN-0", "token-0 ", "\ud800", "x" * 100_000):
        assert known.of(token, 0) is None


def test_nobody_fills_the_table_and_one_user_not_the_others_places() -> None:
    known = _sessions()
    bens = known.open(_BEN, 0)
    anns = [known.open(_ANN, 1) for _ in range(sessions.MOST_OF_ONE + 5)]
    assert len(known) == sessions.MOST_OF_ONE + 1
    assert known.of(bens, 2) is _BEN
    assert known.of(anns[4], 2) is None
    assert known.of(anns[5], 2) is _ANN
    for number in range(sessions.MOST + 5):
        known.open(Principal(f"user-{number}"), 3)
    assert len(known) == sessions.MOST


def test_wrong_passwords_cost_a_growing_wait_that_is_forgotten() -> None:
    tries = Attempts()
    for _ in range(attempts.FREE):
        assert tries.wait("ann", 0) == 0
        tries.begun("ann", 0)
    waits = []
    now = 0.0
    for _ in range(10):
        waits.append(tries.wait("ANN", now))
        now += waits[-1]
        assert tries.wait("ann", now) == 0
        tries.begun("ann", now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert tries.wait("ben", now) == 0
    assert tries.wait("ann", now + attempts.FORGOTTEN + 1) == 0


@pytest.mark.parametrize("spelling", ["ann ", "  ann", "\tANN\n", "\uff41nn", "a\u00adnn", "an\u200bn", "ann\ufe0f"])
def test_another_spelling_is_no_other_account(spelling: str) -> None:
    tries = Attempts()
    for _ in range(attempts.FREE):
        tries.begun(spelling, 0)
    assert tries.wait("ann", 0) > 0
    assert tries.wait("a nn", 0) == 0


def test_the_right_password_takes_the_wait_away() -> None:
    tries = Attempts()
    for _ in range(attempts.FREE):
        tries.begun("ann", 0)
    tries.right("Ann")
    assert tries.wait("ann", 0) == 0


def test_of_very_many_accounts_the_oldest_are_forgotten() -> None:
    tries = Attempts()
    for number in range(attempts.MOST + 1):
        for _ in range(attempts.FREE):
            tries.begun(f"user-{number}", 0)
    assert tries.wait("user-0", 0) == 0
    assert tries.wait(f"user-{attempts.MOST}", 0) > 0
