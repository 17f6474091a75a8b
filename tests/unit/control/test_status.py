"""Conditions as Strimzi's users know them, and no write without a change."""

from datetime import timedelta
from random import Random

import msgspec
import pytest
from tests.builders.scripted_api import ScriptedApi, answer, pod
from tests.builders.virtual_time import START, in_virtual_time

from klamm.control import status
from klamm.kube.client import over
from klamm.kube.native import PODS
from klamm.resources.custom.status import Condition, Status
from klamm.resources.native.pod import Pod

NOW, LATER = "2026-03-01T12:00:00.000000Z", "2026-03-01T13:00:00.000000Z"


def _at(condition: Condition, time: str) -> Condition:
    return msgspec.structs.replace(condition, last_transition_time=time)


def test_an_unchanged_condition_keeps_its_time_and_a_changed_one_gets_a_new_one() -> None:
    old = [_at(status.ready(), NOW), _at(status.warning("KafkaStorage", "ephemeral"), NOW)]
    new = [status.not_ready("TimeoutException", "no pod"), status.warning("KafkaStorage", "ephemeral")]
    dated = status.dated(new, old, START + timedelta(hours=1))
    assert [each.last_transition_time for each in dated] == [LATER, NOW]


CHANGES = [
    ("nothing before", None, Status(conditions=[status.ready()]), ("status.conditions", "status.observedGeneration")),
    ("only the time", Status(conditions=[_at(status.ready(), NOW)]), Status(conditions=[status.ready()]), ()),
    (
        "another message",
        Status(conditions=[status.not_ready("A", "x")]),
        Status(conditions=[status.not_ready("A", "y")]),
        ("status.conditions[0].message",),
    ),
    ("a field that goes", Status(observed_generation=1), Status(), ("status.observedGeneration",)),
    ("one condition more", Status(), Status(conditions=[status.paused()]), ("status.conditions",)),
]


@pytest.mark.parametrize(("case", "old", "new", "paths"), CHANGES, ids=[row[0] for row in CHANGES])
def test_changes(case: str, old: Status | None, new: Status, paths: tuple[str, ...]) -> None:
    if case == "nothing before":
        new = msgspec.structs.replace(new, observed_generation=3)
    assert status.changes(old, new) == paths


@in_virtual_time
async def test_a_status_is_applied_with_times_and_only_when_it_changed() -> None:
    api = ScriptedApi()
    api.answers(answer(pod("a", 8)))
    client, obj = over(api, "test", Random(1)), msgspec.convert(pod("a", 7), Pod)
    wanted = Status(conditions=[status.ready()], observed_generation=2)
    assert await status.write(client, PODS, obj, None, wanted, START)
    assert not await status.write(client, PODS, obj, wanted, wanted, START)
    assert api.told == ["PATCH /api/v1/namespaces/kafka/pods/a/status?fieldManager=test&force=true"]
    assert msgspec.json.decode(api.requests[0].body or b"") == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "kafka"},
        "status": {
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": NOW}],
            "observedGeneration": 2,
        },
    }
