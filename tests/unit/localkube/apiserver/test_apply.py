"""Server-side apply and managedFields: who owns what, conflicts, what goes when it is no longer said."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klamm.localkube.apiserver import field_sets, ownership
from klamm.localkube.apiserver.kinds import table
from klamm.localkube.apiserver.ownership import Writer
from klamm.localkube.objects import Object, Refused

NODE = next(kind.node for kind in table().kinds if kind.resource.kind == "Pod")
NOW = "2026-01-01T00:00:00Z"
EMPTY: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {}}


def pod(spec: dict[str, Any] | None = None, **metadata: Any) -> Object:
    body: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", **metadata}}
    return body if spec is None else {**body, "spec": spec}


def applied(live: Object, config: Object, manager: str = "one", force: bool = False) -> Object:
    writer = Writer(manager, "Apply", "v1")
    return ownership.apply(live, config, NODE, writer, NOW, force=force, ignored={("f:status",)})


def owned(obj: Object, manager: str) -> set[str]:
    entries = [entry for entry in ownership.read(obj).entries.values() if entry.writer.manager == manager]
    return {field_sets.shown(path) for entry in entries for path in entry.fields}


def env(**values: str) -> dict[str, Any]:
    """A container with variables; an empty list would not get past the registry's shaping."""
    listed = [{"name": name, "value": value} for name, value in values.items()]
    return {"containers": [{"name": "c", "env": listed} if listed else {"name": "c"}]}


def test_an_applier_owns_what_it_says() -> None:
    obj = applied(EMPTY, pod(env(A="1"), labels={"x": "y"}))
    container = '.spec.containers[name="c"]'
    assert owned(obj, "one") == {
        ".metadata.labels.x",
        container,
        f"{container}.name",
        f'{container}.env[name="A"]',
        f'{container}.env[name="A"].name',
        f'{container}.env[name="A"].value',
    }


def test_what_is_no_longer_said_goes() -> None:
    obj = applied(applied(EMPTY, pod(env(A="1", B="2"))), pod(env(B="2")))
    assert obj["spec"] == env(B="2")


def test_what_another_owns_too_stays() -> None:
    both = applied(applied(EMPTY, pod(env(A="1"))), pod(env(A="1")), "two")
    after = applied(both, pod({"containers": [{"name": "c"}]}))
    assert after["spec"] == env(A="1")
    assert '.spec.containers[name="c"].env[name="A"]' in owned(after, "two")


def test_another_value_conflicts() -> None:
    obj = applied(EMPTY, pod(env(A="1")))
    with pytest.raises(Refused) as refused:
        applied(obj, pod(env(A="2")), "two")
    assert refused.value.code == 409
    assert refused.value.details["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one"',
            "field": '.spec.containers[name="c"].env[name="A"].value',
        }
    ]


def test_force_takes_the_field() -> None:
    obj = applied(applied(EMPTY, pod(env(A="1"))), pod(env(A="2")), "two", force=True)
    assert obj["spec"] == env(A="2")
    assert '.spec.containers[name="c"].env[name="A"].value' not in owned(obj, "one")
    assert '.spec.containers[name="c"].env[name="A"].value' in owned(obj, "two")


def test_the_same_value_is_shared_without_conflict() -> None:
    obj = applied(applied(EMPTY, pod(env(A="1"))), pod(env(A="1")), "two")
    assert owned(obj, "one") == owned(obj, "two")


def test_an_update_takes_what_it_changes() -> None:
    obj = applied(EMPTY, pod(labels={"a": "1", "b": "1"}))
    changed = {**obj, "metadata": {**obj["metadata"], "labels": {"a": "2", "b": "1"}}}
    after = ownership.after_update(obj, changed, NODE, Writer("edit", "Update", "v1"), NOW)
    assert owned(after, "edit") == {".metadata.labels.a"}
    assert owned(after, "one") == {".metadata.labels.b"}


def test_an_update_that_removes_leaves_nobody_owning() -> None:
    obj = applied(EMPTY, pod(labels={"a": "1"}))
    changed = {**obj, "metadata": {name: value for name, value in obj["metadata"].items() if name != "labels"}}
    after = ownership.after_update(obj, changed, NODE, Writer("edit", "Update", "v1"), NOW)
    assert "managedFields" not in after["metadata"]


def test_an_empty_list_resets_ownership() -> None:
    obj = applied(EMPTY, pod(labels={"a": "1"}))
    changed = {**obj, "metadata": {**obj["metadata"], "managedFields": []}}
    after = ownership.after_update(obj, changed, NODE, Writer("edit", "Update", "v1"), NOW)
    assert "managedFields" not in after["metadata"]


def test_objects_from_before_are_adopted() -> None:
    live = pod(labels={"a": "1"}, resourceVersion="5")
    with pytest.raises(Refused, match="before-first-apply"):
        applied(live, pod(labels={"a": "2"}))


def test_atomic_lists_belong_to_one() -> None:
    obj = applied(EMPTY, pod({"containers": [{"name": "c", "args": ["1"]}]}))
    with pytest.raises(Refused, match="args"):
        applied(obj, pod({"containers": [{"name": "c", "args": ["2"]}]}), "two")


def test_ports_differ_by_protocol_and_the_default_counts() -> None:
    ports = [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]
    obj = applied(EMPTY, pod({"containers": [{"name": "c", "ports": ports}]}))
    assert '.spec.containers[name="c"].ports[containerPort=53,protocol="TCP"]' in owned(obj, "one")


NAMES = st.sampled_from(["A", "B", "C"])
ENVIRONMENTS = st.dictionaries(NAMES, st.sampled_from(["1", "2"]), max_size=3)
LABELS = st.dictionaries(NAMES, st.sampled_from(["1", "2"]), max_size=3)
CONFIGS = st.builds(lambda environment, labels: pod(env(**environment), labels=labels), ENVIRONMENTS, LABELS)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["one", "two"]), CONFIGS), min_size=1, max_size=5))
def test_applying_again_changes_nothing(writes: list[tuple[str, Object]]) -> None:
    obj = EMPTY
    for manager, config in writes:
        obj = applied(obj, config, manager, force=True)
        assert applied(obj, config, manager) == obj
        said = {path for path in field_sets.fields_of(config, NODE) if path[0] == "f:spec"}
        assert said <= field_sets.fields_of(obj, NODE)


@given(CONFIGS)
def test_fields_survive_fields_v1(config: Object) -> None:
    fields = field_sets.fields_of(config, NODE)
    assert field_sets.from_fields_v1(field_sets.to_fields_v1(fields)) == fields
