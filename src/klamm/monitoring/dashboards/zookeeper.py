"""ZooKeepers: quorum, requests, data, machine."""

from klamm.monitoring.dashboards.board import Board, Panel, Query, Row, graph, number
from klamm.monitoring.dashboards.parts import RATE, java, machine, of_cluster

_PICKED = 'namespace="$namespace", strimzi_io_cluster="$cluster", strimzi_io_name="$cluster-zookeeper"'
_SERVER = "{{kubernetes_pod_name}}"


def zookeeper() -> Board:
    return Board(
        "strimzi-zookeeper",
        "Strimzi ZooKeeper",
        "ZooKeepers of one Kafka cluster.",
        of_cluster("zookeeper_quorumsize"),
        (
            Row("Ensemble", _ensemble()),
            Row("Requests", _requests()),
            machine("zookeeper", f"zookeeper_quorumsize{{{_PICKED}}}", _PICKED),
            java(_PICKED),
        ),
    )


def _ensemble() -> tuple[Panel, ...]:
    return (
        number("Servers", f"count(zookeeper_quorumsize{{{_PICKED}}})", "ZooKeepers that tell their metrics.", below=1),
        number("Quorum", f"max(zookeeper_quorumsize{{{_PICKED}}})", "Servers of the ensemble as configured."),
        number(
            "Connections",
            f"sum(zookeeper_numaliveconnections{{{_PICKED}}})",
            "Of brokers and of the operator's checks.",
        ),
        number("Nodes", f"max(zookeeper_inmemorydatatree_nodecount{{{_PICKED}}})", "Entries of the data tree."),
        number("Watches", f"sum(zookeeper_inmemorydatatree_watchcount{{{_PICKED}}})", "What clients wait for."),
        number(
            "Waiting requests",
            f"sum(zookeeper_outstandingrequests{{{_PICKED}}})",
            "More than a few for long: the ensemble is too slow.",
            above=10,
        ),
    )


def _requests() -> tuple[Panel, ...]:
    return (
        Panel(
            "Latency",
            tuple(
                Query(f"max by (kubernetes_pod_name) (zookeeper_{of}requestlatency{{{_PICKED}}})", f"{of} {_SERVER}")
                for of in ("min", "avg", "max")
            ),
            "Since the server started. Writes wait for the disk.",
            "ms",
        ),
        graph(
            "Waiting requests by server",
            f"sum by (kubernetes_pod_name) (zookeeper_outstandingrequests{{{_PICKED}}})",
            _SERVER,
            "Requests that were taken and not answered yet.",
        ),
        _packets(),
    )


def _packets() -> Panel:
    """The newer agent ends a counter's name with _total."""
    queries = []
    for way in ("received", "sent"):
        name = f"zookeeper_packets{way}"
        rate = f"rate({name}{{{_PICKED}}}[{RATE}]) or rate({name}_total{{{_PICKED}}}[{RATE}])"
        queries.append(Query(f"sum by (kubernetes_pod_name) ({rate})", f"{way} {_SERVER}"))
    return Panel("Packets", tuple(queries), "Of clients, a second.", "ops")
