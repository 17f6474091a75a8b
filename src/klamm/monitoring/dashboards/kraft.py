"""The controllers' quorum of clusters in KRaft mode."""

from klamm.monitoring.dashboards.board import Board, Panel, Row, graph, number
from klamm.monitoring.dashboards.parts import RATE, java, machine, of_cluster

_PICKED = 'namespace="$namespace", strimzi_io_cluster="$cluster", strimzi_io_name="$cluster-kafka"'
_NODE = "{{kubernetes_pod_name}}"
_BY_NODE = "max by (kubernetes_pod_name)"


def kraft() -> Board:
    return Board(
        "strimzi-kraft",
        "Strimzi KRaft",
        "The quorum of one Kafka cluster without ZooKeeper.",
        of_cluster("kafka_server_raftmetrics_current_leader"),
        (
            Row("Quorum", _quorum()),
            Row("Metadata log", _log()),
            Row("Channel", _channel()),
            machine("kafka", _raft("current_leader"), _PICKED),
            java(_PICKED),
        ),
    )


def _raft(name: str) -> str:
    return f"kafka_server_raftmetrics_{name}{{{_PICKED}}}"


def _quorum() -> tuple[Panel, ...]:
    return (
        number("Leader", f"max({_raft('current_leader')})", "Node id; -1 while there is none.", below=0),
        number("Epoch", f"max({_raft('current_epoch')})", "Grows with every election."),
        number("Vote", f"max({_raft('current_vote')})", "Whom it voted for in this epoch; -1: for nobody."),
        graph(
            "States",
            f"count by (current_state) ({_raft('current_state')} > 0)",
            "{{current_state}}",
            "One leader, followers, and observers: the brokers.",
            width=12,
        ),
    )


def _log() -> tuple[Panel, ...]:
    return (
        graph("End of the log", f"{_BY_NODE} ({_raft('log_end_offset')})", _NODE, "A line below the others lags."),
        graph("High watermark", f"{_BY_NODE} ({_raft('high_watermark')})", _NODE, "Known to a majority."),
        graph("Time to commit", f"{_BY_NODE} ({_raft('commit_latency_avg')})", _NODE, "Of metadata records.", "ms"),
        graph("Records appended", f"{_BY_NODE} ({_raft('append_records_rate')})", _NODE, "By the leader.", "ops", 12),
        graph("Records fetched", f"{_BY_NODE} ({_raft('fetch_records_rate')})", _NODE, "By all others.", "ops", 12),
    )


def _channel() -> tuple[Panel, ...]:
    return tuple(
        graph(
            title,
            f"sum by (kubernetes_pod_name) (rate(kafka_server_raftchannelmetrics_{name}_total{{{_PICKED}}}[{RATE}]))",
            _NODE,
            about,
            unit,
            6,
        )
        for title, name, about, unit in (
            ("Bytes in", "incoming_byte", "From other nodes of the quorum.", "Bps"),
            ("Bytes out", "outgoing_byte", "To other nodes of the quorum.", "Bps"),
            ("Requests", "request", "To other nodes of the quorum.", "reqps"),
            ("Responses", "response", "From other nodes of the quorum.", "reqps"),
        )
    )
