"""What can go wrong between us and a Kafka cluster, sorted by what the caller does next.

    KafkaFailure
    ├── Unreachable        no broker answers, or it answered too late: back off and try again
    ├── NotNow             the cluster is busy (no controller, a leader moving): back off and try again
    ├── Refused            the request as it stands will never do: the user must change something
    │   ├── TopicExists
    │   ├── UnknownTopic
    │   └── SecurityDisabled   ACLs were asked of a cluster without authorizer
    └── Denied             our own certificate may not do this

Errors of the library are translated here, at the door, and carry what was being done.
"""

from kafka import errors as library


class KafkaFailure(Exception):
    """`doing` says what was being done to what, `message` what Kafka answered."""

    def __init__(self, doing: str, message: str) -> None:
        super().__init__(f"{doing}: {message}")
        self.doing = doing
        self.message = message


class Unreachable(KafkaFailure):
    pass


class NotNow(KafkaFailure):
    pass


class Refused(KafkaFailure):
    pass


class TopicExists(Refused):
    pass


class UnknownTopic(Refused):
    pass


class SecurityDisabled(Refused):
    pass


class Denied(KafkaFailure):
    pass


_SORTED: tuple[tuple[type[Exception], type[KafkaFailure]], ...] = (
    (library.TopicAlreadyExistsError, TopicExists),
    (library.UnknownTopicOrPartitionError, UnknownTopic),
    (library.SecurityDisabledError, SecurityDisabled),
    (library.AuthorizationError, Denied),
    (library.KafkaConnectionError, Unreachable),
    (library.KafkaTimeoutError, Unreachable),
    (library.RequestTimedOutError, NotNow),
    (library.NodeNotReadyError, Unreachable),
    (library.RetriableError, NotNow),
    (library.BrokerNotAvailableError, NotNow),
    (OSError, Unreachable),
    (TimeoutError, Unreachable),
)


def translated(doing: str, error: Exception) -> KafkaFailure:
    """The error of the library as one of ours."""
    for theirs, ours in _SORTED:
        if isinstance(error, theirs):
            return ours(doing, str(error) or type(error).__name__)
    return Refused(doing, str(error) or type(error).__name__)


def from_code(doing: str, code: int, message: str | None) -> KafkaFailure:
    """A per-item error code of an answer (Kafka protocol, "Error Codes") as one of ours."""
    theirs = library.for_code(code)
    return translated(doing, theirs(message or theirs.description))
