"""Findings about a machine, each with its mend."""

import json
import socket
from pathlib import Path

import pytest
from tests.builders.commands import context

from klamm.cli import doctor
from klamm.cli.settings import LocalSettings, write_settings


@pytest.mark.parametrize(("version", "level"), [((3, 11, 0), "ok"), ((3, 14, 1), "ok"), ((3, 10, 9), "bad")])
def test_python(version: tuple[int, ...], level: str) -> None:
    assert [one.level for one in doctor.of_python(version)] == [level]


@pytest.mark.parametrize(
    ("meminfo", "levels"),
    [("MemAvailable: 8000000 kB\n", ["ok"]), ("MemAvailable: 800000 kB\n", ["look"]), ("", [])],
)
def test_memory(meminfo: str, levels: list[str]) -> None:
    assert [one.level for one in doctor.of_memory(meminfo)] == levels


def test_a_folder_that_will_be_made_is_fine(tmp_path: Path) -> None:
    (found,) = doctor.of_folder("home", tmp_path / "not" / "yet", "KLAMM_HOME")
    assert found.level in ("ok", "look")
    assert "free" in found.told


def test_a_file_in_the_place_of_a_folder_forbids(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    (found,) = doctor.of_folder("home", tmp_path / "home", "KLAMM_HOME")
    assert (found.level, "KLAMM_HOME" in found.mend) == ("bad", True)


def test_java_that_is_none(tmp_path: Path) -> None:
    (found,) = doctor.of_java(tmp_path)
    assert found.level == "bad"
    assert "unset KLAMM_JAVA_HOME" in found.mend


def test_no_release_yet_is_worth_a_look(tmp_path: Path) -> None:
    (found,) = doctor.of_releases(context(tmp_path).home, thorough=True)
    assert found.level == "look"


def test_a_cluster_left_by_a_crash_and_its_port_taken(tmp_path: Path) -> None:
    home = context(tmp_path).home
    assert [one.level for one in doctor.of_cluster(home)] == ["ok"]
    home.make()
    (home.run / "guardian.sock").touch()
    with socket.create_server(("127.0.0.1", 0)) as other:
        write_settings(home.settings, LocalSettings(api_port=other.getsockname()[1]))
        found = list(doctor.of_cluster(home))
    assert [one.level for one in found] == ["look", "bad"]
    assert "takes the home over" in found[0].mend
    assert "--api-port" in found[1].mend


def test_a_damaged_home_is_found(tmp_path: Path) -> None:
    home = context(tmp_path).home
    home.make()
    home.settings.write_text("no")
    assert [one.level for one in doctor.of_cluster(home)] == ["bad"]


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (["ok"], "klamm works here"),
        (["ok", "look"], "klamm works here; 1 finding worth a look"),
        (["bad"], "klamm cannot work here yet: 1 finding above forbids it"),
        (["bad", "bad"], "klamm cannot work here yet: 2 findings above forbid it"),
    ],
)
def test_the_verdict(levels: list[doctor.Level], said: str) -> None:
    assert doctor.verdict([doctor.Finding("x", level, "") for level in levels]) == said


def test_findings_for_programs(tmp_path: Path) -> None:
    made = context(tmp_path, "json")
    made.give({"works": True})
    assert json.loads(made.printed) == {"works": True}
