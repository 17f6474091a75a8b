"""Golden files: `pytest tests/golden --accept` writes them anew; what changed is then read in the diff."""

from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="write the golden files from what the code makes now")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name."""

    def compare(name: str, text: str) -> None:
        file = Path(__file__).parent / name
        if request.config.getoption("--accept"):
            file.write_text(text)
        assert file.exists(), f"{name} is not there; make it with: pytest tests/golden --accept"
        assert text == file.read_text(), f"{name} differs; if that is meant: pytest tests/golden --accept"

    return compare
