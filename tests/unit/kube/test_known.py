"""The rules by which a cache keeps its order in time (the rest is in `test_watching`)."""

import msgspec
import pytest
from tests.builders.scripted_api import pod

from klamm.kube.known import Known, WentBack, is_before
from klamm.resources.native.pod import Pod


def _pod(name: str, version: int, uid: str = "") -> Pod:
    return msgspec.convert(pod(name, version, uid=uid), Pod)


def _versions(known: Known[Pod]) -> dict[str | None, str | None]:
    return {each.metadata.name: each.metadata.resource_version for each in known}


def test_what_we_wrote_after_a_list_was_made_is_not_gone_by_that_list() -> None:
    known = Known[Pod]()
    known.replace([_pod("a", 5)], "7")
    known.saw(_pod("b", 12))
    assert known.replace([_pod("a", 5)], "10") == []
    assert _versions(known) == {"a": "5", "b": "12"}
    assert [gone.name.name for gone in known.replace([_pod("a", 5)], "13")] == ["b"]


def test_a_list_that_is_older_changes_nothing() -> None:
    known = Known[Pod]()
    known.replace([_pod("a", 5)], "7")
    with pytest.raises(WentBack, match="the list is of resourceVersion 6, but 7 was seen before"):
        known.replace([], "6")
    assert _versions(known) == {"a": "5"}


def test_a_list_of_the_same_moment_tells_nothing_new() -> None:
    known = Known[Pod]()
    known.replace([_pod("a", 5)], "7")
    assert known.replace([_pod("a", 5)], "7") == []


def test_an_object_that_was_made_anew_is_one_change_with_both_uids() -> None:
    known = Known[Pod]()
    known.replace([_pod("a", 5, uid="first")], "7")
    (change,) = known.replace([_pod("a", 9, uid="second")], "10")
    assert change.old is not None
    assert change.new is not None
    assert (change.old.metadata.uid, change.new.metadata.uid) == ("first", "second")


def test_objects_are_trimmed_before_they_are_kept() -> None:
    def trim(obj: Pod) -> Pod:
        return msgspec.structs.replace(obj, spec=None)

    known = Known[Pod](trim)
    known.replace([_pod("a", 5)], "7")
    assert [each.spec for each in known] == [None]


@pytest.mark.parametrize(
    ("one", "other", "before"),
    [("9", "10", True), ("10", "9", False), ("9", "9", False), ("9", "", False), ("a", "b", True), ("a", "a", False)],
)
def test_order_of_versions(one: str, other: str, before: bool) -> None:
    assert is_before(one, other) is before
