"""One result for several."""

from datetime import timedelta

import pytest

from klamm.control.results import DONE, Again, Blocked, Result, combined

TABLE: list[tuple[str, list[Result], Result]] = [
    ("nothing to do is done", [], DONE),
    ("all done is done", [DONE, DONE], DONE),
    ("one blocked is blocked", [DONE, Blocked("x")], Blocked("x")),
    ("the soonest decides when", [Again(5, "a"), Again(timedelta(seconds=2), "b")], Again(2.0, "a; b")),
    ("time beats the user, and both are told", [Blocked("x"), Again(9, "a")], Again(9, "x; a")),
    ("a known time beats the back-off", [Again(None, "a"), Again(60, "b")], Again(60, "a; b")),
    ("back-off alone stays back-off", [Again(None, "a"), DONE], Again(None, "a")),
]


@pytest.mark.parametrize(("case", "results", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_combined(case: str, results: list[Result], expected: Result) -> None:
    assert combined(results) == expected


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (DONE, "done"),
        (Again(2.5, "pods start"), "again after 2.5 s, because pods start"),
        (Again(None, "pods start"), "again soon, because pods start"),
        (Blocked("spec.kafka.replicas is 0"), "blocked, because spec.kafka.replicas is 0"),
    ],
)
def test_results_read_as_sentences(result: Result, sentence: str) -> None:
    assert str(result) == sentence
