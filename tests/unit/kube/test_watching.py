"""The cache under hard weather: each row of the table is a thing that API servers and networks were seen to do."""

import asyncio
from dataclasses import dataclass, field
from random import Random

import pytest
from tests.builders.scripted_api import (
    Answer,
    Cut,
    Json,
    Pause,
    ScriptedApi,
    Watching,
    answer,
    bookmark,
    event,
    gone,
    listed,
    pod,
    status,
)
from tests.builders.virtual_time import in_virtual_time, run_in_virtual_time, settle

from klamm.base.deadlines import within
from klamm.base.together import ended
from klamm.kube.client import over
from klamm.kube.exchange import Response
from klamm.kube.kinds import Name
from klamm.kube.known import label_index
from klamm.kube.native import PODS
from klamm.kube.sending import Patience
from klamm.kube.watching import RELIST, Watched
from klamm.resources.native.pod import Pod


def _watched(api: ScriptedApi) -> Watched[Pod]:
    client = over(api, "test", Random(1), Patience(attempts=1))
    return Watched(client, PODS, Random(1), indexes={"cluster": label_index("cluster")})


def _state(watched: Watched[Pod]) -> dict[str, int]:
    """Name → resourceVersion."""
    return {pod.metadata.name or "": int(pod.metadata.resource_version or 0) for pod in watched.all()}


def _version(pod: Pod | None) -> str | None:
    return None if pod is None else pod.metadata.resource_version


async def _run_for(watched: Watched[Pod], seconds: float) -> None:
    task = asyncio.ensure_future(watched.run())
    await asyncio.sleep(seconds)
    assert not task.done(), task.exception()
    await ended(task)


@dataclass
class Weather:
    """What the server says, and what the cache holds after two minutes."""

    name: str
    calls: list[Answer]
    watches: list[Watching]
    state: dict[str, int]
    asked: list[str] = field(default_factory=list)
    """What must have been asked, in this order (begin of "watch from 7" or "list")."""


A5, B6 = pod("a", 5), pod("b", 6)

