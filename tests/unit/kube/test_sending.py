"""Which calls are tried again, how often, and which error the caller gets in the end."""

import asyncio
from dataclasses import dataclass
from random import Random

import pytest
from tests.builders.scripted_api import Answer, Cut, ScriptedApi, answer, status
from tests.builders.virtual_time import in_virtual_time, run_in_virtual_time

from klamm.base import faults
from klamm.base.backoff import BackOff
from klamm.kube import errors, requests
from klamm.kube.kinds import Name
from klamm.kube.native import CONFIG_MAPS, PODS
from klamm.kube.requests import Request
from klamm.kube.sending import Patience, Sender
from klamm.resources.native.configuration import ConfigMap
from klamm.resources.native.metadata import ObjectMeta

MAP = ConfigMap(metadata=ObjectMeta(name="a", namespace="kafka"))
READ = requests.get(PODS, Name("kafka", "a"))
APPLY = requests.apply(CONFIG_MAPS, MAP, "me")
CREATE = requests.create(CONFIG_MAPS, MAP, "me")
OK = answer({})
PATIENCE = Patience(attempts=3, back_off=BackOff(first=1, factor=2, longest=4, jitter=0), longest_wait=5)


@dataclass
class Row:
    name: str
    request: Request
    answers: list[Answer]
    raises: type[Exception] | None
    asked: int
    seconds: float = 0


TABLE = [
    Row("an answer is an answer", READ, [OK], None, 1),
    Row("a read that was cut is asked again", READ, [Cut(), OK], None, 2, 1),
    Row("an apply that was cut is the same intent", APPLY, [Cut(), OK], None, 2, 1),
    Row("a create that was cut may have happened", CREATE, [Cut()], errors.Unreachable, 1),
    Row("a create that was never sent is tried again", CREATE, [Cut(sent=False), OK], None, 2, 1),
    Row("a create met by 500 may have happened", CREATE, [status(500, "InternalError")], errors.ServerFault, 1),
    Row("a read met by 503 is asked again", READ, [status(503, "ServiceUnavailable"), OK], None, 2, 1),
    Row(
        "a create met by 429 did not happen", CREATE, [status(429, "TooManyRequests", Retry_After="3"), OK], None, 2, 3
    ),
    Row("too much patience is the loop's", READ, [status(429, "x", Retry_After="60")], errors.TooBusy, 1),
    Row("patience ends", READ, [Cut(), Cut(), Cut()], errors.Unreachable, 3, 3),
    Row("a conflict is never sent again", APPLY, [status(409, "Conflict")], errors.Conflict, 1),
    Row("what exists exists", CREATE, [status(409, "AlreadyExists")], errors.AlreadyExists, 1),
    Row("what is not there is not there", READ, [status(404, "NotFound")], errors.NotFound, 1),
    Row("no right", READ, [status(403, "Forbidden")], errors.Forbidden, 1),
    Row("no identity", READ, [status(401, "Unauthorized")], errors.Unauthorized, 1),
    Row("expired", READ, [status(410, "Expired")], errors.Gone, 1),
    Row("a broken rule", APPLY, [status(422, "Invalid")], errors.Invalid, 1),
    Row("what the server does not serve", READ, [status(405, "MethodNotAllowed")], errors.Refused, 1),
]


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_faults(row: Row) -> None:
    async def check() -> None:
        api = ScriptedApi()
        api.answers(*row.answers)
        sending = Sender(api, Random(1), PATIENCE).send(row.request)
        if row.raises is None:
            assert (await sending).status == 200
        else:
            with pytest.raises(row.raises):
                await sending
        assert len(api.requests) == row.asked
        assert asyncio.get_running_loop().time() == row.seconds

    run_in_virtual_time(check())


@in_virtual_time
async def test_an_error_says_what_was_being_done_and_which_field_broke_which_rule() -> None:
    cause = {"field": "spec.replicas", "reason": "FieldValueInvalid", "message": "must be at least 1"}
    api = ScriptedApi()
    api.answers(status(422, "Invalid", "ConfigMap is invalid", {"causes": [cause]}))
    with pytest.raises(errors.Invalid) as caught:
        await Sender(api, Random(1)).send(APPLY)
    assert str(caught.value) == "apply ConfigMap kafka/a: 422 Invalid: ConfigMap is invalid"
    assert caught.value.causes == (errors.Cause("spec.replicas", "FieldValueInvalid", "must be at least 1"),)
    assert isinstance(caught.value, faults.Invalid)


def test_a_proxys_page_is_quoted_in_part() -> None:
    error = errors.of_answer("read Pod kafka/a", 502, b"<html>" + b"x" * 10_000)
    assert str(error).startswith("read Pod kafka/a: 502: <html>xxx")
    assert len(str(error)) < 300
