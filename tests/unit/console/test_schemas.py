"""The schema registry: its client, its pages' API, and records by its schemas."""

import asyncio
import base64
import json
import re
import struct
from collections.abc import Iterator
from random import Random
from typing import Any

import aiohttp
import pytest
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers
from tests.builders.fake_registry import FakeRegistry, fake_registry
from tests.builders.running_console import cluster_settings, running_console

from klamm.base.clock import SystemClock
from klamm.console.access.rights import Permission, Principal, Role
from klamm.console.api import schemas
from klamm.console.clusters import Place
from klamm.console.paging import PageQuery
from klamm.console.problems import Problem
from klamm.console.records.selection import Selection
from klamm.console.records.shown import Showing
from klamm.console.routes import Call, NoQuery
from klamm.console.schemas.diff import differences
from klamm.console.schemas.registry import Registry, RegistryFailure, RegistrySettings, whole
from klamm.console.serdes import CannotWrite
from klamm.console.serdes.of_cluster import ClusterSerdes
from klamm.console.settings import Settings
from klamm.kafka.batches import Batch, batches_in
from klamm.kafka.writing import NewRecord, batch_of

ORDER = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}'
NOTED = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"note","type":"string"}]}'
SCHEMAS = "/api/clusters/kafka/schemas"


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    with fake_servers(FakeServers([1], topics={"orders": FakeTopic([1], [1])})) as running:
        yield running


def console_of(servers: FakeServers, registry: FakeRegistry | None, **more: Any) -> Any:
    settings = None if registry is None else RegistrySettings((registry.url,))
    return running_console(settings=Settings((cluster_settings(servers.bootstrap, registry=settings, **more),)))


async def test_subjects_versions_and_what_differs(servers: FakeServers) -> None:
    async with fake_registry() as registry:
        registry.add("orders-value", ORDER)
        registry.add("orders-value", NOTED)
        registry.add("a/b ?#", '"string"')
        async with console_of(servers, registry) as console:
            listed = (await console.get(SCHEMAS)).json
            assert listed["compatibility"] == "BACKWARD"
            assert listed["subjects"] == [
                {"subject": "a/b ?#", "version": 1, "id": 3, "schemaType": "AVRO"},
                {"subject": "orders-value", "version": 2, "id": 2, "schemaType": "AVRO"},
            ]
            one = (await console.get(f"{SCHEMAS}/orders-value")).json
            assert (one["version"]["version"], one["versions"], one["compatibility"]) == (2, [1, 2], None)
            assert one["shown"].splitlines()[1] == '  "type": "record",'
            odd = await console.get(f"{SCHEMAS}/a%2Fb%20%3F%23?version=1")
            assert odd.json["version"]["schema"] == '"string"'
            lines = (await console.get(f"{SCHEMAS}/orders-value/diff?old=1&new=2")).json["lines"]
            added = [line["text"].strip() for line in lines if line["old"] is None]
            assert '"name": "note",' in added


async def test_a_schema_is_registered_checked_and_deleted(servers: FakeServers) -> None:
    async with fake_registry() as registry, console_of(servers, registry) as console:
        body = {"subject": "orders-value", "schema": ORDER}
        assert (await console.ask("POST", SCHEMAS, body)).json == {"id": 1}
        assert (await console.ask("POST", SCHEMAS, {**body, "schema": NOTED})).json == {"id": 2}
        refused = await console.ask("POST", SCHEMAS, {**body, "schema": '"INCOMPATIBLE"'})
        assert (refused.status, "incompatible with an earlier" in refused.json["detail"]) == (409, True)
        check = f"{SCHEMAS}/orders-value/check"
        assert (await console.ask("POST", check, {"schema": ORDER})).json == {"fits": True, "messages": []}
        fits = (await console.ask("POST", check, {"schema": '"INCOMPATIBLE"'})).json
        assert fits == {"fits": False, "messages": ["a field was lost"]}
        assert (await console.ask("POST", f"{SCHEMAS}/new/check", {"schema": ORDER})).json["fits"]
        level = {"compatibility": "FULL"}
        assert (await console.ask("PUT", f"{SCHEMAS}/orders-value/compatibility", level)).status == 204
        assert (await console.get(f"{SCHEMAS}/orders-value")).json["compatibility"] == "FULL"
        assert (await console.ask("PUT", f"{SCHEMAS}-compatibility", level)).status == 204
        assert registry.levels == {None: "FULL", "orders-value": "FULL"}
        assert (await console.ask("DELETE", f"{SCHEMAS}/orders-value?version=1")).status == 204
        assert registry.subjects == {"orders-value": {2: 2}}
        assert (await console.ask("DELETE", f"{SCHEMAS}/orders-value")).status == 204
        assert registry.subjects == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", f"{SCHEMAS}/none", None, 404, "Subject 'none' not found"),
        ("GET", f"{SCHEMAS}/none?version=0", None, 400, "version: 0 is no version"),
        ("POST", SCHEMAS, {"subject": "", "schema": ORDER}, 400, "subject: '' is no name"),
        ("POST", SCHEMAS, {"subject": "a", "schema": " "}, 400, "is no schema"),
        ("POST", SCHEMAS, {"subject": "a", "schema": "{"}, 422, "Invalid schema of type AVRO"),
        ("POST", SCHEMAS, {"subject": "a", "schema": ORDER, "schemaType": "XML"}, 400, "AVRO, JSON, PROTOBUF"),
        ("PUT", f"{SCHEMAS}/a/compatibility", {"compatibility": "SOME"}, 400, "write one of BACKWARD"),
    ],
)
async def test_what_is_wrong_is_told(
    servers: FakeServers, method: str, path: str, body: Any, status: int, said: str
) -> None:
    async with fake_registry() as registry, console_of(servers, registry) as console:
        answer = await console.ask(method, path, body)
        assert answer.status == status
        assert said in answer.json["detail"]


