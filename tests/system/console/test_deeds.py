"""What the console does to groups, rules, quotas, users, transactions and leaders, on real brokers."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.builders.browser import browser
from tests.builders.commits import commit
from tests.builders.hanging import leave_open
from tests.builders.new_topics import make_topics
from tests.builders.real_brokers import RealBrokers, real_brokers
from tests.builders.running_console import RunningConsole, running_console

from klamm.base.clock import SystemClock
from klamm.base.deadlines import until
from klamm.distribution.provide import provide
from klamm.distribution.store import Store
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.facts import NewTopic

KAFKA = "4.3.1"
KAFKA_WITH_ZOOKEEPER = "3.6.0"
WITHIN = 180.0
_AUTHORIZERS = {
    KAFKA: "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    KAFKA_WITH_ZOOKEEPER: "kafka.security.authorizer.AclAuthorizer",
}
_SETTINGS = {
    "super.users": "User:ANONYMOUS",
    "transaction.partition.verification.enable": "false",
}
_GROUPS = "/api/clusters/kafka/consumer-groups"


@pytest.fixture(scope="module", params=[KAFKA, KAFKA_WITH_ZOOKEEPER])
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBrokers]:
    """Two brokers that ask ACLs."""
    kafka: str = request.param
    cache = os.environ.get("KLAMM_CACHE")  # noqa: TID251 (the machine's store is shared with `klamm up`)
    store = Store(Path(cache) if cache else Path.home() / ".cache/klamm")
    provided = asyncio.run(provide(store, [kafka], java_home=None, clock=SystemClock()))
    settings = {**_SETTINGS, "authorizer.class.name": _AUTHORIZERS[kafka]}
    folder, zookeeper = tmp_path_factory.mktemp("guarded"), kafka == KAFKA_WITH_ZOOKEEPER
    with real_brokers(provided, folder, kafka, count=2, settings=settings, zookeeper=zookeeper) as running:
        yield running


async def _make(brokers: RealBrokers, topic: str, messages: int = 0, partitions: int = 1) -> None:
    await make_topics(brokers, NewTopic(topic, partitions, 2))
    if messages:
        lines = "\n".join(str(number) for number in range(messages))
        brokers.tool("kafka-console-producer.sh", "--topic", topic, input=lines)


async def _commit(brokers: RealBrokers, group: str, topic: str, offset: int) -> None:
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        await commit(admin, group, {topic: {0: offset}})


def _offsets(brokers: RealBrokers, group: str) -> dict[tuple[str, int], int]:
    """As Kafka's own tool tells them."""
    said = brokers.tool("kafka-consumer-groups.sh", "--describe", "--offsets", "--group", group)
    rows = [line.split() for line in said.splitlines()]
    return {(row[1], int(row[2])): int(row[3]) for row in rows if row[:1] == [group] and row[3] != "-"}


async def _plan(console: RunningConsole, group: str, **wish: Any) -> Any:
    said = await console.ask("POST", f"{_GROUPS}/{group}/offsets/plan", wish)
    assert said.status == 200, said.text
    return said.json


async def _do(console: RunningConsole, group: str, plan: Any) -> Any:
    keys = ("topic", "partition", "old", "new")
    lines = [{key: one[key] for key in keys} for one in plan["lines"] if one["changes"]]
    said = await console.ask("POST", f"{_GROUPS}/{group}/offsets", {"lines": lines})
    assert said.status == 200, said.text
    return said.json


async def test_resets_are_those_of_kafkas_tool_and_are_undone(guarded: RealBrokers) -> None:
    await _make(guarded, "resets", messages=20)
    for group in ("ours", "theirs"):
        await _commit(guarded, group, "resets", 12)
    async with running_console(guarded.bootstrap) as console:
        for wish, at in (
            ({"to": "earliest"}, 0),
            ({"to": "latest"}, 20),
            ({"to": "offset", "number": 7}, 7),
            ({"to": "shift", "number": -3}, 4),
            ({"to": "shift", "number": 99}, 20),
            ({"to": "time", "millis": 1_000_000}, 0),
            ({"to": "time", "millis": 4_000_000_000_000}, 20),
            ({"to": "group", "from": "theirs"}, 12),
        ):
            plan = await _plan(console, "ours", **wish)
            if wish["to"] in ("offset", "shift"):  # each takes the tool a JVM
                command = plan["command"].split()[3:]  # without the tool and its servers
                by_tool = guarded.tool("kafka-consumer-groups.sh", *command[:-1], "--dry-run")
                rows = [line.split() for line in by_tool.splitlines()]
                assert [int(row[3]) for row in rows if row[:1] == ["ours"]] == [at], by_tool
            done = await _do(console, "ours", plan)
            assert (done["changed"], done["failed"]) == (1, [])
            (line,) = (await _plan(console, "ours", to="latest"))["lines"]
            assert line["old"] == at
        await _do(console, "ours", await _plan(console, "ours", to="undo", number=done["undo"]))
        assert _offsets(guarded, "ours") == {("resets", 0): 20}


