import pytest

from klamm.base import faults
from klamm.kafka import errors
from klamm.kafka.answers import failure_of, from_code, translated


@pytest.mark.parametrize(
    ("code", "failure", "name"),
    [
        (3, errors.UnknownTopic, "UNKNOWN_TOPIC_OR_PARTITION"),
        (36, errors.TopicExists, "TOPIC_ALREADY_EXISTS"),
        (40, errors.Refused, "INVALID_CONFIG"),
        (38, errors.Refused, "INVALID_REPLICATION_FACTOR"),
        (73, errors.Refused, "TOPIC_DELETION_DISABLED"),
        (54, errors.SecurityDisabled, "SECURITY_DISABLED"),
        (31, errors.Denied, "CLUSTER_AUTHORIZATION_FAILED"),
        (41, errors.NotNow, "NOT_CONTROLLER"),
        (7, errors.NotNow, "REQUEST_TIMED_OUT"),
        (60, errors.NotNow, "REASSIGNMENT_IN_PROGRESS"),
    ],
)
def test_codes_are_sorted_by_what_the_caller_does_next(code: int, failure: type, name: str) -> None:
    found = from_code("do a thing", code, "what Kafka says")
    assert (type(found), found.code, found.message) == (failure, name, "what Kafka says")
    assert str(found) == "do a thing: what Kafka says"


def test_a_code_without_a_sentence_is_told_by_its_description() -> None:
    assert from_code("delete topic a", 3, None).message
    assert failure_of("delete topic a", 0, None) is None


def test_what_the_network_does_is_transient_and_what_nobody_expects_is_not() -> None:
    from kafka import errors as library

    silent = library.RequestTimedOutError("Request timed out after 30000 ms")
    for error in (ConnectionResetError("cut"), TimeoutError(), library.KafkaConnectionError("gone"), silent):
        assert isinstance(translated("ask", error), errors.Unreachable)
        assert isinstance(translated("ask", error), faults.Transient)
    assert isinstance(translated("ask", ValueError("odd")), errors.Refused)
