"""One record, one line, no secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from klamm.base import logs


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root, klamm = logging.getLogger(), logging.getLogger("klamm")
    before = (root.handlers[:], root.level, klamm.level)
    yield
    root.handlers[:], root.level, klamm.level = before[0], before[1], before[2]


def _written(form: logs.Form = "text", level: str = "INFO") -> io.StringIO:
    stream = io.StringIO()
    logs.set_up(level, form, stream)
    return stream


def test_a_line_has_time_level_room_sentence_and_facts() -> None:
    stream = _written()
    logs.room("control").info("pass ended", kind="Kafka", seconds=0.25, because="a b")
    time, rest = stream.getvalue().split(" ", 1)
    assert len(time) == len("2026-03-01T12:00:00.123Z")
    assert rest == 'INFO    control  pass ended  kind=Kafka seconds=0.25 because="a b"\n'


def test_the_json_form_has_the_same_as_fields() -> None:
    stream = _written("json")
    logs.room("control").about(kind="Kafka").info("pass ended", seconds=0.25)
    fields = json.loads(stream.getvalue())
    del fields["time"]
    expected = {"level": "INFO", "room": "control", "message": "pass ended", "kind": "Kafka", "seconds": 0.25}
    assert fields == expected


SECRETS = [
    ("a password field", {"password": "s3cr3t"}, "sentence"),
    ("a token field", {"bearer_token": "s3cr3t"}, "sentence"),
    ("a bearer token in the text", {}, "header Authorization: Bearer s3cr3t was refused"),
    ("a JAAS password in a field", {"setting": 'ScramLoginModule required password="s3cr3t";'}, "sentence"),
    ("a private key", {"file": "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----"}, "sentence"),
    ("a cut-off private key", {}, "-----BEGIN EC PRIVATE KEY-----\ns3cr3t"),
]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(("case", "facts", "sentence"), SECRETS, ids=[row[0] for row in SECRETS])
def test_secrets_are_hidden(case: str, facts: dict[str, str], sentence: str, form: logs.Form) -> None:
    stream = _written(form)
    logs.room("kube").info(sentence, **facts)
    assert "s3cr3t" not in stream.getvalue()
    assert "[hidden]" in stream.getvalue()


def test_a_message_with_line_ends_stays_on_one_line() -> None:
    stream = _written()
    logs.room("kube").info("first\nsecond")
    assert stream.getvalue().count("\n") == 1


def test_the_stack_of_an_error_follows_indented() -> None:
    stream = _written()
    try:
        raise ValueError("Bearer s3cr3t")
    except ValueError as error:
        logs.room("kube").error("our bug", error)
    first, *stack = stream.getvalue().splitlines()
    assert first.endswith("kube  our bug")
    assert all(line.startswith("    | ") for line in stack)
    assert stack[-1].endswith("ValueError: Bearer [hidden]")


def test_levels_below_the_set_one_are_not_written_and_single_rooms_differ() -> None:
    stream = io.StringIO()
    logs.set_up("WARNING", "text", stream, {"kube": "DEBUG"})
    logs.room("control").info("not this")
    logs.room("kube.watching").debug("but this")
    assert "not this" not in stream.getvalue()
    assert "but this" in stream.getvalue()


def test_libraries_records_come_in_the_same_form() -> None:
    stream = _written()
    logging.getLogger("aiohttp.client").warning("odd %s", "answer")
    assert stream.getvalue().endswith("WARNING aiohttp.client  odd answer\n")