async def test_an_active_group_is_left_alone_of_both_protocols(guarded: RealBrokers) -> None:
    await _make(guarded, "busy", messages=5)
    if not guarded.kraft:
        pytest.skip("older brokers know one protocol")
    for group, protocol in (("classic", "classic"), ("newer", "consumer")):
        guarded.start_tool(
            "kafka-console-consumer.sh", "--topic", "busy", "--group", group, "--from-beginning",
            "--consumer-property", f"group.protocol={protocol}",
        )  # fmt: skip
    guarded.tool("kafka-configs.sh", "--alter", "--entity-type", "groups", "--entity-name", "shared",
                 "--add-config", "share.auto.offset.reset=earliest")  # fmt: skip
    guarded.start_tool("kafka-console-share-consumer.sh", "--topic", "busy", "--group", "shared")
    async with running_console(guarded.bootstrap) as console:

        async def reason_not() -> str | None:
            groups = (await console.get(_GROUPS)).json["groups"]
            members = {one["name"]: one["members"] for one in groups}
            return None if all(members.get(name) for name in ("classic", "newer", "shared")) else f"members: {members}"

        await until(WITHIN, "members of all groups", reason_not, every=0.2)
        for group in ("classic", "newer"):
            plan = await _plan(console, group, to="earliest", topics={"busy": []})
            assert "members in it: 1" in plan["refused"]
            said = await console.ask("DELETE", f"{_GROUPS}/{group}")
            assert said.status == 422
            assert "Somebody is in the group" in said.json["detail"]
            topic = await console.ask("DELETE", f"{_GROUPS}/{group}/topics/busy")
            assert topic.status in (404, 409), topic.text  # it may not have committed yet
        plan = await _plan(console, "shared", to="earliest", topics={"busy": []})
        assert "kafka-share-groups.sh" in plan["refused"]


async def test_a_group_is_deleted(guarded: RealBrokers) -> None:
    await _make(guarded, "gone", messages=5)
    await _commit(guarded, "leaver", "gone", 3)
    async with running_console(guarded.bootstrap) as console:
        done = (await console.ask("DELETE", f"{_GROUPS}/leaver/topics/gone")).json
        assert done["changed"] == 1
        await _do(console, "leaver", await _plan(console, "leaver", to="undo", number=done["undo"]))
        assert _offsets(guarded, "leaver") == {("gone", 0): 3}
        assert (await console.ask("DELETE", f"{_GROUPS}/leaver")).status == 204
    assert "leaver" not in guarded.tool("kafka-consumer-groups.sh", "--list").split()


async def test_a_person_resets_and_undoes(guarded: RealBrokers, tmp_path: Path) -> None:
    await _make(guarded, "seen", messages=9)
    await _commit(guarded, "person", "seen", 4)
    async with running_console(guarded.bootstrap) as console, browser(tmp_path) as tab:
        await tab.open(f"{console.url}/clusters/kafka/groups/person")
        await tab.click("Reset offsets")
        await tab.fill("To", "latest")
        await tab.click("See what it would do")
        await tab.until_shown("5 skipped")
        await tab.until_shown("--to-latest --execute")
        assert _offsets(guarded, "person") == {("seen", 0): 4}
        await tab.click("Reset 1 partition")
        await tab.until_shown("Resets that can be undone")
        assert _offsets(guarded, "person") == {("seen", 0): 9}
        await tab.click("Undo")
        await tab.until_shown("5 once more")
        await tab.click("Reset 1 partition")
        await tab.until("!document.querySelector('dialog')", "the dialog to go")
        assert _offsets(guarded, "person") == {("seen", 0): 4}
        assert tab.said == []


