"""What tests of this room share."""

from pathlib import Path

import pytest

from klamm.distribution.java import JavaHome


@pytest.fixture
def java(tmp_path: Path) -> JavaHome:
    """A Java of which nothing is there but what its key is made of."""
    (tmp_path / "java/lib").mkdir(parents=True)
    (tmp_path / "java/lib/modules").write_text("")
    (tmp_path / "java/release").write_text('JAVA_VERSION="21.0.8"\n')
    return JavaHome(tmp_path / "java", "21.0.8")