async def test_a_cluster_without_a_registry_says_what_to_name(servers: FakeServers) -> None:
    async with console_of(servers, None) as console:
        answer = await console.get(SCHEMAS)
        assert answer.status == 404
        assert "schemaRegistry" in answer.json["detail"]


async def test_roles_hold_for_each_subject(servers: FakeServers) -> None:
    may = Permission("schema", frozenset({"view", "create"}), re.compile("orders-.*"))
    who = Principal("ann", (Role("r", frozenset({"kafka"}), (may,)),))
    async with fake_registry() as registry:
        registry.add("orders-value", ORDER)
        registry.add("secret-value", ORDER)
        of_registry = cluster_settings(servers.bootstrap, registry=RegistrySettings((registry.url,)))
        place = Place(of_registry, SystemClock(), Random(1))
        try:
            call: Any = Call(None, who, {}, PageQuery(), None, place)  # type: ignore[arg-type]
            assert [one.subject for one in (await schemas.subjects(call)).subjects] == ["orders-value"]
            wish = schemas.SchemaWish(ORDER, subject="secret-value")
            with pytest.raises(Problem, match="may not create schema secret-value"):
                await schemas.register(Call(None, who, {}, NoQuery(), wish, place))  # type: ignore[arg-type]
        finally:
            await place.close()


async def test_the_next_registry_is_asked_when_one_is_silent() -> None:
    async with fake_registry() as registry:
        registry.add("a", ORDER)
        client = Registry(RegistrySettings(("http://127.0.0.1:1", registry.url + "/")), SystemClock())
        assert await client.subjects() == ["a"]
        await client.close()


@pytest.mark.parametrize("subject", [".", ".."])
async def test_a_subject_leads_nowhere_else(servers: FakeServers, subject: str) -> None:
    async with fake_registry() as registry, console_of(servers, registry) as console:
        said = await console.ask("POST", SCHEMAS, {"subject": subject, "schema": ORDER})
        assert (said.status, "no subject can have this name" in said.json["detail"]) == (422, True)


async def test_what_stands_in_an_address_is_told_to_nobody() -> None:
    async with fake_registry(FakeRegistry(answer_anything=b"junk")) as registry:
        for url in (registry.url.replace("//", "//ann:hidden@"), "http://ann:hidden@127.0.0.1:1/hidden?token=hidden"):
            client = Registry(RegistrySettings((url,)), SystemClock())
            with pytest.raises(RegistryFailure, match="does not answer") as caught:
                await client.subjects()
            assert "hidden" not in str(caught.value)
            await client.close()


@pytest.mark.parametrize("junk", [b"<html>", b"[1]", b'{"a": 1}', b"", b"\xff", b"[" * 100_000])
async def test_what_is_no_registry_is_told(junk: bytes) -> None:
    async with fake_registry(FakeRegistry(answer_anything=junk)) as registry:
        client = Registry(RegistrySettings((registry.url,)), SystemClock())
        with pytest.raises(RegistryFailure, match="does not answer as a registry does"):
            await client.version("a", 1)
        await client.close()


