"""What brokers and ZooKeepers show, asked of real ones: every name of the dashboards, by each configuration.

The exporter's configuration is exchanged in running processes, so these tests also show that a change takes no restart.
"""

import asyncio
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from tests.builders import metric_names as names
from tests.builders.cluster import CHECKOUT, CLOCK, pause
from tests.builders.lone_broker import Agent, LoneBroker
from tests.builders.metric_pages import Series, names_of, read_page
from tests.builders.prometheus import empty_queries, running_prometheus
from tests.system.monitoring.promtool import needs_prometheus

from klamm.base.clock import SystemClock
from klamm.desired.jmx_exporter import exporter_configuration, memory_only
from klamm.desired.kafka.metrics_reporter import reporter_settings
from klamm.distribution.provide import Provided, provide
from klamm.distribution.store import Store
from klamm.monitoring.dashboards.board import dashboard
from klamm.monitoring.dashboards.kraft import kraft
from klamm.monitoring.discovery import pod_targets
from klamm.monitoring.scraping import MONITORS, scrape_job
from klamm.planning.jmx_exporter.rules import exporter_problems, unknown_keys
from klamm.resources.custom.process import MetricsConfig
from klamm.resources.native.container import Container, ContainerPort
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.native.pod import Pod, PodSpec, PodStatus

METRICS = CHECKOUT / "examples" / "metrics"
TUTORIAL = CHECKOUT / "examples" / "kafka-2.yaml"

SCRAPED_WITHIN = 180.0
BROKER, ZOOKEEPER = "kafka-metrics-config.yml", "zookeeper-metrics-config.yml"


def configuration(file: Path, key: str, version: str, change: Callable[[str], str] = lambda text: text) -> str:
    """What pods are given for a ConfigMap of this file, after a change of it by its user."""
    documents = [one for one in yaml.safe_load_all(file.read_text()) if one["kind"] == "ConfigMap"]
    given = yaml.safe_load(change(documents[0]["data"][key]))
    assert exporter_problems(given, key) == []
    assert unknown_keys(given, key) == []
    return json.dumps(exporter_configuration(given, version))


def with_kraft(tutorial: str) -> str:
    """The tutorial's rules with those for KRaft, which stand there as comments."""
    return re.sub(r"^#(?=- pattern:|  name:|  type:)", "", tutorial, flags=re.MULTILINE)


def cache() -> Path:
    return Path(os.environ.get("KLAMM_CACHE") or Path.home() / ".cache" / "klamm")  # noqa: TID251


def started(folder: Path, version: str, *, kraft: bool, reporter: bool = False) -> LoneBroker:
    got: Provided = asyncio.run(provide(Store(cache()), [version], java_home=None, clock=SystemClock()))
    home = got.homes[version].path
    [jar] = (home / "agents").glob("jmx_prometheus_javaagent-*.jar")
    if reporter:
        settings = reporter_settings(MetricsConfig(type="strimziMetricsReporter"), {})
        return LoneBroker(folder, got.java.path, home, kraft=kraft, reporter=settings)
    file = METRICS / "kafka-metrics.yaml" if kraft else TUTORIAL
    return LoneBroker(
        folder,
        got.java.path,
        home,
        kraft=kraft,
        agent=Agent(jar, configuration(file, BROKER, version)),
        zookeeper_agent=Agent(jar, configuration(file, ZOOKEEPER, version)),
    )


def use(broker: LoneBroker) -> None:
    """A topic into which something was written, and from which a group has read it."""
    server = ("--bootstrap-server", broker.bootstrap, "--topic", "orders")
    broker.tool("kafka-topics.sh", *server, "--create", "--partitions", "3")
    broker.tool("kafka-console-producer.sh", *server, said="one\ntwo\n")
    broker.tool("kafka-console-consumer.sh", *server, "--from-beginning", "--max-messages", "2", "--group", "readers")


def exchanged(broker: LoneBroker, file: Path, text: str, page: Callable[[], str]) -> str:
    """The page by another configuration, once the running exporter has taken it over."""
    before = reloads(page())
    file.write_text(text)
    for _ in range(20):  # a scrape lasts; the one that notices the change is the first that counts it
        now = page()
        if reloads(now) > before:
            return page()
    raise AssertionError(f"the exporter did not read {file} anew")


def reloads(page: str) -> float:
    return read_page(page)["jmx_config_reload_success_total", frozenset()]


