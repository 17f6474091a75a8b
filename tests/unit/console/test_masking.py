"""What masks hide, and that nothing is shown around them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import cluster_settings, running_console

from klamm.console.access import masking
from klamm.console.serdes import Shown, wire
from klamm.console.serdes.of_cluster import ClusterSerdes, SerdeSettings, Wish
from klamm.console.serdes.own import NAMELESS
from klamm.console.settings import Settings

_USER = {
    "name": "Ann Lee",
    "card": "4929-1234",
    "n": 42,
    "inner": {"card": {"no": "A1", "ok": True}, "x": [{"card": 7}]},
}


def mask(**rule: Any) -> masking.Mask:
    made = masking.read([{"topicValuesPattern": "users", **rule}]).of("users", keys=False)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (
            {"type": "REMOVE", "fields": ["card"]},
            {"name": "Ann Lee", "n": 42, "inner": {"x": [{}]}},
        ),
        (
            {"type": "MASK", "fields": ["card", "name"]},
            {
                "name": "Xxx Xxx",
                "card": "nnnn-nnnn",
                "n": 42,
                "inner": {"card": {"no": "Xn", "ok": "xxxx"}, "x": [{"card": "n"}]},
            },
        ),
        (
            {"type": "MASK", "fieldsNamePattern": "c.*", "maskingCharsReplacement": ["A", "a", "N", "_"]},
            {
                "name": "Ann Lee",
                "card": "NNNN_NNNN",
                "n": 42,
                "inner": {"card": {"no": "AN", "ok": "aaaa"}, "x": [{"card": "N"}]},
            },
        ),
        (
            {"type": "REPLACE", "fields": ["card"], "replacement": "***"},
            {
                "name": "Ann Lee",
                "card": "***",
                "n": 42,
                "inner": {"card": {"no": "***", "ok": "***"}, "x": [{"card": "***"}]},
            },
        ),
        ({"type": "REMOVE"}, {}),
    ],
)
def test_fields_are_masked_at_every_depth(rule: dict[str, Any], wanted: Any) -> None:
    masked = mask(**rule)(json.dumps(_USER))
    assert json.loads(masked or "") == wanted


@pytest.mark.parametrize(
    ("rule", "text", "wanted"),
    [
        ({"type": "REMOVE", "fields": ["card"]}, "no JSON", None),
        ({"type": "MASK", "fields": ["card"]}, '{"card": "492', '-"xxxx"-'),
        ({"type": "MASK"}, "Ärger 12 É", "Xxxxx nn X"),
        ({"type": "REPLACE"}, "42", "***DATA_MASKED***"),
        ({"type": "REPLACE", "replacement": "-"}, '"a string of JSON"', "-"),
    ],
)
def test_what_is_no_object_or_list_is_masked_whole(rule: dict[str, Any], text: str, wanted: str | None) -> None:
    wanted = None if wanted is None else wanted.replace('-"xxxx"-', "--xxxx-- -nnn")
    assert mask(**rule)(text) == wanted


@pytest.mark.parametrize(
    ("rule", "text", "wanted"),
    [
        ({"type": "MASK"}, '["4111 1111"]', '["nnnn nnnn"]'),
        ({"type": "MASK"}, '[[1,2],"s",{"a":[3]}]', '[["n","n"],"x",{"a":["n"]}]'),
        ({"type": "REMOVE"}, '["s"]', "[null]"),
        ({"type": "MASK", "fields": ["card"]}, '["4111"]', '["nnnn"]'),
        ({"type": "MASK", "fields": ["card"]}, '[{"card":"4111","n":["x",[1]]}]', '[{"card":"nnnn","n":["x",[1]]}]'),
    ],
)
def test_what_stands_in_no_object_has_no_name_and_is_masked(rule: dict[str, Any], text: str, wanted: str) -> None:
    assert mask(**rule)(text) == wanted


def test_half_of_a_surrogate_pair_stays_json_that_can_be_sent() -> None:
    masked = mask(type="REMOVE", fields=["b"])('{"a":"\\ud800","é":1,"b":2}')
    assert masked is not None
    assert json.loads(masked.encode()) == {"a": "\ud800", "é": 1}


def test_what_is_not_masked_stays_json() -> None:
    masked = mask(type="REMOVE", fields=["a"])('{"a": 1, "b": 1e999, "c": NaN, "d": 12345678901234567890123}')
    assert masked == '{"b":"1e999","c":"NaN","d":12345678901234567890123}'


def test_rules_hold_one_after_the_other() -> None:
    rules = [
        {"type": "REMOVE", "fields": ["a"], "topicValuesPattern": "t.*"},
        {"type": "MASK", "fields": ["b"], "topicValuesPattern": "t1"},
        {"type": "REPLACE", "topicKeysPattern": "t1"},
    ]
    made = masking.read(rules)
    values, keys = made.of("t1", keys=False), made.of("t1", keys=True)
    assert values is not None
    assert keys is not None
    assert values('{"a":1,"b":2,"c":3}') == '{"b":"n","c":3}'
    assert keys("k") == "***DATA_MASKED***"
    assert made.of("t2", keys=True) is None
    assert made.of("xt1", keys=False) is None


def test_a_copy_is_only_for_topics_that_hide_as_much() -> None:
    made = masking.read([{"type": "REMOVE", "fields": ["a"], "topicValuesPattern": "users.*"}])
    assert made.uncovered("users", "users-retry") is None
    assert made.uncovered("orders", "open") is None
    assert made.uncovered("users", "open") is made.rules[0]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"type": "HIDE", "topicValuesPattern": "t"}, "Invalid enum value 'HIDE'"),
        ({"type": "MASK"}, "it holds for no topic; write topicKeysPattern or topicValuesPattern"),
        (
            {"type": "MASK", "fields": ["a"], "fieldsNamePattern": "b", "topicValuesPattern": "t"},
            "fields and fieldsNamePattern are both there",
        ),
        ({"type": "MASK", "topicValuesPattern": "("}, "topicValuesPattern: '(' is no regular expression"),
        ({"type": "MASK", "topicValuesPattern": "t", "maskingCharsReplacement": ["X"]}, "length 4"),
        ({"type": "MASK", "topicValuePattern": "t"}, "unknown field `topicValuePattern`"),
    ],
)
def test_what_is_wrong_in_a_rule_is_told(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="masking") as caught:
        masking.read([rule])
    assert said in str(caught.value)


_SECRET = "s3cr3t"


def _with_secret(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | st.integers() | st.sampled_from(["x", "y"])
    trees = st.recursive(plain, lambda one: st.lists(one) | st.dictionaries(st.sampled_from("abc"), one), max_leaves=8)
    return st.dictionaries(st.sampled_from("abc"), trees).flatmap(
        lambda tree: st.sampled_from([{"hidden": _SECRET}, {"hidden": [{"deep": _SECRET}]}]).map(
            lambda secret: [tree, {"a": [secret, tree]}]
        )
    )


@settings(max_examples=50, deadline=None)
@given(_with_secret(st.none()), st.sampled_from(["REMOVE", "MASK", "REPLACE"]))
def test_what_is_hidden_is_in_no_answer(value: Any, type_: str) -> None:
    masked = mask(type=type_, fields=["hidden"])(json.dumps(value))
    assert _SECRET not in (masked or "")
    assert _SECRET not in (mask(type=type_, fields=["hidden"])("[" * 100_000 + _SECRET) or "")


def test_choosing_another_serde_shows_nothing_more() -> None:
    rule = {"type": "REPLACE", "fields": ["card"], "replacement": "***", "topicValuesPattern": "users"}
    serdes = ClusterSerdes(masking=masking.read([rule]))
    by_number = Shown("json", '{"1":"4929"}', details=(NAMELESS,))
    assert serdes.masked("users", "value", by_number).text == "***"
    assert serdes.masked("users", "value", Shown("binary", "3439")).text == "***"
    failed = Shown("text", "4929", "Json: '4929' is no JSON", (("not Avro", "4929"),))
    shown = serdes.masked("users", "value", failed)
    assert "4929" not in repr(shown)
    for part in ("key", "value"):
        for name in serdes.names("users", part):
            serde = serdes.get("users", part, name)
            for data in (b'{"card": "4929"}', b"card 4929", b"\x12\x044929", b"4929" * 4):
                shown = serdes.masked("users", part, serde.read(data))
                if part == "value":
                    assert "4929" not in (shown.text or "") + (shown.why_not or "") + repr(shown.details), name
    offsets = b"\0\1\0\x044929\0\1t\0\0\0\0"
    for data, name in ((offsets, "ConsumerOffsets"), (wire.write_struct({"4929": "x"}), "Struct")):
        read = serdes.get("users", "key", name).read(data)
        assert "4929" in (read.text or "")
        assert serdes.masked("users", "value", read).text == "***", name
    assert serdes.masks("users")
    assert not serdes.masks("orders")
    assert serdes.masked("users", "key", Shown("text", "k")).text == "k"


def test_names_of_a_form_count_where_the_topic_has_it() -> None:
    rules = [{"type": "REPLACE", "fields": ["card"], "replacement": "***", "topicValuesPattern": ".*"}]
    struct = wire.write_struct({"card": 1, "n": 2})
    for settings_ in (
        SerdeSettings(value="Struct"),
        SerdeSettings((Wish("mine", values=re.compile("t"), of="Struct"),)),
    ):
        serdes = ClusterSerdes(settings_, masking.read(rules))
        read = serdes.get("t", "value", None).read(struct)
        assert serdes.masked("t", "value", read).text == '{"card":"***","n":2}'
    beat = serdes.get("heartbeats", "value", "Heartbeat").read(b"\0\0" + bytes(8))
    assert json.loads(serdes.masked("heartbeats", "value", beat).text or "") == {"timestamp": 0}
    assert serdes.masked("orders", "value", beat).text == "***"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "copy", {"fromTopic": "users"}),
        ("POST", "again", {"fromTopic": "users", "fromPartition": 0, "fromOffset": 0}),
    ],
)
async def test_records_are_not_copied_to_where_they_would_be_seen(method: str, path: str, body: Any) -> None:
    with fake_servers(FakeServers([1], topics={"users": FakeTopic([1], [1]), "open": FakeTopic([1], [1])})) as servers:
        hides = masking.read([{"type": "REMOVE", "fields": ["card"], "topicValuesPattern": "users.*"}])
        settings = Settings((cluster_settings(servers.bootstrap, masking=hides),))
        async with running_console(settings=settings) as console:
            said = await console.ask(method, f"/api/clusters/kafka/topics/open/messages/{path}", body)
            assert (said.status, "let its patterns hold for open, too" in said.json["detail"]) == (403, True)


def test_what_is_removed_is_null() -> None:
    serdes = ClusterSerdes(masking=masking.read([{"type": "REMOVE", "topicKeysPattern": ".*"}]))
    assert serdes.masked("users", "key", Shown("text", "k")) == Shown("null", None)