async def test_an_endless_answer_is_cut() -> None:
    async with fake_registry(FakeRegistry(answer_anything=b'"' + b"x" * (9 << 20))) as registry:
        client = Registry(RegistrySettings((registry.url,)), SystemClock())
        with pytest.raises(RegistryFailure, match="more than 8 MiB"):
            await client.subjects()
        await client.close()


async def test_a_password_is_given_and_not_shown() -> None:
    async with fake_registry(FakeRegistry(password=base64.b64encode(b"ann:s3cr3t").decode())) as registry:
        settings = RegistrySettings((registry.url,), "ann", "s3cr3t")
        client = Registry(settings, SystemClock())
        assert await client.subjects() == []
        assert "s3cr3t" not in repr(settings)
        await client.close()
        other = Registry(RegistrySettings((registry.url,)), SystemClock())
        with pytest.raises(RegistryFailure, match="Unauthorized"):
            await other.subjects()
        await other.close()


async def test_a_schema_is_asked_for_once_and_so_is_one_that_is_not_there() -> None:
    async with fake_registry() as registry:
        registry.add("a", ORDER)
        registry.hung = asyncio.Event()
        client = Registry(RegistrySettings((registry.url,)), SystemClock())
        asking = [asyncio.create_task(client.schema(1)) for _ in range(5)]
        while not registry.asked:
            await asyncio.sleep(0)
        asking[0].cancel()
        registry.hung.set()
        assert [(await one).schema for one in asking[1:]] == [ORDER] * 4
        for _ in range(3):
            with pytest.raises(RegistryFailure, match="schema 9: Schema not found"):
                await client.schema(9)
        assert registry.asked == ["GET /schemas/ids/1", "GET /schemas/ids/9"]
        await client.close()


def framed(id_: int, payload: bytes) -> bytes:
    return struct.pack(">bI", 0, id_) + payload


async def serdes_of(registry: FakeRegistry) -> ClusterSerdes:
    return ClusterSerdes(registry=Registry(RegistrySettings((registry.url,)), SystemClock()))


@pytest.mark.parametrize(
    ("kind", "schema", "payload", "text"),
    [
        ("AVRO", ORDER, b"\x54", '{"id":42}'),
        ("JSON", '{"type": "object"}', b'{"id": 42.10}', '{"id": 42.10}'),
        ("PROTOBUF", 'syntax="proto3"; message Order { int32 id = 1; }', b"\x00\x08\x2a", '{"id": 42}'),
        (
            "PROTOBUF",
            'syntax="proto3"; message A {} message B { message C { int32 id = 1; } }',
            b"\x04\x02\x00\x08\x2a",
            '{"id": 42}',
        ),
    ],
)
async def test_records_are_read_and_written_by_the_registry(kind: str, schema: str, payload: bytes, text: str) -> None:
    async with fake_registry() as registry:
        id_ = registry.add("orders-value", schema, kind)
        serdes = await serdes_of(registry)
        for name in (None, "SchemaRegistry"):
            serde, data = serdes.get("orders", "value", name), framed(id_, payload)
            await serde.prepare([data, b"other", b"\x00\x00"])
            shown = serde.read(data)
            assert (shown.kind, shown.text, shown.why_not) == ("json", text, None)
            assert ("schemaId", str(id_)) in shown.details
            await serde.prepare([])
            if "message A" not in schema:  # written is the first type of a file
                assert json.loads(serde.read(serde.write(text)).text or "") == json.loads(text)
        assert serdes.registry is not None
        await serdes.registry.close()


async def test_a_search_looks_at_what_is_shown_where_that_is_not_the_bytes() -> None:
    async with fake_registry() as registry:
        id_ = registry.add("orders-value", ORDER)
        serdes = await serdes_of(registry)
        (batch,) = batches_in(0, batch_of([NewRecord(None, framed(id_, b"\x54"), 0, ())]))
        assert await _found("42", batch, serdes) == [0]
        assert await _found("42", batch, ClusterSerdes()) == []
        assert serdes.registry is not None
        await serdes.registry.close()


async def _found(text: str, batch: Batch, serdes: ClusterSerdes) -> list[int]:
    auto = serdes.get("orders", "value", None)
    showing = Showing("orders", serdes, auto, auto)
    selection = Selection(showing, text)
    fitting = selection.fitting(batch, is_among=True)
    verdicts = await selection.verdicts(await showing.show(fitting))
    return [one.offset for one, verdict in zip(fitting, verdicts, strict=True) if verdict is True]


