"""A roll of real brokers, watched in a real browser: `klamm ui` beside a cluster on one machine, its operator's page.

What a person sees is written down by the page itself, word for word, at each change: nothing is missed between two
looks of the test, and nothing that the page showed for a moment only is taken for its end.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.builders.browser import Tab, browser
from tests.builders.local_cluster import LocalCluster, local_cluster
from tests.system.console.test_console_of_a_home import running, until_online

from klamm.base.deadlines import until

CLUSTER = """
apiVersion: kafka.strimzi.io/v1beta2
kind: Kafka
metadata: {name: my-cluster}
spec:
  kafka:
    version: 3.6.0
    replicas: 2
    listeners:
      - {name: plain, port: 9092, type: internal, tls: false}
      - {name: external, port: 9094, type: nodeport, tls: false}
    config: {default.replication.factor: 2, min.insync.replicas: 1, offsets.topic.replication.factor: 2}
    storage: {type: ephemeral}
  zookeeper: {replicas: 1, storage: {type: ephemeral}}
"""
ROLLED_FOR_A_PICTURE = CLUSTER.replace("replicas: 2\n", "replicas: 3\n")
PODS = ("my-cluster-kafka-0", "my-cluster-kafka-1")
ROLLS_WITHIN = 180.0

_WRITE_DOWN = """
(() => {
  const pages = globalThis.klammPages = [];
  const write = () => {
    const text = document.querySelector("klamm-operator")?.innerText;
    if (text && text !== pages.at(-1)) pages.push(text);
  };
  new MutationObserver(write).observe(document.body, { subtree: true, childList: true, characterData: true });
  write();
})();
"""


@contextmanager
def rolled_home(cluster: str) -> Iterator[LocalCluster]:
    """A home in which this cluster is ready."""
    with local_cluster() as home:
        home.klamm("up")
        home.kubectl("create", "namespace", "kafka")
        home.kubectl("apply", "-n", "kafka", "-f", "-", given=cluster)
        home.until_ready()
        yield home


@pytest.fixture(scope="module")
def home() -> Iterator[LocalCluster]:
    with rolled_home(CLUSTER) as running_home:
        yield running_home


def change_configuration(home: LocalCluster) -> None:
    """In a way that no running broker takes over."""
    change = json.dumps({"spec": {"kafka": {"config": {"auto.create.topics.enable": False}}}})
    home.kubectl("patch", "kafka/my-cluster", "-n", "kafka", "--type", "merge", "-p", change)


async def watching(tab: Tab, url: str) -> None:
    """The operator's page is open, and writes down what it shows."""
    await tab.open(f"{url}/clusters/my-cluster/operator")
    await tab.until_shown("Nothing is being rolled. All 3 pods are ready.")
    await tab.run(_WRITE_DOWN)


async def shown_until_the_end(tab: Tab) -> list[str]:
    """All that the page showed from before the roll until it said that it has ended."""

    async def has_ended() -> str | None:
        text = await tab.text()
        return None if "The last roll:" in text else f"the page says:\n{text}\n{tab.said}"

    await until(ROLLS_WITHIN, "the page says that the roll has ended", has_ended, every=0.2)
    shown: list[str] = json.loads(await tab.run("JSON.stringify(klammPages)"))
    return shown


def first(shown: Sequence[str], *words: str) -> int:
    """The number of the first page with all of these words."""
    at = next((at for at, text in enumerate(shown) if all(one in text for one in words)), None)
    assert at is not None, f"no page says {words}; they said:\n" + "\n\n".join(shown)
    return at


def asked_again(tab: Tab) -> list[str]:
    """What was loaded that only a new load of the whole page loads."""
    return [one for one in tab.asked if one.endswith("/console.js")][1:]


async def test_a_changed_configuration_is_seen_to_roll_the_brokers(home: LocalCluster, tmp_path: Path) -> None:
    with running(home) as url:
        await asyncio.to_thread(until_online, home, url)
        async with browser(tmp_path) as tab:
            await watching(tab, url)
            await asyncio.to_thread(change_configuration, home)
            shown = await shown_until_the_end(tab)

            why = "Why: its configuration changed\n"
            # Each step here takes a broker's end or start. What lasts a moment only, such as the look between the first
            # pod's being ready and the second one's going, a page may rightly pass over.
            begun = first(shown, "A roll is under way: 0 of 2 done", why)
            order = _order(shown[begun])
            assert sorted(order) == sorted(PODS)
            steps = [
                begun,
                first(shown, f"Now: {order[0]} is ending", f"Next: {order[1]}", why),
                first(shown, f"Now: {order[0]} is starting", f"Next: {order[1]}", "0 of 2 done"),
                first(shown, f"Now: {order[1]} is ending", "1 of 2 done", "Next: nothing, that was the last one"),
                first(shown, f"Now: {order[1]} is starting", "1 of 2 done"),
                first(shown, "Nothing is being rolled. All 3 pods are ready.", "The last roll: 2 pods in"),
            ]
            assert steps == sorted(steps)
            assert [now for text in shown if all(pod in (now := _now(text)) for pod in PODS)] == []
            for text in shown:
                assert "NotReady\nVersion" not in text or "A roll is under way" in text
            await tab.until_shown("The roll has ended: 2 pods as wanted, and ready.")
            await tab.until(_STATE_IS_READY, "the Kafka resource to be ready again")
            assert asked_again(tab) == []
            assert tab.said == []


async def test_a_pod_that_a_person_asks_for_is_seen_to_roll_alone(home: LocalCluster, tmp_path: Path) -> None:
    with running(home) as url:
        await asyncio.to_thread(until_online, home, url)
        async with browser(tmp_path) as tab:
            await watching(tab, url)
            asked = ("annotate", "pod", PODS[1], "-n", "kafka", "strimzi.io/manual-rolling-update=true")
            await asyncio.to_thread(home.kubectl, *asked)
            shown = await shown_until_the_end(tab)
            why = "Why: annotation strimzi.io/manual-rolling-update asks for it"
            first(shown, "A roll is under way: 0 of 1 done", why, f"Now: {PODS[1]} is ending")
            assert not any(f"Now: {PODS[0]}" in text for text in shown)
            first(shown, "Nothing is being rolled. All 3 pods are ready.", "The last roll: 1 pod in")
            assert asked_again(tab) == []
            assert tab.said == []


_STATE_IS_READY = "klammPages.at(-1).includes('STATE\\nReady') || klammPages.at(-1).includes('State\\nReady')"


def _now(text: str) -> str:
    """The line that says which pods are away."""
    return next((line for line in text.splitlines() if line.startswith("Now: ")), "")


def _order(text: str) -> list[str]:
    """The pods as the roll's table has them."""
    rows = text[text.index("Pods of the roll") :].splitlines()
    return list(dict.fromkeys(pod for row in rows for pod in PODS if row.startswith(pod)))