def of(page: str, wanted: frozenset[str]) -> set[Series]:
    return {series for series in read_page(page) if series[0] in wanted}


@pytest.fixture(scope="module")
def with_zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneBroker]:
    with started(tmp_path_factory.mktemp("zk") / "broker", "3.6.0", kraft=False) as broker:
        use(broker)
        yield broker


@pytest.fixture(scope="module")
def in_kraft_mode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneBroker]:
    with started(tmp_path_factory.mktemp("kraft") / "broker", "4.3.1", kraft=True) as broker:
        use(broker)
        yield broker


def test_with_zookeeper_each_configuration_shows_what_dashboards_ask_for(with_zookeeper: LoneBroker) -> None:
    wanted = names.JVM | names.BROKER | names.WITH_ZOOKEEPER
    process = with_zookeeper.pid
    tutorial = with_zookeeper.metrics()
    assert wanted - names_of(tutorial) == set()
    pages = {
        name: exchanged(
            with_zookeeper,
            with_zookeeper.agent_file,
            configuration(METRICS / f"{name}.yaml", BROKER, "3.6.0"),
            with_zookeeper.metrics,
        )
        for name in ("kafka-metrics", "kafka-metrics-fast")
    }
    asked = names.BROKER | names.WITH_ZOOKEEPER
    for name, page in pages.items():
        assert wanted - names_of(page) == set(), name
        assert of(page, asked) ^ of(tutorial, asked) == set(), f"{name}: labels differ from the tutorial's"
    assert names_of(tutorial) - names_of(pages["kafka-metrics"]) == set(), (
        "the first shows all that the tutorial's does"
    )
    assert len(read_page(pages["kafka-metrics-fast"])) < len(read_page(tutorial)) / 3
    assert with_zookeeper.pid == process


def test_zookeepers_show_what_their_dashboard_asks_for(with_zookeeper: LoneBroker) -> None:
    wanted = names.JVM | names.ZOOKEEPER
    tutorial = with_zookeeper.zookeeper_metrics()
    assert wanted - names_of(tutorial) == set()
    ours = configuration(METRICS / "kafka-metrics.yaml", ZOOKEEPER, "3.6.0")
    page = exchanged(with_zookeeper, with_zookeeper.zookeeper_agent_file, ours, with_zookeeper.zookeeper_metrics)
    of_zookeeper = frozenset(name for name in names_of(tutorial) if name.startswith("zookeeper_"))
    assert of(page, of_zookeeper) ^ of(tutorial, of_zookeeper) == set()


def test_without_a_configuration_that_can_be_used_memory_is_still_shown(with_zookeeper: LoneBroker) -> None:
    text = json.dumps(memory_only("3.6.0"))
    page = exchanged(with_zookeeper, with_zookeeper.agent_file, text, with_zookeeper.metrics)
    assert names.JVM - names_of(page) == set()
    assert not any(name.startswith("kafka_") for name in names_of(page))


def as_ours(tutorials: Series) -> Series:
    """What ours shows for a series of the tutorial's. Each difference was decided."""
    name, labels = tutorials
    if re.match("kafka_server_raft.*_max_total", name):  # the largest of the last half minute falls again: a gauge
        return name.removesuffix("_total"), labels
    if name in OF_SOCKETS:  # counters that the tutorial's call gauges, of which the exporter 1.0 cuts the end off
        return f"{name}_total", labels
    return tutorials


OF_SOCKETS = {
    f"kafka_server_socket_server_metrics_{name}"
    for name in (
        *("connection_close", "connection_creation", "incoming_byte", "outgoing_byte", "network_io", "select"),
        *("request", "response", "io_time_ns", "io_wait_time_ns", "successful_authentication_no_reauth"),
        *("successful_authentication", "failed_authentication"),
        *("successful_reauthentication", "failed_reauthentication"),
    )
}
OF_LOGS = ("kafka_log_log_size", "kafka_log_log_retentionsizein_percent")
"""The tutorial's second has a label called topic_orders_partition instead of two."""
ONLY_OURS = "kafka_server_raftmetrics_current_state"


