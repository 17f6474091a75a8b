"""What container images hold is what pods on one machine see, and the Dockerfiles say the same as the code."""

import json
import os
import re
from pathlib import Path

import pytest

from klamm.distribution import containers
from klamm.distribution.artifacts import release
from klamm.distribution.homes import KafkaHome, home_of
from klamm.distribution.images import ImageContent, Images, PythonRuntime
from klamm.distribution.java import JavaHome
from klamm.distribution.store import Store

CHECKOUT = Path(__file__).resolve().parents[3]
PYTHON = PythonRuntime("/opt/klamm/venv/bin/python", "/opt/klamm/venv", "/usr", "/opt/klamm/src/klamm")


@pytest.fixture
def home(tmp_path: Path) -> KafkaHome:
    return home_of(Store(tmp_path / "store"), release("3.6.0"))


def environment_of(dockerfile: str) -> dict[str, str]:
    text = (CHECKOUT / "images" / dockerfile / "Dockerfile").read_text()
    (block,) = re.findall(r"^ENV ((?:.*\\\n)*.*)", text, re.MULTILINE)
    return dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())


def test_the_kafka_image_s_variables_are_those_that_the_code_tells(home: KafkaHome, java: JavaHome) -> None:
    told = containers.kafka(home, java).environment
    assert environment_of("kafka") == {**told, "KAFKA_VERSION": "${KAFKA}"}


def test_the_operator_image_s_variables_are_those_that_the_code_tells(tmp_path: Path) -> None:
    assert environment_of("operator") == containers.operator(Store(tmp_path), PYTHON).environment


def test_the_console_s_image_starts_what_the_code_tells(tmp_path: Path) -> None:
    text = (CHECKOUT / "images/kafka-ui/Dockerfile").read_text()
    (entrypoint,) = re.findall(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)
    told = containers.console(Store(tmp_path), PYTHON)
    assert tuple(json.loads(entrypoint)) == told.entrypoint
    assert told.environment == containers.operator(Store(tmp_path), PYTHON).environment


def test_the_operator_s_libraries_are_the_same_as_on_one_machine() -> None:
    def pinned(name: str) -> set[str]:
        lines = (CHECKOUT / "requirements" / name).read_text().splitlines()
        return {line.split()[0] for line in lines if "==" in line}

    assert pinned("operator.txt") < pinned("local.txt")


@pytest.mark.parametrize("dockerfile", ["kafka", "kafka-ui", "operator"])
def test_images_run_as_a_user_who_is_not_root(dockerfile: str) -> None:
    lines = (CHECKOUT / "images" / dockerfile / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 1001:0"]


def test_a_container_s_kafka_is_that_of_a_pod_on_one_machine_but_for_what_only_that_machine_wants(
    home: KafkaHome, java: JavaHome, tmp_path: Path
) -> None:
    local = Images(Store(tmp_path / "store"), java, PYTHON, "0.1.0").kafka("3.6.0")
    container = containers.kafka(home, java)
    assert set(container.binds) < set(local.binds)
    only_local = {name: value for name, value in local.environment.items() if name in containers.OF_ONE_MACHINE}
    assert {**container.environment, **only_local} == local.environment
    assert {target for _, target in container.binds} >= {"/opt/kafka/bin", "/opt/kafka/libs", "/opt/kafka/kafka_run.sh"}


def test_a_class_archive_lies_where_tools_look_for_it(home: KafkaHome, java: JavaHome) -> None:
    archive = "/opt/kafka/archives/classes.jsa"
    assert archive not in {target for _, target in containers.kafka(home, java).binds}
    home.archives.mkdir(parents=True)
    (home.archives / f"{java.key}.jsa").write_text("")
    assert archive in {target for _, target in containers.kafka(home, java).binds}


def test_the_operator_s_container_has_python_s_libraries_klamm_and_scripts_and_nothing_of_the_host(
    tmp_path: Path,
) -> None:
    targets = [target for _, target in containers.operator(Store(tmp_path), PYTHON).binds]
    assert targets == ["/opt/klamm/src/klamm", "/opt/klamm/venv", "/opt/strimzi/bin"]


def test_content_is_laid_with_its_dates_rights_and_links(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "__pycache__").mkdir(parents=True)
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o555)
    os.utime(source / "run.sh", (946_684_800, 946_684_800))
    (source / "link").symlink_to("run.sh")
    content = ImageContent(binds=((str(source), "/opt/it"), (str(source / "run.sh"), "/opt/one.sh")))
    containers.lay(content, tmp_path / "root")
    laid = tmp_path / "root/opt/it"
    assert sorted(path.name for path in laid.iterdir()) == ["link", "run.sh"]
    assert os.readlink(laid / "link") == "run.sh"
    for path in (laid / "run.sh", tmp_path / "root/opt/one.sh"):
        assert (path.stat().st_mode & 0o777, path.stat().st_mtime) == (0o555, 946_684_800)
