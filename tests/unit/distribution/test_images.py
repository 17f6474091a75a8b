"""What image names mean."""

from pathlib import Path

import pytest

from klamm.distribution.images import Images, InstalledProgram, PythonRuntime, base_binds, prepare_base, split_name
from klamm.distribution.java import JavaHome
from klamm.distribution.store import Store


@pytest.fixture
def images(tmp_path: Path) -> Images:
    modules = tmp_path / "java/lib/modules"
    modules.parent.mkdir(parents=True)
    modules.write_text("")
    (tmp_path / "java/release").write_text('JAVA_VERSION="21.0.8"\n')
    python = PythonRuntime("/home/me/venv/bin/python", "/home/me/venv", "/opt/python", "/home/me/src/klamm")
    return Images(Store(tmp_path / "store"), JavaHome(tmp_path / "java", "21.0.8"), python, "0.1.0")


@pytest.mark.parametrize(
    ("name", "kafka"),
    [
        ("klamm/kafka:0.1.0-kafka-3.6.0", "3.6.0"),
        ("quay.io/strimzi/kafka:0.38.0-kafka-3.5.1", "3.5.1"),
        ("quay.io/strimzi/kafka:1.0.0-kafka-4.3.1", "4.3.1"),
        ("bitnami/kafka:3.6", "3.6.0"),
        ("bitnami/kafka:3.5", "3.5.1"),
        ("docker.io/bitnami/kafka:3.5.0", "3.5.0"),
        ("bitnami/kafka:3.6.0-debian-11-r0", "3.6.0"),
        ("bitnami/kafka", "4.3.1"),
        ("apache/kafka:latest", "4.3.1"),
        ("apache/kafka:4", "4.3.1"),
        ("busybox:1.36", None),
        ("klamm/operator:0.1.0", None),
        ("quay.io/strimzi/operator:0.38.0", None),
    ],
)
def test_an_image_runs_a_kafka(images: Images, name: str, kafka: str | None) -> None:
    content = images.find(name)
    assert content is not None
    assert content.kafka == kafka


@pytest.mark.parametrize(
    "name",
    [
        "klamm/kafka-ui:0.1.0",
        "provectuslabs/kafka-ui:v0.7.2",
        "docker.io/provectuslabs/kafka-ui",
        "ghcr.io/kafbat/kafka-ui:v1.5.0",
    ],
)
def test_the_console_runs_where_a_pod_names_kafka_ui(images: Images, name: str) -> None:
    content = images.find(name)
    assert content is not None
    assert content.entrypoint == ("/home/me/venv/bin/python", "-m", "klamm.programs.kafka_ui")
    assert content.environment["PYTHONPATH"] == "/home/me/src"


UNKNOWN = ("nginx", "bitnami/kafka:2.8", "bitnami/zookeeper:3.8", "klamm/kafka:0-kafka-9.9.9", "apache/kafka:main")


@pytest.mark.parametrize("name", UNKNOWN)
def test_other_names_mean_nothing(images: Images, name: str) -> None:
    assert images.find(name) is None


def test_every_offered_name_is_known(images: Images) -> None:
    assert all(images.find(name) for name in images.names())


def test_a_name_is_split_into_repository_and_tag() -> None:
    assert split_name("docker.io/library/busybox:1.36@sha256:0123") == ("busybox", "1.36")
    assert split_name("registry.example:5000/team/kafka") == ("registry.example:5000/team/kafka", "latest")


def test_two_layouts_of_one_release_share_its_home(images: Images) -> None:
    ours, bitnami = images.find("klamm/kafka:0.1.0-kafka-3.6.0"), images.find("bitnami/kafka:3.6")
    assert ours is not None
    assert bitnami is not None
    sources = {target.removeprefix("/opt/kafka"): source for source, target in ours.binds if "/opt/kafka" in target}
    others = {
        target.removeprefix("/opt/bitnami/kafka"): source for source, target in bitnami.binds if "bitnami" in target
    }
    assert sources == others
    assert bitnami.environment["PATH"].startswith("/opt/bitnami/kafka/bin:")


def test_volumes_can_be_mounted_beside_kafkas_folders(images: Images) -> None:
    content = images.find("klamm/kafka:0.1.0-kafka-3.6.0")
    assert content is not None
    assert "/opt/kafka" not in {target for _, target in content.binds}


def test_looking_up_makes_nothing(images: Images) -> None:
    images.find("bitnami/kafka:3.6")
    assert not images.store.root.exists()


def test_neither_the_hosts_settings_nor_homes_are_in_a_root(images: Images) -> None:
    targets = {target for _, target in images.system("busybox").binds}
    assert not targets & {"/", "/etc", "/home", "/root", "/var", "/tmp", "/etc/shadow"}
    assert {"/usr", "/bin", "/lib", "/etc/passwd", "/etc/nsswitch.conf"} <= targets


def test_the_operator_sees_python_and_klamm_where_they_are(images: Images) -> None:
    targets = {target: source for source, target in images.operator().binds}
    for path in ("/home/me/venv", "/opt/python", "/home/me/src/klamm"):
        assert targets[path] == path
    assert images.operator().environment["PYTHONPATH"] == "/home/me/src"


def test_everything_that_the_base_mounts_exists(tmp_path: Path) -> None:
    store = Store(tmp_path)
    prepare_base(store)
    assert [source for source, _ in base_binds(store) if not Path(source).exists()] == []


def test_the_operators_programs_are_executable(tmp_path: Path) -> None:
    prepare_base(Store(tmp_path))
    programs = sorted(path.name for path in (tmp_path / "base/strimzi-bin").iterdir() if path.stat().st_mode & 0o111)
    assert programs == [
        "cluster_operator_run.sh",
        "kafka_exporter_run.sh",
        "kafka_init_run.sh",
        "prometheus_discovery_run.sh",
        "topic_operator_run.sh",
        "user_operator_run.sh",
    ]


def test_an_installed_program_is_an_image_by_the_first_of_its_commands(images: Images) -> None:
    missing, shell = ("no-such-program-anywhere",), ("sh", "-c", "true")
    content = images.program(InstalledProgram("shell", (missing, shell)))
    assert content is not None
    assert content.entrypoint[0].endswith("/sh")
    assert content.entrypoint[1:] == ("-c", "true")
    assert images.program(InstalledProgram("nothing", (missing,))) is None
