"""Which Java fits which Kafka, read from its release file."""

from pathlib import Path

import pytest

from klamm.distribution.java import JavaDoesNotFit, bundled, check, inspect


def java(folder: Path, version: str) -> Path:
    home = folder / f"java-{version}"
    for part in ("bin/java", "lib/modules"):
        (home / part).parent.mkdir(parents=True, exist_ok=True)
        (home / part).write_text("")
    (home / "release").write_text(f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{version}"\nOS_ARCH="x86_64"\n')
    return home


@pytest.mark.parametrize(
    ("version", "kafka", "fits"),
    [
        ("1.8.0_402", "3.6.0", False),
        ("11.0.22", "3.6.0", False),
        ("17.0.9", "3.5.0", True),
        ("17", "4.3.1", True),
        ("21.0.8", "3.6.0", True),
        ("22.0.1", "3.6.0", False),
        ("25.0.2", "3.5.1", False),
        ("25.0.2", "4.3.1", True),
        ("11.0.22", "4.3.1", False),
    ],
)
def test_java_fits_kafka(tmp_path: Path, version: str, kafka: str, fits: bool) -> None:
    found = inspect(java(tmp_path, version))
    if fits:
        check(found, kafka)
    else:
        with pytest.raises(JavaDoesNotFit, match=rf"Java {version}.*Kafka {kafka}"):
            check(found, kafka)


def test_a_folder_without_a_release_file_is_no_java(tmp_path: Path) -> None:
    with pytest.raises(JavaDoesNotFit, match="cannot read its release file"):
        inspect(tmp_path)


def test_what_links_lead_to_outside_is_known(tmp_path: Path) -> None:
    home = java(tmp_path, "17.0.9")
    settings = tmp_path / "etc-java"
    settings.mkdir()
    (home / "conf").symlink_to(settings)
    assert inspect(home).outside == (settings.resolve(),)


def test_another_build_of_one_version_has_another_key(tmp_path: Path) -> None:
    first = inspect(java(tmp_path, "21.0.8")).key
    (tmp_path / "java-21.0.8/lib/modules").write_text("another build")
    assert inspect(tmp_path / "java-21.0.8").key != first


def test_the_bundled_java_fits_every_release() -> None:
    for kafka in ("3.5.0", "3.5.1", "3.6.0", "4.3.1"):
        check(bundled(), kafka)
