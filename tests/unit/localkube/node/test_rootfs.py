"""The plan of a container's mounts."""

import pytest

from klamm.localkube.node.rootfs import Bind, Memory, normal_path, plan_mounts

IMAGE = {"/img", "/img/bin", "/img/libs"}


def _plan(*binds: tuple[str, str, bool], memory: tuple[tuple[str, int | None], ...] = ()) -> list[str]:
    planned = plan_mounts(binds, memory, IMAGE.__contains__)
    return [
        f"{m.source} > {m.target}" + (f" unfold {' '.join(m.unfold)}" if m.unfold else "")
        if isinstance(m, Bind)
        else f"memory > {m.target}"
        for m in planned
    ]


@pytest.mark.parametrize(
    ("says", "binds", "plan"),
    [
        (
            "parents are mounted first",
            [("/v", "/opt/kafka/bin", False), ("/img", "/opt/kafka", True)],
            ["/img > /opt/kafka", "/v > /opt/kafka/bin"],
        ),
        (
            "the later of two at one path wins",
            [("/img", "/etc/hosts", True), ("/v", "/etc/hosts", True)],
            ["/v > /etc/hosts"],
        ),
        (
            "a path that the image lacks unfolds its deepest folder",
            [("/img", "/opt/kafka", True), ("/v", "/opt/kafka/libs/a/b", True)],
            ["/img > /opt/kafka unfold /opt/kafka/libs", "/v > /opt/kafka/libs/a/b"],
        ),
        (
            "the image's own top is unfolded for a new entry",
            [("/img", "/opt/kafka", True), ("/v", "/opt/kafka/new", True), ("/w", "/opt/kafka/other", True)],
            ["/img > /opt/kafka unfold /opt/kafka", "/v > /opt/kafka/new", "/w > /opt/kafka/other"],
        ),
        (
            "a writable volume is not unfolded: the name is made in it",
            [("/img", "/data", False), ("/v", "/data/new", False)],
            ["/img > /data", "/v > /data/new"],
        ),
        (
            "a neighbour with a longer name is no parent",
            [("/img", "/opt/kafka", True), ("/v", "/opt/kafka2/x", True)],
            ["/img > /opt/kafka", "/v > /opt/kafka2/x"],
        ),
    ],
)
def test_mounts_are_planned(says: str, binds: list[tuple[str, str, bool]], plan: list[str]) -> None:
    assert _plan(*binds) == plan, says


def test_memory_lies_over_a_bind_at_the_same_path() -> None:
    (only,) = plan_mounts([("/v", "/tmp", False)], [("/tmp/", 1024)])
    assert isinstance(only, Memory)
    assert (only.target, only.limit) == ("/tmp", 1024)


@pytest.mark.parametrize("path", ["/../../etc", "//etc/", "etc", "/a/../etc"])
def test_a_target_never_leaves_the_root(path: str) -> None:
    assert normal_path(path) == "/etc"
