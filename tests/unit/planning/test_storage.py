"""Which changes of storage are made, and which are refused as a whole."""

from typing import Any

import pytest

from klamm.desired.volumes import STORAGE, storage_json
from klamm.planning.storage import decide_storage, remembered_storage, storage_remark
from klamm.resources.custom.storage import Storage
from klamm.resources.structure import decode

CLAIM = {"type": "persistent-claim", "size": "10Gi"}
JBOD = {"type": "jbod", "volumes": [{"id": 0, **CLAIM}, {"id": 1, **CLAIM}]}
PATH = "spec.kafka.storage"


def overrides(*pairs: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"broker": broker, "class": storage_class} for broker, storage_class in pairs]


ALLOWED = [
    ("nothing changes", CLAIM, CLAIM),
    ("deleteClaim flips", CLAIM, {**CLAIM, "deleteClaim": True}),
    ("a claim grows", CLAIM, {**CLAIM, "size": "11Gi"}),
    ("the same size in other words", {**CLAIM, "size": "1Gi"}, {**CLAIM, "size": "1024Mi"}),
    ("a volume is added", JBOD, {"type": "jbod", "volumes": [*JBOD["volumes"], {"id": 2, **CLAIM}]}),
    ("a volume is taken out", JBOD, {"type": "jbod", "volumes": [{"id": 1, **CLAIM}]}),
    ("volumes change places", JBOD, {"type": "jbod", "volumes": [{"id": 1, **CLAIM}, {"id": 0, **CLAIM}]}),
    ("a class for a broker to come", CLAIM, {**CLAIM, "overrides": overrides((3, "fast"))}),
]
REFUSED = [
    ("another type", CLAIM, {"type": "ephemeral"}, f"{PATH}.type"),
    ("into a JBOD", CLAIM, JBOD, f"{PATH}.type"),
    ("a claim shrinks", CLAIM, {**CLAIM, "size": "9Gi"}, f"{PATH}.size"),
    ("another class", CLAIM, {**CLAIM, "class": "fast"}, f"{PATH}.class"),
    ("another selector", CLAIM, {**CLAIM, "selector": {"disk": "a"}}, f"{PATH}.selector"),
    ("a class for a running broker", CLAIM, {**CLAIM, "overrides": overrides((2, "fast"))}, f"{PATH}.overrides"),
    (
        "one volume of a JBOD shrinks",
        JBOD,
        {"type": "jbod", "volumes": [{"id": 0, **CLAIM}, {"id": 1, **CLAIM, "size": "1Gi"}]},
        f"{PATH}.volumes[1].size",
    ),
    (
        "one volume of a JBOD becomes ephemeral",
        JBOD,
        {"type": "jbod", "volumes": [{"id": 0, "type": "ephemeral"}, {"id": 1, **CLAIM}]},
        f"{PATH}.volumes[0].type",
    ),
]


def storage(content: dict[str, Any]) -> Storage:
    return decode(Storage, content)


@pytest.mark.parametrize(("old", "wanted"), [row[1:] for row in ALLOWED], ids=[row[0] for row in ALLOWED])
def test_allowed(old: dict[str, Any], wanted: dict[str, Any]) -> None:
    decision = decide_storage(PATH, storage(old), storage(wanted), 3)
    assert decision.use == storage(wanted)
    assert decision.refused == ()


@pytest.mark.parametrize(("old", "wanted", "path"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused_as_a_whole(old: dict[str, Any], wanted: dict[str, Any], path: str) -> None:
    decision = decide_storage(PATH, storage(old), storage(wanted), 3)
    assert decision.use == storage(old)
    assert [problem.path for problem in decision.refused] == [path]
    assert "put the old value back" in decision.refused[0].mend


def test_a_new_cluster_takes_what_is_wanted() -> None:
    assert decide_storage(PATH, None, storage(JBOD), 0).use == storage(JBOD)


def test_a_pod_set_remembers_the_storage() -> None:
    assert remembered_storage({STORAGE: storage_json(storage(JBOD))}) == storage(JBOD)
    assert remembered_storage({}) is None
    assert remembered_storage({STORAGE: "{"}) is None
    assert remembered_storage({STORAGE: "[]"}) is None


def test_a_refused_change_becomes_a_warning() -> None:
    refused = decide_storage(PATH, storage(CLAIM), storage({**CLAIM, "size": "9Gi"}), 3)
    remark = storage_remark("KafkaStorage", refused)
    assert remark is not None
    assert remark.reason == "KafkaStorage"
    assert "spec.kafka.storage.size: " in remark.message
    assert "less than the 10Gi in use" in remark.message
    assert storage_remark("KafkaStorage", decide_storage(PATH, storage(CLAIM), storage(CLAIM), 3)) is None
