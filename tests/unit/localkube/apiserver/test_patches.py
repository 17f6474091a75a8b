"""JSON, merge and strategic merge patches, each row a sentence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klamm.localkube.apiserver.kinds import table
from klamm.localkube.apiserver.patches import json_patch, merge_patch, strategic_merge
from klamm.localkube.objects import Refused

NODES = {kind.resource.kind: kind.node for kind in table().kinds}


def pod_with(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


A, B = {"name": "a", "image": "x"}, {"name": "b", "image": "y"}

STRATEGIC = {
    "a list with a merge key merges by it": (
        pod_with(A, B),
        pod_with({"name": "b", "image": "z"}),
        pod_with(A, {"name": "b", "image": "z"}),
    ),
    "what is patched comes first": (pod_with(A), pod_with(B), pod_with(B, A)),
    "$patch: delete takes an item away": (
        pod_with(A, B),
        pod_with({"name": "a", "$patch": "delete"}),
        pod_with(B),
    ),
    "$patch: replace on a list replaces it": (
        pod_with(A, B),
        pod_with({"$patch": "replace"}, {"name": "c"}),
        pod_with({"name": "c"}),
    ),
    "$patch: replace on a map replaces it": (
        {"metadata": {"labels": {"a": "1"}}},
        {"metadata": {"labels": {"$patch": "replace", "b": "2"}}},
        {"metadata": {"labels": {"b": "2"}}},
    ),
    "null takes a field away": (
        {"metadata": {"labels": {"a": "1", "b": "2"}}},
        {"metadata": {"labels": {"a": None}}},
        {"metadata": {"labels": {"b": "2"}}},
    ),
    "a list without a merge key is replaced": (
        pod_with({"name": "a", "args": ["1", "2"]}),
        pod_with({"name": "a", "args": ["3"]}),
        pod_with({"name": "a", "args": ["3"]}),
    ),
    "a primitive list with merge strategy grows": (
        {"metadata": {"finalizers": ["a"]}},
        {"metadata": {"finalizers": ["b", "a"]}},
        {"metadata": {"finalizers": ["b", "a"]}},
    ),
    "$deleteFromPrimitiveList takes items away": (
        {"metadata": {"finalizers": ["a", "b"]}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}},
        {"metadata": {"finalizers": ["b"]}},
    ),
    "$setElementOrder sorts": (
        pod_with(A, B),
        {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}},
        pod_with(B, A),
    ),
    "$retainKeys drops the other members of a union": (
        {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}},
        {"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "secret"], "secret": {"secretName": "s"}}]}},
        {"spec": {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}},
    ),
}


@pytest.mark.parametrize("row", STRATEGIC.values(), ids=STRATEGIC.keys())
def test_strategic_merge(row: tuple[Any, Any, Any]) -> None:
    old, patch, wanted = row
    assert strategic_merge(old, patch, NODES["Pod"]) == wanted


def test_an_item_without_its_merge_key_is_refused() -> None:
    with pytest.raises(Refused, match="does not contain declared merge key: name"):
        strategic_merge(pod_with(A), pod_with({"image": "z"}), NODES["Pod"])


NO_STRATEGIC = {
    "a merge key that is an object": pod_with({"name": {}}),
    "a merge key that is a list": pod_with({"name": ["a"]}),
    "an object in a list of texts": {"metadata": {"finalizers": [{"a": "b"}]}},
    "a list in a list of texts": {"metadata": {"finalizers": [[]]}},
    "$retainKeys that is a number": {"spec": {"$retainKeys": 3}},
    "$setElementOrder that is a number": {"spec": {"$setElementOrder/containers": 3}},
    "$setElementOrder that is null": {"metadata": {"$setElementOrder/finalizers": None}},
    "a directive that is an object": {"spec": {"$patch": {}}},
}


@pytest.mark.parametrize("patch", NO_STRATEGIC.values(), ids=NO_STRATEGIC.keys())
def test_what_kubernetes_panics_at_is_refused(patch: Any) -> None:
    old = {"metadata": {"finalizers": ["a"]}, **pod_with(A)}
    with pytest.raises(Refused) as caught:
        strategic_merge(old, patch, NODES["Pod"])
    assert caught.value.code == 400


def test_deleting_from_what_is_no_list_deletes_nothing() -> None:
    old = {"metadata": {"finalizers": ["a"]}}
    for change in (3, {"a": "b"}, None):
        patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": change, "$deleteFromPrimitiveList/name": ["a"]}}
        assert strategic_merge(old, patch, NODES["Pod"]) == old


JSON_PATCHES = {
    "add to a map": ({"a": 1}, [{"op": "add", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
    "add at the end of a list": ({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}], {"a": [1, 2]}),
    "add in a list": ({"a": [1]}, [{"op": "add", "path": "/a/0", "value": 0}], {"a": [0, 1]}),
    "remove": ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
    "replace": ({"a": {"b": 1}}, [{"op": "replace", "path": "/a/b", "value": 3}], {"a": {"b": 3}}),
    "replace what is not there": ({"a": 1}, [{"op": "replace", "path": "/b", "value": 3}], {"a": 1, "b": 3}),
    "move": ({"a": 1}, [{"op": "move", "from": "/a", "path": "/b"}], {"b": 1}),
    "copy": ({"a": 1}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": 1, "b": 1}),
    "escaped names": ({"a/b": 1, "c~d": 2}, [{"op": "remove", "path": "/a~1b"}], {"c~d": 2}),
    "a test that holds": ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
}


@pytest.mark.parametrize("row", JSON_PATCHES.values(), ids=JSON_PATCHES.keys())
def test_json_patch(row: tuple[Any, Any, Any]) -> None:
    old, operations, wanted = row
    assert json_patch(old, operations) == wanted


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/missing"},
        {"op": "add", "path": "/a/b/c", "value": 1},
        {"op": "add", "path": "no slash", "value": 1},
        {"op": "fly", "path": "/a"},
    ],
)
def test_a_json_patch_that_cannot_be_done_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        json_patch({"a": 1}, [operation])
    assert refused.value.code == 422


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text("abc", max_size=1), VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_applied_twice_is_as_once(value: Any, patch: Any) -> None:
    once = merge_patch(value, patch)
    assert merge_patch(once, patch) == once
