"""Downloads: what arrives wrong is noticed and fetched again; what is there is not fetched."""

import os
from pathlib import Path

import pytest
from aiohttp import web
from tests.builders.kafka_release import CUT_OFF, Repository, fake_release, fill, repository

from klamm.base.clock import SystemClock
from klamm.base.together import side_by_side
from klamm.distribution.artifacts import Artifact
from klamm.distribution.download import DownloadFailed, damaged, fetch, missing
from klamm.distribution.progress import Progress, silent
from klamm.distribution.store import Store

ARTIFACTS = fake_release().artifacts


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


async def download(store: Store, served: Repository, artifacts: tuple[Artifact, ...] = ARTIFACTS) -> None:
    await fetch(store, artifacts, served.url, "Kafka 3.6.0", silent, first_pause=0.01)


async def test_all_arrive_and_are_then_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    async with repository() as served:
        await download(store, served)
    assert missing(store, ARTIFACTS) == []
    assert damaged(store, ARTIFACTS) == []


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda data: web.Response(body=data[:-7]), "shorter than pinned"),
        (lambda data: web.Response(body=data + b"x"), "longer than pinned"),
        (lambda data: web.Response(body=bytes(len(data))), "other bytes of the same size"),
        (lambda data: web.Response(status=503), "a server that is busy"),
        (lambda data: web.Response(body=b"<html>please log in</html>"), "a hotel's login page"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_arrives_wrong_once_is_fetched_again(tmp_path: Path, wrong, what: str) -> None:  # type: ignore[no-untyped-def]
    store = Store(tmp_path)
    async with repository(lambda path, before: wrong(served.data(path)) if before == 0 else None) as served:
        await download(store, served)
        assert set(served.asked.values()) == {2}
    assert damaged(store, ARTIFACTS) == []


async def test_a_connection_that_breaks_in_the_middle_is_tried_again(tmp_path: Path) -> None:
    store = Store(tmp_path)

    async with repository(lambda path, before: CUT_OFF if before == 0 else None) as served:
        await download(store, served)
    assert damaged(store, ARTIFACTS) == []


async def test_what_stays_wrong_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Store(tmp_path)
    broken = ARTIFACTS[0].coordinate

    def altered(path: str, before: int) -> web.StreamResponse | None:
        return web.Response(body=bytes(ARTIFACTS[0].size)) if path == broken.path else None

    async with repository(altered) as served:
        with pytest.raises(DownloadFailed, match=f"{broken}.*checksum"):
            await download(store, served)
    assert ARTIFACTS[0] in missing(store, ARTIFACTS)
    assert not leftovers(tmp_path)


async def test_without_a_network_the_error_says_what_was_fetched_and_what_to_do(tmp_path: Path) -> None:
    nobody_listens = "http://127.0.0.1:1/"
    with pytest.raises(DownloadFailed) as failed:
        await fetch(Store(tmp_path), ARTIFACTS, nobody_listens, "Kafka 3.6.0", silent, first_pause=0.01)
    assert "downloading" in str(failed.value)
    assert "needs the network" in str(failed.value)
    assert "run the command again" in str(failed.value)


async def test_what_arrived_before_a_failure_is_not_fetched_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    async with repository() as served:
        await download(store, served, ARTIFACTS[:2])
        await download(store, served, tuple(missing(store, ARTIFACTS)))
        assert set(served.asked.values()) == {1}


async def test_progress_counts_bytes_up_to_the_total(tmp_path: Path) -> None:
    reports: list[Progress] = []
    async with repository(lambda path, before: web.Response(body=b"no") if before == 0 else None) as served:
        await fetch(Store(tmp_path), ARTIFACTS, served.url, "Kafka 3.6.0", reports.append, first_pause=0.01)
    total = sum(artifact.size for artifact in ARTIFACTS)
    assert (reports[-1].done, reports[-1].total) == (total, total)


def test_a_file_that_was_written_to_is_missing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill(store)
    path = store.artifacts / ARTIFACTS[0].coordinate.path
    path.write_bytes(bytes(ARTIFACTS[0].size))
    assert missing(store, ARTIFACTS) == [ARTIFACTS[0]]


def test_bytes_that_changed_under_an_unchanged_date_are_found_by_reading(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill(store)
    path = store.artifacts / ARTIFACTS[0].coordinate.path
    date = path.stat().st_mtime
    path.write_bytes(bytes(ARTIFACTS[0].size))
    os.utime(path, (date, date))
    assert missing(store, ARTIFACTS) == []
    assert damaged(store, ARTIFACTS) == [ARTIFACTS[0]]


async def test_two_who_come_at_once_fetch_each_jar_once(tmp_path: Path) -> None:
    async def one(served: Repository, waited: list[str]) -> None:
        store = Store(tmp_path)
        async with store.locked("artifacts", SystemClock(), waiting=lambda: waited.append("waited")):
            await download(store, served, tuple(missing(store, ARTIFACTS)))

    waited: list[str] = []
    async with repository() as served:
        await side_by_side(one(served, waited), one(served, waited))
        assert set(served.asked.values()) == {1}
    assert waited == ["waited"]
