"""Homes: laid out like a release, whole or not there, mended when a jar was changed."""

import shutil
from pathlib import Path

from tests.builders.kafka_release import fake_release, fill

from klamm.distribution.homes import KafkaHome, altered, build, home_of, is_whole
from klamm.distribution.store import Store

RELEASE = fake_release()


def built(folder: Path) -> tuple[Store, KafkaHome]:
    store = Store(folder)
    fill(store)
    return store, build(store, RELEASE)


def test_a_home_has_the_folders_of_a_release_and_the_scripts_of_pods(tmp_path: Path) -> None:
    _, home = built(tmp_path)
    assert {path.name for path in home.path.iterdir()} == {
        *("bin", "config", "libs", "agents", "archives"),
        *("kafka_run.sh", "kafka_readiness.sh", "kafka_liveness.sh", "pod_jvm.sh"),
        *("zookeeper_run.sh", "zookeeper_healthcheck.sh"),
    }
    assert is_whole(home, RELEASE)


def test_jars_are_links_and_the_agent_is_not_on_the_class_path(tmp_path: Path) -> None:
    store, home = built(tmp_path)
    broker = RELEASE.artifacts[1].coordinate
    linked = home.path / "libs" / broker.file_name
    assert linked.stat().st_ino == (store.artifacts / broker.path).stat().st_ino
    assert (home.path / "agents/jmx_prometheus_javaagent-0.20.0.jar").exists()
    assert "javaagent" not in (home.path / "libs/class-path.sh").read_text()


def test_a_second_build_finds_the_first(tmp_path: Path) -> None:
    store, home = built(tmp_path)
    before = home.path.stat().st_mtime_ns
    assert build(store, RELEASE) == home
    assert home.path.stat().st_mtime_ns == before


def test_a_jar_that_was_cut_off_makes_the_home_unwhole_and_a_build_mends_it(tmp_path: Path) -> None:
    store, home = built(tmp_path)
    jar = home.path / "libs/zookeeper-3.8.2.jar"
    jar.unlink()
    jar.write_bytes(b"cut")
    assert not is_whole(home, RELEASE)
    build(store, RELEASE)
    assert is_whole(home, RELEASE)


def test_what_a_crash_left_half_made_does_not_count(tmp_path: Path) -> None:
    store, home = built(tmp_path)
    shutil.rmtree(home.path)
    (home.path.with_name(f".{home.path.name}.1.new") / "bin").mkdir(parents=True)
    assert not is_whole(home_of(store, RELEASE), RELEASE)
    assert is_whole(build(store, RELEASE), RELEASE)


def test_a_changed_script_is_found_by_reading(tmp_path: Path) -> None:
    _, home = built(tmp_path)
    script = home.path / "bin/kafka-topics.sh"
    script.chmod(0o755)
    script.write_text("#!/bin/sh\nexit 1\n")
    assert altered(home, RELEASE) == ["bin/kafka-topics.sh"]


def test_jars_that_archives_remember_are_part_of_the_whole(tmp_path: Path) -> None:
    store, home = built(tmp_path)
    shutil.rmtree(home.archives / "libs")
    assert not is_whole(home, RELEASE)
    assert is_whole(build(store, RELEASE), RELEASE)
