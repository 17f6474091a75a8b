"""What the user operator counts."""

from datetime import UTC, datetime

from tests.builders import metric_names as names
from tests.builders.metric_pages import names_of, read_page

from klamm.base.metrics import Metrics
from klamm.control import measures
from klamm.control.resource_info import STATE
from klamm.kube.kinds import Name
from klamm.operators.user.measures import CERTIFICATE_END, FAMILIES, UserMeasures
from klamm.resources.custom.user import KafkaUser
from klamm.resources.structure import decode


def user(name: str, **metadata: object) -> KafkaUser:
    conditions = [{"type": "NotReady", "status": "True", "reason": "InvalidResourceException"}]
    return decode(
        KafkaUser,
        {
            "metadata": {"name": name, "namespace": "kafka", **metadata},
            "status": {"conditions": conditions, "observedGeneration": 2, "username": f"CN={name}"},
        },
    )


def test_users_are_counted_and_their_states_told() -> None:
    metrics = Metrics(lambda: 0.0)
    paused = {"strimzi.io/pause-reconciliation": "true"}
    users = [user("alice"), user("bob", annotations=paused)]
    counted = UserMeasures(metrics, "kafka", {"strimzi.io/cluster": "c"}, lambda: users)
    counted.certificate(Name("kafka", "alice"), datetime(2027, 1, 1, tzinfo=UTC))
    counted.certificate(Name("kafka", "bob"), datetime(2027, 1, 1, tzinfo=UTC))
    counted.certificate(Name("kafka", "bob"), None)
    counted.passes.begun("kafka")
    counted.passes.passed(Name("kafka", "alice"), "blocked", 0.5)
    page = read_page(metrics.text())
    assert names.USER_OPERATOR - names_of(metrics.text()) == set()
    where = {("kind", "KafkaUser"), ("namespace", "kafka"), ("selector", "strimzi.io/cluster=c")}
    assert page["strimzi_resources", frozenset(where)] == 2
    assert page["strimzi_resources_paused", frozenset(where)] == 1
    assert page["strimzi_reconciliations_failed_total", frozenset(where)] == 1
    ends = {dict(labels)["user"]: page[name, labels] for name, labels in page if name == CERTIFICATE_END.name}
    assert ends == {"alice": 1798761600}
    [info] = [
        dict(labels)
        for name, labels in page
        if name == "strimzi_kafka_user_resource_info" and ("name", "bob") in labels
    ]
    assert {"ready": "False", "username": "CN=bob", "generation": "2", "secret": ""}.items() <= info.items()
    [(value, labels)] = [
        (page[series], dict(series[1])) for series in page if series[0] == STATE.name and ("name", "bob") in series[1]
    ]
    assert (value, labels["reason"]) == (0, "InvalidResourceException")
    declared = {one.name for one in (*measures.FAMILIES, *FAMILIES, STATE)}
    assert {name for name, _ in page} - declared <= {
        f"strimzi_reconciliations_duration_seconds_{suffix}" for suffix in ("bucket", "count", "max", "sum")
    }