async def test_schemas_that_refer_to_others() -> None:
    async with fake_registry() as registry:
        registry.add("money", '{"type":"record","name":"Price","namespace":"m","fields":[{"name":"n","type":"int"}]}')
        refers = [{"name": "m.Price", "subject": "money", "version": 1}]
        schema = '{"type":"record","name":"Order","fields":[{"name":"price","type":"m.Price"}]}'
        avro = registry.add("orders-value", schema, references=refers)
        registry.add("p", 'syntax="proto3"; package m; message Price { int32 n = 1; }', "PROTOBUF")
        proto = registry.add(
            "q-value",
            'syntax="proto3"; import "m/price.proto"; message Order { m.Price price = 1; }',
            "PROTOBUF",
            [{"name": "m/price.proto", "subject": "p", "version": 1}],
        )
        serdes = await serdes_of(registry)
        serde = serdes.get("orders", "value", None)
        for data in (framed(avro, b"\x0e"), framed(proto, b"\x00\x0a\x02\x08\x07")):
            await serde.prepare([data])
            assert json.loads(serde.read(data).text or "") == {"price": {"n": 7}}
        assert serdes.registry is not None
        await serdes.registry.close()


async def test_references_in_a_circle_end() -> None:
    async with fake_registry() as registry:
        circle = [{"name": "x1", "subject": "s", "version": 1}]
        registry.add("s", ORDER, references=circle)
        client = Registry(RegistrySettings((registry.url,)), SystemClock())
        with pytest.raises(RegistryFailure, match="in a circle"):
            await whole(client, await client.schema(1))
        await client.close()


async def test_why_a_record_could_not_be_read_is_told() -> None:
    async with fake_registry() as registry:
        registry.add("orders-value", ORDER)
        registry.add("bad", '{"type": "nothing"}')
        serdes = await serdes_of(registry)
        serde = serdes.get("orders", "value", "SchemaRegistry")
        for data, why in (
            (b"text", "does not begin with 0"),
            (framed(77, b""), "schema 77: schema 77: Schema not found"),
            (framed(1, b"\x54\x54"), "schema 1 (AVRO): 1 bytes are left over"),
            (framed(2, b""), "speaks of nothing"),
        ):
            await serde.prepare([data])
            assert why in (serde.read(data).why_not or "")
            automatic = serdes.get("orders", "value", None)
            assert any(why in reason for name, reason in automatic.read(data).details) or data == b"text"
        await serde.prepare([])
        with pytest.raises(CannotWrite, match="schema 1 of orders-value: id: it is missing"):
            serde.write("{}")
        key = serdes.get("orders", "key", "SchemaRegistry")
        await key.prepare([])
        with pytest.raises(CannotWrite, match="Subject 'orders-key' not found"):
            key.write("{}")
        automatic = serdes.get("orders", "key", None)
        await automatic.prepare([])
        assert automatic.write("k-1") == b"k-1"
        assert serdes.registry is not None
        await serdes.registry.close()


def test_differences_are_bounded() -> None:
    assert [line.text for line in differences('{"a":1}', '{"a":2}') if line.old is None] == ['  "a": 2']
    with pytest.raises(ValueError, match="up to 5000 lines"):
        differences("[" + "1," * 6000 + "1]", "[]")


async def test_the_fake_answers_as_the_reference_says(servers: FakeServers) -> None:
    """Paths, fields and codes of the published API that the client relies on."""
    async with fake_registry() as registry, aiohttp.ClientSession(registry.url) as session:
        created = await session.post("/subjects/s/versions", json={"schema": ORDER})
        assert await created.json(content_type=None) == {"id": 1}
        for path, wanted in (
            ("/subjects", ["s"]),
            ("/subjects/s/versions", [1]),
            ("/subjects/s/versions/latest", {"subject": "s", "version": 1, "id": 1, "schema": ORDER}),
            ("/schemas/ids/1", {"schema": ORDER}),
            ("/config", {"compatibilityLevel": "BACKWARD"}),
        ):
            answer = await session.get(path)
            assert answer.status == 200
            assert await answer.json(content_type=None) == wanted
        for path, code in (
            ("/subjects/none/versions", 40401),
            ("/subjects/s/versions/9", 40402),
            ("/schemas/ids/9", 40403),
            ("/config/s", 40408),
        ):
            answer = await session.get(path)
            assert (answer.status, (await answer.json(content_type=None))["error_code"]) == (404, code)