async def _rules_known(brokers: RealBrokers, principal: str, count: int) -> None:
    """Any broker may be asked, and they hear of rules one after the other."""
    from kafka.protocol.admin import DescribeAclsRequest

    any_ = 1
    asked = DescribeAclsRequest(
        resource_type_filter=any_, resource_name_filter=None, pattern_type_filter=any_, principal_filter=principal,
        host_filter=None, operation=any_, permission_type=any_,
    )  # fmt: skip
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        for broker in brokers.brokers:

            async def reason_not(id: int = broker.id) -> str | None:
                resources = (await admin.ask("list rules", asked, id)).resources
                known = sum(len(one.acls) for one in resources)
                return None if known == count else f"broker {id} knows {known}"

            await until(WITHIN, "the rules at every broker", reason_not, every=0.1)


async def test_rules_quotas_and_users(guarded: RealBrokers) -> None:
    base = "/api/clusters/kafka"
    async with running_console(guarded.bootstrap) as console:
        template = {"kind": "consumer", "principal": "User:anna", "topics": ["acl-t"], "groups": ["acl-g"]}
        made = (await console.ask("POST", f"{base}/acls/template", template)).json["acls"]
        assert (await console.ask("POST", f"{base}/acls", {"acls": made})).status == 204

        async def reason_not() -> str | None:
            there = (await console.get(f"{base}/acls?search=anna")).json["acls"]
            return None if there == made else f"there is {there}"

        await until(WITHIN, "the rules", reason_not, every=0.1)
        await _rules_known(guarded, "User:anna", len(made))
        assert "User:anna,TOPIC,LITERAL,acl-t,READ,ALLOW,*" in (await console.get(f"{base}/acls/csv")).text
        asked = "principal=User:anna&operation=DESCRIBE&resourceType=TOPIC&resourceName=acl-t"
        assert (await console.get(f"{base}/acls/decision?{asked}")).json["allowed"] is True
        asked = asked.replace("DESCRIBE", "WRITE")
        assert (await console.get(f"{base}/acls/decision?{asked}")).json["allowed"] is False
        csv = {"csv": "User:bert,TOPIC,PREFIXED,acl,READ,DENY,*", "sync": True, "dryRun": False}
        done = (await console.ask("POST", f"{base}/acls/csv", csv)).json
        assert (len(done["created"]), len(done["deleted"])) == (1, 3)

        quota = {"user": "anna", "clientId": "", "limits": {"producer_byte_rate": 1024}}
        assert (await console.ask("POST", f"{base}/clientquotas", quota)).status == 204
        assert "producer_byte_rate=1024.0" in guarded.tool(
            "kafka-configs.sh", "--describe", "--entity-type", "users", "--entity-name", "anna",
            "--entity-type", "clients", "--entity-default",
        )  # fmt: skip
        (line,) = (await console.get(f"{base}/clientquotas")).json["quotas"]
        assert (line["user"], line["clientId"], line["ip"]) == ("anna", "", None)
        await console.ask("POST", f"{base}/clientquotas", {**quota, "limits": {"producer_byte_rate": None}})
        await console.ask("POST", f"{base}/clientquotas", {"ip": "10.0.0.1", "limits": {"connection_creation_rate": 5}})

        async def reason_not_changed() -> str | None:
            there = (await console.get(f"{base}/clientquotas")).json["quotas"]
            return None if [one["ip"] for one in there] == ["10.0.0.1"] else f"there is {there}"

        await until(WITHIN, "the quotas", reason_not_changed, every=0.1)

        secret = {"password": "a-secret-of-anna"}
        said = await console.ask("PUT", f"{base}/scram-users/anna", secret)
        assert (said.status, said.text) == (204, "")
        assert "SCRAM-SHA-512=iterations=4096" in guarded.tool(
            "kafka-configs.sh", "--describe", "--entity-type", "users", "--entity-name", "anna"
        )
        assert "secret" not in (await console.get(f"{base}/scram-users")).text
        short = await console.ask("PUT", f"{base}/scram-users/anna", {"password": "tiny"})
        assert short.status == 400
        assert "tiny" not in short.text
        assert (await console.ask("DELETE", f"{base}/scram-users/anna/SCRAM-SHA-512")).status == 204