TABLE = [
    Weather("a list is the state", [listed([A5, B6], 7)], [], {"a": 5, "b": 6}, ["list", "watch from 7"]),
    Weather("an empty collection that comes as null", [answer({"metadata": {"resourceVersion": "3"}})], [], {}),
    Weather(
        "pages are put together",
        [listed([A5], 7, after="next"), listed([B6], 7)],
        [],
        {"a": 5, "b": 6},
        ["list", "list", "watch from 7"],
    ),
    Weather(
        "a page that expired begins the list again",
        [listed([A5], 7, after="next"), status(410, "Expired"), listed([A5, pod("c", 8)], 9)],
        [],
        {"a": 5, "c": 8},
        ["list", "list", "list", "watch from 9"],
    ),
    Weather(
        "events change the state",
        [listed([A5, B6], 7)],
        [[event("MODIFIED", pod("a", 8)), event("ADDED", pod("c", 9)), event("DELETED", pod("b", 10)), Pause(1e6)]],
        {"a": 8, "c": 9},
    ),
    Weather(
        "a cut watch goes on where it was",
        [listed([A5], 7)],
        [[event("MODIFIED", pod("a", 8)), Cut()], [event("MODIFIED", pod("a", 9)), Pause(1e6)]],
        {"a": 9},
        ["list", "watch from 7", "watch from 8"],
    ),
    Weather(
        "a bookmark moves the place to go on",
        [listed([A5], 7)],
        [[bookmark(50), Cut()]],
        {"a": 5},
        ["list", "watch from 7", "watch from 50"],
    ),
    Weather(
        "an event cut in its middle does not count",
        [listed([A5], 7)],
        [[event("MODIFIED", pod("a", 8)), event("MODIFIED", pod("a", 9)), Cut()]],
        {"a": 9},
    ),
    Weather(
        "410 in the stream lists again and finds what was missed",
        [listed([A5, B6], 7), listed([pod("a", 20), pod("c", 18)], 21)],
        [[gone()]],
        {"a": 20, "c": 18},
        ["list", "watch from 7", "list", "watch from 21"],
    ),
    Weather(
        "410 as the answer to the watch lists again too",
        [listed([A5], 7), listed([A5], 21)],
        [status(410, "Expired")],
        {"a": 5},
        ["list", "watch from 7", "list", "watch from 21"],
    ),
    Weather(
        "a replayed event does not turn time back",
        [listed([A5], 7)],
        [[event("MODIFIED", pod("a", 9)), event("MODIFIED", pod("a", 8)), event("ADDED", A5), Pause(1e6)]],
        {"a": 9},
    ),
    Weather(
        "a replayed deletion does not delete the successor",
        [listed([A5], 7)],
        [[event("DELETED", pod("a", 8)), event("ADDED", pod("a", 9)), event("DELETED", pod("a", 8)), Pause(1e6)]],
        {"a": 9},
    ),
    Weather(
        "a replayed creation does not raise the dead",
        [listed([A5], 7)],
        [[event("DELETED", pod("a", 8)), event("ADDED", A5), Pause(1e6)]],
        {},
    ),
    Weather(
        "a stale list is refused until the server has caught up",
        [listed([A5, B6], 30), listed([A5], 12), listed([A5], 12), listed([pod("a", 31)], 32)],
        [[gone()]],
        {"a": 31},
        ["list", "watch from 30", "list", "list", "list", "watch from 32"],
    ),
    Weather(
        "a server that stays in the past is believed in the end",
        [listed([pod("a", 30)], 30), *[listed([A5], 12) for _ in range(11)]],
        [[gone()]],
        {"a": 5},
    ),
    Weather(
        "no server at first",
        [Cut(sent=False), Cut(sent=True), status(503, "ServiceUnavailable"), listed([A5], 7)],
        [],
        {"a": 5},
    ),
    Weather("429 is waited for", [status(429, "TooManyRequests", Retry_After="9"), listed([A5], 7)], [], {"a": 5}),
    Weather(
        "an error in the stream that is no 410 goes on at the same place",
        [listed([A5], 7)],
        [[event("ERROR", {"code": 500, "message": "etcd"})], [event("MODIFIED", pod("a", 8)), Pause(1e6)]],
        {"a": 8},
        ["list", "watch from 7", "watch from 7"],
    ),
    Weather(
        "an event that nobody understands is passed over by a new list",
        [listed([A5], 7), listed([pod("a", 8)], 9)],
        [[event("RENAMED", A5)]],
        {"a": 8},
        ["list", "watch from 7", "list", "watch from 9"],
    ),
    Weather(
        "an answer that is no JSON is asked for again",
        [Response(200, b"<html>captive portal</html>"), listed([A5], 7)],
        [],
        {"a": 5},
    ),
    Weather(
        "one object that does not fit its type does not hide the others",
        [listed([A5, {**B6, "spec": "nonsense"}], 7)],
        [],
        {"a": 5},
    ),
    Weather(
        "an object that becomes unreadable is not taken for deleted",
        [listed([A5, B6], 7)],
        [[event("MODIFIED", {**pod("b", 8), "spec": "nonsense"}), Pause(1e6)]],
        {"a": 5, "b": 6},
    ),
]


def _asked(api: ScriptedApi) -> list[str]:
    told = []
    for request in api.requests:
        query = dict(request.query)
        told.append(f"watch from {query['resourceVersion']}" if "watch" in query else "list")
    return told


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_weather(row: Weather) -> None:
    async def check() -> None:
        api = ScriptedApi()
        api.answers(*row.calls)
        api.watches(*row.watches)
        watched = _watched(api)
        await _run_for(watched, 120)
        assert _state(watched) == row.state
        assert _asked(api)[: len(row.asked)] == row.asked

    run_in_virtual_time(check())


@in_virtual_time
async def test_subscribers_hear_old_and_new_and_first_what_is_known() -> None:
    api = ScriptedApi()
    api.answers(listed([A5], 7))
    api.watches([Pause(1), event("MODIFIED", pod("a", 8)), event("DELETED", pod("a", 9)), Pause(1e6)])
    watched, heard = _watched(api), list[tuple[str | None, str | None]]()

    def note(old: Pod | None, new: Pod | None) -> None:
        heard.append((_version(old), _version(new)))

    task = asyncio.ensure_future(watched.run())
    await within(5, "the first list", watched.synced())
    unsubscribe = watched.subscribe(note)
    await asyncio.sleep(10)
    unsubscribe()
    task.cancel()
    assert heard == [(None, "5"), ("5", "8"), ("8", None)]


