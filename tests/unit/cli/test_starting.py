"""The settings of a home, and what a command line may ask of it. Processes are started in tests/system."""

from pathlib import Path

import pytest
from tests.builders.commands import NOON, ScriptedContext, context

from klamm.cli.arguments import read
from klamm.cli.down import run as down
from klamm.cli.errors import Mistake, NotRunning
from klamm.cli.identity import administrator, ensure_identity
from klamm.cli.settings import LocalSettings, pretended_nodes, read_settings, write_settings
from klamm.cli.starting import Wishes, last_lines, settle, without_number
from klamm.cli.status import run as status


@pytest.fixture
def scene(tmp_path: Path) -> ScriptedContext:
    made = context(tmp_path)
    made.home.make()
    return made


def test_a_new_home_has_three_nodes_in_three_zones(scene: ScriptedContext) -> None:
    nodes = settle(scene, Wishes()).nodes
    assert [node.name for node in nodes] == ["klamm-0", "klamm-1", "klamm-2"]
    assert len({node.labels["topology.kubernetes.io/zone"] for node in nodes}) == 3


def test_the_first_up_chooses_the_namespace_of_the_operator(scene: ScriptedContext) -> None:
    assert settle(scene, Wishes(namespace="mine")).operator_namespace == "mine"
    write_settings(scene.home.settings, LocalSettings(nodes=pretended_nodes(3), operator_namespace="mine"))
    assert settle(scene, Wishes(namespace="other")).operator_namespace == "mine"
    assert scene.namespace(None) == "mine"


def test_nodes_can_be_added(scene: ScriptedContext) -> None:
    write_settings(scene.home.settings, LocalSettings(nodes=pretended_nodes(3)))
    assert len(settle(scene, Wishes(nodes=5)).nodes) == 5


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (Wishes(nodes=2), "nodes are not taken away"),
        (Wishes(nodes=0), "1 to 100 nodes"),
        (Wishes(nodes=101), "1 to 100 nodes"),
        (Wishes(api_port=0), "from 1 to 65535"),
        (Wishes(api_port=65536), "from 1 to 65535"),
    ],
)
def test_wishes_that_cannot_be(wishes: Wishes, said: str, scene: ScriptedContext) -> None:
    write_settings(scene.home.settings, LocalSettings(nodes=pretended_nodes(3)))
    with pytest.raises(Mistake, match=said):
        settle(scene, wishes)


def test_a_damaged_description_is_said_with_its_mend(scene: ScriptedContext) -> None:
    scene.home.settings.write_text("{")
    with pytest.raises(Mistake, match="move the folder"):
        read_settings(scene.home.settings)


def test_without_a_cluster_commands_say_how_to_start_one(tmp_path: Path) -> None:
    made = context(tmp_path)
    with pytest.raises(NotRunning, match="start one with `klamm up`"):
        status(made, read(["status"]))
    made = context(tmp_path, "json")
    with pytest.raises(NotRunning):
        status(made, read(["status"]))
    assert '"running": false' in made.printed


def test_a_cluster_that_is_down_says_that_its_data_is_there(scene: ScriptedContext) -> None:
    write_settings(scene.home.settings, LocalSettings(nodes=pretended_nodes(1), api_port=1234))
    with pytest.raises(NotRunning, match="its data is there"):
        status(scene, read(["status"]))


def test_the_administrator_needs_the_home_s_certificates(scene: ScriptedContext) -> None:
    with pytest.raises(Mistake, match=r"ca\.crt is gone"):
        administrator(scene.home, 1234)
    ensure_identity(scene.home, NOON)
    connection = administrator(scene.home, 1234)
    assert connection.server == "https://127.0.0.1:1234"
    assert connection.tls_context() is not None


def test_keys_are_readable_by_their_owner_only(scene: ScriptedContext) -> None:
    ensure_identity(scene.home, NOON)
    assert {path.stat().st_mode & 0o777 for path in scene.home.certificates.iterdir()} == {0o600}


def test_down_deletes_what_klamm_made_and_nothing_else(scene: ScriptedContext) -> None:
    write_settings(scene.home.settings, LocalSettings())
    scene.home.database.write_bytes(b"x")
    mine = scene.home.path / "thesis.tex"
    mine.write_text("years of work")
    assert down(scene, read(["down", "--delete"])) == 0
    assert list(scene.home.path.iterdir()) == [mine]


def test_down_leaves_a_folder_alone_that_is_no_home(tmp_path: Path) -> None:
    made = context(tmp_path)
    made.home.run.mkdir(parents=True)
    down(made, read(["down", "--delete"]))
    assert made.home.run.exists()
    assert "there is no cluster" in made.said


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log) == ""
    log.write_text("\n".join(str(number) for number in range(9)))
    assert last_lines(log, 2) == "  7\n  8"


def test_numbers_of_errors_are_left_out() -> None:
    assert without_number("[Errno 98] listen on 127.0.0.1:1: in use") == "listen on 127.0.0.1:1: in use"
