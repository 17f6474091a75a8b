"""Words of a query, read as Kubernetes reads them (tests/conformance/cases/queries.yaml asks it)."""

import pytest

from klamm.localkube.apiserver.queries import flag, number
from klamm.localkube.objects import Refused


@pytest.mark.parametrize("text", ["", "1", "true", "TRUE", "t", "no", "2"])
def test_any_word_but_two_says_yes(text: str) -> None:
    assert flag({"watch": text}, "watch")


@pytest.mark.parametrize("query", [{}, {"watch": "0"}, {"watch": "false"}, {"watch": "False"}, {"follow": "1"}])
def test_two_words_and_silence_say_no(query: dict[str, str]) -> None:
    assert not flag(query, "watch")


def test_a_number_is_whole_or_not_said() -> None:
    assert (number({}, "limit"), number({"limit": "-5"}, "limit")) == (None, -5)


@pytest.mark.parametrize("text", ["", "abc", "1.5"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="invalid syntax"):
        number({"limit": text}, "limit")