def test_in_kraft_mode_the_first_shows_all_that_the_tutorials_does(in_kraft_mode: LoneBroker) -> None:
    ours = in_kraft_mode.metrics()
    text = configuration(TUTORIAL, BROKER, "4.3.1", with_kraft)
    tutorial = exchanged(in_kraft_mode, in_kraft_mode.agent_file, text, in_kraft_mode.metrics)
    in_kraft_mode.agent_file.write_text(configuration(METRICS / "kafka-metrics.yaml", BROKER, "4.3.1"))
    wanted = {as_ours(series) for series in read_page(tutorial)}
    assert {name for name, _ in wanted} - names_of(ours) == set()
    assert names_of(ours) - {name for name, _ in wanted} == {ONLY_OURS}
    of_kraft = re.compile("kafka_server_(raft|brokermetadata|socket)")
    shown = {series for series in read_page(ours) if of_kraft.match(series[0]) and series[0] != ONLY_OURS}
    assert {series for series in wanted if of_kraft.match(series[0])} ^ shown == set()
    assert len(shown) > 100
    sizes = {name: {labels for one, labels in read_page(ours) if one == name} for name in OF_LOGS}
    assert sizes[OF_LOGS[0]] == sizes[OF_LOGS[1]]


def test_in_kraft_mode_each_configuration_shows_what_dashboards_ask_for(in_kraft_mode: LoneBroker) -> None:
    wanted = names.JVM | names.BROKER | names.KRAFT
    first = in_kraft_mode.metrics()
    assert wanted - names_of(first) == set()
    text = configuration(METRICS / "kafka-metrics-fast.yaml", BROKER, "4.3.1")
    fast = exchanged(in_kraft_mode, in_kraft_mode.agent_file, text, in_kraft_mode.metrics)
    assert wanted - names_of(fast) == set()
    of_kraft = ("kafka_server_raft", "kafka_server_brokermetadatametrics")
    asked = names.BROKER | {name for name in names_of(first) if name.startswith(of_kraft)}
    assert len(asked) > len(names.BROKER | names.KRAFT)
    assert of(fast, asked) ^ of(first, asked) == set()
    assert of(fast, frozenset({"kafka_server_raftmetrics_current_state"})) == {
        ("kafka_server_raftmetrics_current_state", frozenset({("current_state", "leader")}))
    }


@needs_prometheus
def test_all_of_krafts_board_shows_data_but_what_a_node_tells(in_kraft_mode: LoneBroker, tmp_path: Path) -> None:
    """The panels of nodes are those of Kafka's board, for which monitoring/test_live.py has nodes."""
    targets = tmp_path / "pods.json"
    targets.write_text(json.dumps(pod_targets([as_pod(in_kraft_mode)])))
    job = scrape_job(MONITORS[2], {"file_sd_configs": [{"files": [str(targets)]}]})
    quick = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    with running_prometheus(tmp_path, {"global": quick, "scrape_configs": [job]}) as prometheus:
        empty = until_only(KUBELETS_PANELS, lambda: empty_queries(dashboard(kraft()), prometheus))
    assert empty.keys() == KUBELETS_PANELS


KUBELETS_PANELS = {"CPU", "Memory", "Space left"}


def as_pod(broker: LoneBroker) -> Pod:
    """The broker as discovery would find it in a cluster."""
    port = ContainerPort(name="tcp-prometheus", container_port=broker.metrics_port)
    labels = {"strimzi.io/cluster": "my-cluster", "strimzi.io/kind": "Kafka", "strimzi.io/name": "my-cluster-kafka"}
    return Pod(
        metadata=ObjectMeta(name="my-cluster-kafka-0", namespace="kafka", labels=labels),
        spec=PodSpec(containers=[Container(name="kafka", ports=[port])]),
        status=PodStatus(pod_ip="127.0.0.1"),
    )


def until_only(titles: set[str], look: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    """What is found at last: rates come with the second scrape."""
    begun = CLOCK.monotonic()
    while True:
        try:
            found = look()
        except (AssertionError, OSError):  # Prometheus is starting, or a variable has no value yet
            found = {}
        if found.keys() == titles or CLOCK.monotonic() - begun > SCRAPED_WITHIN:
            return found
        pause()


@pytest.mark.parametrize(("version", "kraft"), [("3.6.0", False), ("4.3.1", True)])
def test_the_reporter_shows_what_its_dashboards_ask_for(version: str, kraft: bool, tmp_path: Path) -> None:
    with started(tmp_path / "broker", version, kraft=kraft, reporter=True) as broker:
        use(broker)
        shown = names_of(broker.metrics())
    assert (names.REPORTER | (names.REPORTER_KRAFT if kraft else frozenset())) - shown == set()
