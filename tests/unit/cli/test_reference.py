"""The page about the command line says what the parser does."""

from pathlib import Path

import pytest

from klamm.cli.reference import reference, with_reference

PAGE = Path(__file__).parents[3] / "docs/guides/command-line.md"


def test_the_page_is_fresh() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_reference(text) == text, "make generate"


def test_every_command_is_there() -> None:
    text = reference()
    for command in ("up", "down", "status", "kubeconfig", "get", "apply", "delete", "logs", "exec", "doctor"):
        assert f"### `klamm {command}`" in text
    assert "### `klamm import topics`" in text
    assert "- `--no-wait`: return before it is gone" in text


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="needs one"):
        with_reference("# Page")
