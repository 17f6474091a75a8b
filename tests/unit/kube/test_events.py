"""Events are counted up, and never cost a pass."""

import asyncio
from random import Random

import msgspec
from tests.builders.scripted_api import Answer, ScriptedApi, answer, pod, status
from tests.builders.virtual_time import LoopClock, in_virtual_time

from klamm.kube.client import over
from klamm.kube.events import QUEUE, Recorder, reference
from klamm.kube.native import PODS
from klamm.kube.sending import Patience
from klamm.resources.native.pod import Pod

WRITTEN = answer({"metadata": {"name": "a.1", "namespace": "kafka"}})


async def _told(api: ScriptedApi, *messages: str, every: float = 1) -> list[str]:
    recorder = Recorder(over(api, "test", Random(1), Patience(attempts=1)), "klamm", "pod-1", LoopClock())
    writing = asyncio.ensure_future(recorder.run())
    for message in messages:
        recorder.note(reference(PODS, msgspec.convert(pod("a", 5), Pod)), "Normal", "Restarted", message)
        await asyncio.sleep(every)
    await recorder.drained()
    writing.cancel()
    return [request.method for request in api.requests]


def _api(*answers: Answer) -> ScriptedApi:
    api = ScriptedApi()
    api.answers(*answers)
    return api


@in_virtual_time
async def test_an_event_names_its_object_reason_and_reporter() -> None:
    api = _api(WRITTEN)
    assert await _told(api, "its certificate was renewed") == ["POST"]
    body = msgspec.json.decode(api.requests[0].body or b"")
    assert body["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "a",
        "namespace": "kafka",
        "uid": "uid-of-a",
        "resourceVersion": "5",
    }
    assert (body["reason"], body["message"], body["count"]) == ("Restarted", "its certificate was renewed", 1)
    assert (body["reportingComponent"], body["reportingInstance"]) == ("klamm", "pod-1")
    assert body["firstTimestamp"] == "2026-03-01T12:00:00Z"


@in_virtual_time
async def test_the_same_event_is_counted_up_and_another_is_not() -> None:
    api = _api(WRITTEN, WRITTEN, WRITTEN, WRITTEN)
    assert await _told(api, "a", "a", "a", "b") == ["POST", "PATCH", "PATCH", "POST"]
    assert msgspec.json.decode(api.requests[2].body or b"")["count"] == 3


@in_virtual_time
async def test_the_same_event_much_later_or_after_it_expired_is_a_new_one() -> None:
    assert await _told(_api(WRITTEN, WRITTEN), "a", "a", every=700) == ["POST", "POST"]
    assert await _told(_api(WRITTEN, status(404, "NotFound"), WRITTEN), "a", "a") == ["POST", "PATCH", "POST"]


@in_virtual_time
async def test_a_server_that_refuses_costs_the_event_only() -> None:
    refused = status(403, "Forbidden", "namespace is being terminated")
    assert await _told(_api(refused, WRITTEN), "a", "b") == ["POST", "POST"]


@in_virtual_time
async def test_more_events_than_can_wait_are_dropped() -> None:
    recorder = Recorder(over(ScriptedApi(), "test", Random(1)), "klamm", "pod-1", LoopClock())
    about = reference(PODS, msgspec.convert(pod("a", 5), Pod))
    for number in range(2 * QUEUE):
        recorder.note(about, "Normal", "Restarted", str(number))