@in_virtual_time
async def test_an_index_follows_the_labels() -> None:
    api = ScriptedApi()
    api.answers(listed([pod("b", 6, cluster="one"), pod("a", 5, cluster="one"), pod("c", 5)], 7))
    api.watches([Pause(1), event("MODIFIED", pod("a", 8, cluster="two")), Pause(1e6)])
    watched = _watched(api)
    task = asyncio.ensure_future(watched.run())
    await watched.synced()
    assert [each.metadata.name for each in watched.under("cluster", "one")] == ["a", "b"]
    await asyncio.sleep(2)
    task.cancel()
    assert [each.metadata.name for each in watched.under("cluster", "one")] == ["b"]
    assert [each.metadata.name for each in watched.under("cluster", "two")] == ["a"]
    assert watched.under("cluster", "three") == ()


@in_virtual_time
async def test_our_own_write_is_known_at_once_and_its_event_is_no_news() -> None:
    api = ScriptedApi()
    api.answers(listed([A5], 7), answer(pod("a", 8)))
    api.watches([Pause(5), event("MODIFIED", pod("a", 8)), Pause(1e6)])
    watched, heard = _watched(api), list[str]()
    task = asyncio.ensure_future(watched.run())
    await watched.synced()
    watched.subscribe(lambda old, new: heard.append("told"))
    assert await watched.fresh(Name("kafka", "a")) is not None
    assert _state(watched) == {"a": 8}
    await asyncio.sleep(10)
    task.cancel()
    assert heard == ["told", "told"]  # once for what was known, once for our write


@in_virtual_time
async def test_an_answer_older_than_the_watch_does_not_raise_the_dead() -> None:
    api = ScriptedApi()
    api.answers(listed([A5], 7), answer(pod("a", 8)))
    api.watches([event("DELETED", pod("a", 9)), Pause(1e6)])
    watched = _watched(api)
    task = asyncio.ensure_future(watched.run())
    await asyncio.sleep(1)
    await watched.fresh(Name("kafka", "a"))
    task.cancel()
    assert _state(watched) == {}


@in_virtual_time
async def test_a_server_that_ends_every_watch_at_once_is_not_asked_all_the_time() -> None:
    api = ScriptedApi()
    api.answers(listed([A5], 7))
    api.watches(*[[] for _ in range(1000)])
    await _run_for(_watched(api), 300)
    assert len(api.requests) < 60


@pytest.mark.parametrize("end", [[], [Cut()]], ids=["watches end", "all watches are cut"])
@in_virtual_time
async def test_a_lost_event_is_made_good_by_the_next_list(end: list[Cut]) -> None:
    api = ScriptedApi()
    api.answers(listed([A5, B6], 7), listed([A5], 9))
    quiet: list[Json | Cut | Pause] = [Pause(200), *end]
    api.watches(*[quiet] * 20)
    watched = _watched(api)
    await _run_for(watched, RELIST + 500)
    assert _state(watched) == {"a": 5}


@in_virtual_time
async def test_whether_the_cache_is_fresh_can_be_asked() -> None:
    api = ScriptedApi()
    api.answers(listed([A5], 7))
    api.watches([Pause(10), Cut()], Cut(sent=False), Cut(sent=False))
    watched = _watched(api)
    assert watched.reason_not_fresh == "pods were not listed yet"
    task = asyncio.ensure_future(watched.run())
    await settle()
    assert watched.reason_not_fresh is None
    await asyncio.sleep(10)
    await settle()
    assert watched.reason_not_fresh == "the watch of pods failed 1 times in a row"
    await asyncio.sleep(10)
    assert watched.reason_not_fresh is None, "the server took the fourth watch, and has nothing to say"
    task.cancel()


@in_virtual_time
async def test_what_is_unreadable_is_named_with_the_reason() -> None:
    api = ScriptedApi()
    api.answers(listed([A5, {**B6, "spec": "nonsense"}], 7))
    watched = _watched(api)
    await _run_for(watched, 1)
    assert watched.unreadable == {Name("kafka", "b"): "Expected `object`, got `str` - at `$.spec`"}
