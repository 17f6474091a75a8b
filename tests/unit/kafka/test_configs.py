"""Configurations read by hand, beside the library's own reading: the same of both."""

from collections.abc import Mapping

import pytest
from kafka.protocol.admin import DescribeConfigsRequest, DescribeConfigsResponse
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers

from klamm.kafka.admin import Admin, Connection
from klamm.kafka.configs import VERSIONS, config_values
from klamm.kafka.errors import Denied
from klamm.kafka.facts import ConfigValue
from klamm.kafka.packed import Answer

_Settings = Mapping[str, tuple[str | None, int]]
"""By name value and source (1: of the topic itself, 5: default)."""

_RESULT = DescribeConfigsResponse.DescribeConfigsResult
_SETTING = _RESULT.DescribeConfigsResourceResult


def _response(topics: Mapping[str, _Settings], codes: Mapping[str, int] | None = None) -> DescribeConfigsResponse:
    def setting(name: str, value: str | None, source: int) -> object:
        synonyms = [_SETTING.DescribeConfigsSynonym(name="log." + name, value=value, source=4)] * (source % 3)
        return _SETTING(
            name=name,
            value=value,
            read_only=source == 4,
            config_source=source,
            is_sensitive=value is None,
            synonyms=synonyms,
            config_type=2,
            documentation=None if source == 1 else "What it is. " * 20,
        )

    results = [
        _RESULT(
            error_code=(codes or {}).get(name, 0),
            error_message="no" if codes and name in codes else None,
            resource_type=2,
            resource_name=name,
            configs=[setting(key, *one) for key, one in settings.items()],
        )
        for name, settings in topics.items()
    ]
    return DescribeConfigsResponse(throttle_time_ms=3, results=results)


def _packed(response: DescribeConfigsResponse) -> Answer:
    return Answer(bytes(response.encode(version=VERSIONS[1])), VERSIONS[1])


_TOPICS: Mapping[str, _Settings] = {
    "a": {"cleanup.policy": ("delete", 5), "retention.ms": ("604800000", 5), "secret": (None, 1)},
    "like a": {"cleanup.policy": ("delete", 5), "retention.ms": ("604800000", 5), "secret": (None, 1)},
    "b": {"cleanup.policy": ("compact", 1), "retention.ms": ("604800000", 5), "secret": (None, 1)},
    "others": {"min.insync.replicas": ("2", 4), "retention.ms": ("ä" * 200, 1)},
    "more": {"retention.ms": ("1", 1), **{f"one.{number}": (str(number), number % 6) for number in range(200)}},
    "none": {},
    "like a again": {"cleanup.policy": ("delete", 5), "retention.ms": ("604800000", 5), "secret": (None, 1)},
}


async def test_they_are_read_as_the_library_reads_them() -> None:
    response = _response(_TOPICS)
    found = await config_values("look", _packed(response))
    assert found == await config_values("look", response)
    assert found["b"] == {
        "cleanup.policy": ConfigValue("compact", set_here=True),
        "retention.ms": ConfigValue("604800000", set_here=False),
        "secret": ConfigValue(None, set_here=True, sensitive=True),
    }
    assert found["a"] == found["like a"] == found["like a again"]


def test_no_version_is_spoken_that_is_not_known() -> None:
    assert DescribeConfigsRequest.max_version == DescribeConfigsResponse.max_version == VERSIONS[1]


async def test_topics_that_are_not_there_are_left_out() -> None:
    answer = _packed(_response({"a": _TOPICS["a"], "gone": {}, "b!": {}}, {"gone": 3, "b!": 17}))
    assert list(await config_values("look", answer)) == ["a"]


async def test_what_one_may_not_see_is_a_failure() -> None:
    with pytest.raises(Denied, match="look"):
        await config_values("look", _packed(_response({"a": {}}, {"a": 29})))


@pytest.mark.parametrize("newest", [{}, {32: 3}], ids=["new brokers", "older brokers"])
async def test_old_brokers_are_spoken_to_by_the_library(newest: Mapping[int, int]) -> None:
    made = FakeServers([1], topics={"a": FakeTopic([1], [1])}, administered=True, newest=newest)
    made.topic_configs, made.broker_configs = {"retention.ms": "5"}, {"log.dirs": "/data"}
    with fake_servers(made) as servers:
        async with await Admin.connect(Connection(servers.bootstrap)) as admin:
            assert await admin.topic_configs(["a", "gone"]) == {"a": {"retention.ms": ConfigValue("5", set_here=False)}}
            assert await admin.topic_configs(["a"], ["other"]) == {"a": {}}
            assert await admin.broker_configs([1]) == {1: {"log.dirs": ConfigValue("/data", set_here=False)}}
