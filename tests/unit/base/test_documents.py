"""What honest documents hold is read; what would end the process, or fill the machine, is refused with its place."""

import pytest
import yaml

from klamm.base import documents

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("", None),
        ("base: &b {k: v}\nother: *b", {"base": {"k": "v"}, "other": {"k": "v"}}),
        ("base: &b {k: v}\nother: {<<: *b, l: w}", {"base": {"k": "v"}, "other": {"k": "v", "l": "w"}}),
        ("- &x 1\n- *x", [1, 1]),
        ("[" * 150 + "]" * 150, None),
    ],
    ids=["mapping", "nothing", "alias", "merge", "scalar alias", "deep, but honest"],
)
def test_honest_documents_are_read(text: str, value: object) -> None:
    read = documents.read(text)
    assert value is None or read == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 50_000, "nested deeper than 200 levels"),
        ("{a: " * 50_000, "nested deeper than 200 levels"),
        ("- " * 50_000 + "x", "nested deeper than 200 levels"),
        ("a: &x [*x]", r"\*x stands in what it names"),
        (LAUGHS, "more than 1000000 nodes, aliases written out"),
    ],
    ids=["sequences", "mappings", "block sequences", "itself", "aliases of aliases"],
)
def test_hostile_documents_are_refused_with_their_place(text: str, why: str) -> None:
    with pytest.raises(yaml.YAMLError, match=rf"{why}\n.*line \d+, column \d+"):
        documents.read(text)


def test_every_document_of_a_stream_is_read() -> None:
    assert list(documents.read_all("a: 1\n---\n---\nb: 2\n")) == [{"a": 1}, None, {"b": 2}]
