"""What is written into the ConfigMap of notes, where the API does not take it."""

import json
from random import Random

import pytest
from tests.builders.scripted_api import Answer, ScriptedApi, answer, status
from tests.builders.virtual_time import in_virtual_time

from klamm.kube.client import over
from klamm.kube.kinds import Name
from klamm.kube.sending import Patience
from klamm.operators.topic.ledger import OF, Had, Ledger

PLACE = Name("kafka", "notes")
TOO_LONG = "[]: Too long: may not be more than 1048576 bytes"


def notes(**data: str) -> Answer:
    return answer({"metadata": {"name": "notes", "namespace": "kafka", "annotations": {OF: "k1/n1"}}, "data": data})


def written(api: ScriptedApi) -> list[dict[str, str | None]]:
    return [json.loads(one.body or b"")["data"] for one in api.requests if one.method == "PATCH"]


@pytest.mark.parametrize(
    "full",
    [
        status(422, "Invalid", TOO_LONG),
        status(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"),
        status(500, "", "etcdserver: request is too large"),
    ],
)
@in_virtual_time
async def test_what_does_not_fit_takes_the_old_note_with_it(full: Answer) -> None:
    api = ScriptedApi()
    api.answers(notes(orders="u1"), full, notes())
    async with over(api, "test", Random(1), Patience(attempts=1)) as client:
        ledger = Ledger(client)
        await ledger.open(PLACE, "k1/n1")
        ledger.note("orders", Had("u2", "orders", "id"))
        await ledger.write()
    assert written(api) == [{"orders": "u2 #id"}, {"orders": None}]


@in_virtual_time
async def test_a_server_that_fails_otherwise_may_have_the_note() -> None:
    api = ScriptedApi()
    api.answers(notes(orders="u1"), status(500, "InternalError", "etcdserver: leader changed"), notes())
    async with over(api, "test", Random(1), Patience(attempts=1)) as client:
        ledger = Ledger(client)
        await ledger.open(PLACE, "k1/n1")
        ledger.note("orders", Had("u2", "Orders"))
        for _ in range(2):
            await ledger.write()
    assert written(api) == [{"orders": "u2 Orders"}] * 2, "it is tried again"


@pytest.mark.parametrize(
    ("text", "had"),
    [
        ("u1", Had("u1", "orders")),
        ("u1 Orders", Had("u1", "Orders")),
        ("u1 #id", Had("u1", "orders", "id")),
        ("u1 Orders #id", Had("u1", "Orders", "id")),
        ("", Had("", "orders")),
    ],
)
@in_virtual_time
async def test_a_note_is_read_as_it_was_written(text: str, had: Had) -> None:
    api = ScriptedApi()
    api.answers(notes(orders=text), notes(), notes())
    async with over(api, "test", Random(1), Patience(attempts=1)) as client:
        ledger = Ledger(client)
        await ledger.open(PLACE, "k1/n1")
        assert ledger.of("orders") == had
        ledger.forget("orders")
        ledger.note("orders", had)
        await ledger.write()
    assert written(api)[0]["orders"] == text
