"""The library's errors and the protocol's error codes, as our failures.

The names of the codes are those of the Kafka protocol ("Error Codes"). The library is imported when there is
something to translate: then it has been imported anyway.
"""

from klamm.kafka import errors
from klamm.kafka.errors import KafkaFailure

_BY_CODE: dict[str, type[KafkaFailure]] = {
    "TOPIC_ALREADY_EXISTS": errors.TopicExists,
    "UNKNOWN_TOPIC_OR_PARTITION": errors.UnknownTopic,
    "UNKNOWN_TOPIC_ID": errors.UnknownTopic,
    "SECURITY_DISABLED": errors.SecurityDisabled,
    "UNSUPPORTED_VERSION": errors.TooOld,
    "BROKER_NOT_AVAILABLE": errors.NotNow,
    "REASSIGNMENT_IN_PROGRESS": errors.NotNow,
    # What went wrong inside a broker; its log knows more. It may well go away.
    "UNKNOWN": errors.NotNow,
}


def translated(doing: str, error: Exception) -> KafkaFailure:
    """An exception of the library, or of the network below it, as one of ours."""
    from kafka import errors as library

    if isinstance(error, library.RequestTimedOutError):
        # As a code of an answer it is a broker's word; the library raises it where no answer came.
        return errors.Unreachable(doing, str(error))
    if isinstance(error, library.BrokerResponseError):
        return _sorted(doing, type(error), " ".join(str(part) for part in error.args))
    if isinstance(error, library.UnknownBrokerIdError):
        return errors.NotNow(doing, str(error))
    said = str(error) or type(error).__name__
    if isinstance(error, library.RetriableError | OSError | TimeoutError | library.KafkaProtocolError):
        return errors.Unreachable(doing, said)
    return errors.Refused(doing, said)


def from_code(doing: str, code: int, message: str | None) -> KafkaFailure:
    """An error code of an answer as one of ours; `message` is what the broker said with it, if anything."""
    from kafka import errors as library

    return _sorted(doing, library.for_code(code), message or "")


def failure_of(doing: str, code: int, message: str | None) -> KafkaFailure | None:
    """None for the code 0."""
    return from_code(doing, code, message) if code else None


def _sorted(doing: str, theirs: type, message: str) -> KafkaFailure:
    code = str(getattr(theirs, "message", None) or "")
    said = message or str(getattr(theirs, "description", None) or theirs.__name__)
    return _class_of(theirs, code)(doing, said, code)


def _class_of(theirs: type, code: str) -> type[KafkaFailure]:
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code.endswith("AUTHORIZATION_FAILED") or code == "SASL_AUTHENTICATION_FAILED":
        return errors.Denied
    return errors.NotNow if getattr(theirs, "retriable", False) else errors.Refused
