"""How resources, pods, rolls and certificates stand, and what of it is told as wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.builders.seen_resources import a_kafka, a_pod, a_pod_set, a_topic_resource, some_resources

from klamm.console.health.findings import Finding, Severity
from klamm.console.kubernetes.rolls import Roll, RolledPod, Step
from klamm.console.kubernetes.seen import CertificateEnd, certificate_ends
from klamm.console.kubernetes.standing import STUCK, days_left, find, missing_pods, pod_stand, stand
from klamm.console.kubernetes.watching import Certificates, Resources, secrets_of

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def found(resources: Resources, **changed: Any) -> dict[str, Finding]:
    return {one.kind: one for one in find(resources, NOW, changed.get("sees", lambda *_: True))}


def ending(days: float) -> Certificates:
    end = CertificateEnd("my-cluster-cluster-ca-cert", "ca.crt", "cluster-ca v0", NOW + timedelta(days=days))
    return Certificates((end,), (), 0.0)


def test_nothing_is_wrong_where_all_is_ready() -> None:
    assert found(some_resources(certificates=ending(200))) == {}


NOT_READY = {"type": "NotReady", "status": "True", "reason": "InvalidResource", "message": "spec.kafka: no storage"}
PAUSED = {"type": "ReconciliationPaused", "status": "True"}
READY = {"type": "Ready", "status": "True"}


@pytest.mark.parametrize(
    ("resources", "kind", "severity", "says"),
    [
        (some_resources(kafka=a_kafka(NOT_READY)), "ResourceNotReady", Severity.CRITICAL, "spec.kafka: no storage"),
        (some_resources(kafka=a_kafka(PAUSED)), "ResourcePaused", Severity.NOTICE, "annotation"),
        (
            some_resources(kafka=a_kafka(READY, looked_at=1, generation=2)),
            "ResourceWaiting",
            Severity.NOTICE,
            "last change",
        ),
        (
            some_resources(kafka=a_kafka(READY, {"type": "Warning", "message": "old field"})),
            "ResourceWarning",
            Severity.NOTICE,
            "old field",
        ),
        (
            some_resources(topics=(a_topic_resource("t", conditions=[NOT_READY]),)),
            "KafkaTopicNotReady",
            Severity.WARNING,
            "spec.kafka: no storage",
        ),
        (
            some_resources(pods=(a_pod(waiting="CrashLoopBackOff", ended=("Error", 3)),)),
            "PodInTrouble",
            Severity.CRITICAL,
            "exit code 3",
        ),
        (some_resources(pods=(a_pod(unscheduled="no node fits"),)), "PodInTrouble", Severity.CRITICAL, "no node fits"),
        (some_resources(pods=(a_pod(ready=False),)), "PodNotReady", Severity.WARNING, "not ready yet: kafka"),
        (
            some_resources(pods=(a_pod(restarts=3, ended=("OOMKilled", 137), at="2026-05-01T11:50:00Z"),)),
            "PodRestarts",
            Severity.WARNING,
            "OOMKilled",
        ),
        (some_resources(certificates=ending(3)), "CertificateEnds", Severity.CRITICAL, "ends in 3 days"),
        (some_resources(certificates=ending(1.2)), "CertificateEnds", Severity.CRITICAL, "ends tomorrow"),
        (some_resources(certificates=ending(20)), "CertificateEnds", Severity.WARNING, "ends in 20 days"),
        (some_resources(certificates=ending(-0.5)), "CertificateEnds", Severity.CRITICAL, "has ended"),
        (some_resources(stale=("kafkas were not listed yet",)), "ResourcesNotFresh", Severity.NOTICE, "not listed yet"),
    ],
)
def test_each_trouble_is_told(resources: Resources, kind: str, severity: Severity, says: str) -> None:
    one = found(resources)[kind]
    assert one.severity is severity
    assert says in f"{one.what} {one.why}"


@pytest.mark.parametrize(
    ("resources", "kind"),
    [
        (some_resources(certificates=ending(25)), "CertificateEnds"),
        (some_resources(pods=(a_pod(restarts=3, ended=("Error", 1), at="2026-04-30T11:50:00Z"),)), "PodRestarts"),
        (some_resources(topics=(a_topic_resource("t"),)), "KafkaTopicNotReady"),
    ],
)
def test_what_is_no_trouble_is_not_told(resources: Resources, kind: str) -> None:
    assert kind not in found(resources)


def test_names_of_topics_are_told_to_nobody_who_may_not_see_them() -> None:
    resources = some_resources(topics=(a_topic_resource("secret", conditions=[NOT_READY]),))
    assert "secret" not in repr(found(resources, sees=lambda *_: False))
    named = a_topic_resource("alias", {"topicName": "secret"}, conditions=[NOT_READY])
    told = found(some_resources(topics=(named,)), sees=lambda _, name: name != "secret")["KafkaTopicNotReady"]
    assert "alias" not in repr(told)


def rolling(since: datetime) -> Roll:
    due = RolledPod("my-cluster-kafka", "my-cluster-kafka-0", Step.DUE, ("its configuration changed",), since)
    starting = RolledPod("my-cluster-kafka", "my-cluster-kafka-1", Step.STARTING, ("its configuration changed",), since)
    done = RolledPod("my-cluster-kafka", "my-cluster-kafka-2", Step.DONE, ("its configuration changed",), since)
    return Roll(since, (due, starting, done), True)


AT_WORK = a_kafka({"type": "NotReady", "status": "True", "reason": "NotYetAsWanted", "message": "pod is restarted"})
IN_A_ROLL = {"kafka": AT_WORK, "pods": (a_pod("my-cluster-kafka-1", ready=False),)}


def test_a_roll_is_a_notice_and_excuses_what_is_not_ready_by_it() -> None:
    told = found(some_resources(**IN_A_ROLL, roll=rolling(NOW - timedelta(seconds=30))))
    assert told.keys() == {"Rolling"}
    assert told["Rolling"].severity is Severity.NOTICE
    says = "1 of 3 done; my-cluster-kafka-1 is starting, my-cluster-kafka-0 is to go."
    assert told["Rolling"].what == f"A roll is under way: {says}"
    assert told["Rolling"].why == "its configuration changed."


def test_a_roll_that_is_stuck_excuses_nothing() -> None:
    told = found(some_resources(**IN_A_ROLL, roll=rolling(NOW - timedelta(seconds=STUCK))))
    assert {name: one.severity for name, one in told.items()} == {
        "ResourceNotReady": Severity.CRITICAL,
        "PodNotReady": Severity.WARNING,
        "Rolling": Severity.WARNING,
    }


def test_a_roll_that_has_ended_is_not_told() -> None:
    assert found(some_resources(roll=replace(rolling(NOW), ended=NOW))) == {}


def test_what_the_operator_says_is_wrong_is_wrong_in_a_roll_too() -> None:
    told = found(some_resources(kafka=a_kafka(NOT_READY), roll=rolling(NOW)))
    assert told["ResourceNotReady"].severity is Severity.CRITICAL


def test_pods_that_a_set_wants_and_that_are_not_there() -> None:
    wanted: dict[str, dict[str, str]] = {"my-cluster-kafka-0": {}, "my-cluster-kafka-1": {}}
    assert missing_pods(some_resources(pod_sets=(a_pod_set(wanted),))) == ("my-cluster-kafka-1",)


def test_a_resource_that_nobody_has_looked_at_waits() -> None:
    assert stand(None, 1).word == "Waiting"


def test_a_pod_that_ends_is_no_trouble() -> None:
    how = pod_stand(a_pod(leaving=True))
    assert (how.word, how.trouble) == ("Terminating", False)


@pytest.mark.parametrize(
    ("after", "days"), [(timedelta(days=2, hours=1), 2), (timedelta(hours=23), 0), (-timedelta(hours=1), -1)]
)
def test_days_that_are_left(after: timedelta, days: int) -> None:
    assert days_left(NOW + after, NOW) == days


def test_secrets_that_are_read_are_few_and_known() -> None:
    assert secrets_of(a_kafka(READY)) == (
        "my-cluster-cluster-ca-cert",
        "my-cluster-clients-ca-cert",
        "my-cluster-kafka-brokers",
    )


def test_of_a_secret_only_certificates_are_decoded() -> None:
    assert certificate_ends("s", {"ca.key": "!!", "ca.password": "!!", "tls.crt": "bm8gY2VydGlmaWNhdGU="}) == ()