async def test_a_transaction_that_hangs_is_found_and_aborted(guarded: RealBrokers) -> None:
    await _make(guarded, "hangs")
    now = int(SystemClock().now().timestamp() * 1000)
    async with await Admin.connect(Connection(guarded.bootstrap)) as admin:
        leader = (await admin.describe_topics(["hangs"]))["hangs"].partitions[0].leader
        assert leader is not None
        await leave_open(admin, leader, "hangs", 0, 4711, now - 3_600_000)
    base = "/api/clusters/kafka"
    async with running_console(guarded.bootstrap) as console:
        (found,) = (await console.get(f"{base}/transactions/hanging")).json["producers"]
        assert (found["producerId"], found["openSince"]) == (4711, 0)
        assert found["why"] == "no coordinator knows producer 4711"
        assert "4711" in guarded.tool("kafka-transactions.sh", "find-hanging", "--topic", "hangs")
        wish = {"topic": "hangs", "partition": 0, "producerId": 4711, "openSince": 0}
        assert (await console.ask("POST", f"{base}/transactions/aborts", {**wish, "openSince": 1})).status == 409
        assert (await console.ask("POST", f"{base}/transactions/aborts", wish)).status == 204
        assert (await console.get(f"{base}/transactions/hanging?topic=hangs")).json == {"producers": [], "unread": []}
        (producer,) = (await console.get(f"{base}/topics/hangs/producers")).json["producers"]
        assert producer["openSince"] is None
        assert (await console.get(f"{base}/transactions")).status == 200


async def test_leaders_are_elected_and_the_quorum_is_shown(guarded: RealBrokers) -> None:
    await _make(guarded, "led", partitions=4)
    base = "/api/clusters/kafka"
    async with running_console(guarded.bootstrap) as console:
        assert (await console.ask("POST", f"{base}/topics/led/elections", {})).json == {"elected": 0, "failed": []}
        refused = await console.ask("POST", f"{base}/elections", {"unclean": True})
        assert (refused.status, refused.json["field"]) == (400, "sure")
        sure = await console.ask("POST", f"{base}/topics/led/elections", {"unclean": True, "sure": True})
        assert sure.json == {"elected": 0, "failed": []}  # they have leaders
        quorum = (await console.get(f"{base}/quorum")).json
        assert quorum["kraft"] is guarded.kraft
        if guarded.kraft:
            assert quorum["leader"] == 1
            assert [(one["id"], one["role"]) for one in quorum["members"]] == [(1, "leader"), (2, "observer")]
            features = {one["name"]: one for one in quorum["features"]}
            assert features["metadata.version"]["level"] == features["metadata.version"]["most"]
        shown = (await console.get(f"{base}/heat-map?by=leaders")).json
        rows = {one["topic"]: one["values"] for one in shown["rows"]}
        assert (shown["brokers"], sum(rows["led"])) == ([1, 2], 4)


async def test_every_page_opens_and_a_rule_is_asked_for(guarded: RealBrokers, tmp_path: Path) -> None:
    await _make(guarded, "paged", messages=1)
    async with running_console(guarded.bootstrap) as console, browser(tmp_path) as tab:
        for page, words in (
            ("acls", "Download as CSV"),
            ("quotas", "Set a user's password"),
            ("transactions", "There is no transaction."),
            ("transactions?tab=hanging&look=1", "Why"),
            ("transactions?tab=producers&topic=paged", "Last sequence"),
            ("quorum", "metadata.version" if guarded.kraft else "ZooKeeper"),
            ("heat", "Palest: nothing."),
            ("heat?as=table&by=leaders", "Leaders by topic and broker"),
        ):
            await tab.open(f"{console.url}/clusters/kafka/{page}")
            await tab.until_shown(words)
        await tab.open(f"{console.url}/clusters/kafka/acls?tab=why")
        await tab.fill("May", "User:anna")
        await tab.fill("called", "paged")
        await tab.fill("super.users", "User:anna;User:bert")
        await tab.click("Ask")
        await tab.until_shown("User:anna is a super user")
        await tab.open(f"{console.url}/clusters/kafka/topics/paged")
        await tab.click("Elect preferred leaders")
        await tab.click("Elect")
        await tab.until_shown("No election was needed")
        await tab.click("Elect unclean leaders")
        await tab.fill("Write", "lose records")
        await tab.click("Go on")
        await tab.until_shown("Are you sure?")
        await tab.click("Elect unclean leaders")
        await tab.until("!document.querySelector('dialog')", "the dialogs to go")
        assert tab.said == []
