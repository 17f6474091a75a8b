"""What goes wrong in an answer, as people and programs read it (RFC 9457's fields, in JSON)."""

from typing import Self

import msgspec

from klamm.kafka.errors import Denied, KafkaFailure, NotNow, Refused, TopicExists, UnknownTopic, Unreachable
from klamm.kube import errors as kube

_OF_FAILURES: tuple[tuple[type[KafkaFailure], int], ...] = (
    (UnknownTopic, 404),
    (TopicExists, 409),
    (Refused, 422),
    (Denied, 403),
    (NotNow, 503),
    (Unreachable, 503),
)

_OF_KUBERNETES: tuple[tuple[type[kube.KubeError], int], ...] = (
    (kube.NotFound, 404),
    (kube.Conflict, 409),
    (kube.Invalid, 422),
    (kube.Forbidden, 403),
    (kube.Unreachable, 503),
    (kube.TooBusy, 503),
)


_PERMIT = ". Kubernetes does not permit it to the console: see kubernetes.changeTopics and changeUsers of its chart"


class Said(msgspec.Struct, frozen=True):
    """`detail` names field, value, rule and mend; `field` is the field's path, where there is one."""

    status: int
    title: str
    detail: str
    field: str | None = None


class Problem(Exception):
    """Ends a request with this answer."""

    def __init__(self, status: int, title: str, detail: str, field: str | None = None) -> None:
        super().__init__(f"{title}: {detail}")
        self.said = Said(status, title, detail, field)

    @classmethod
    def of_kafka(cls, failure: KafkaFailure) -> Self:
        status = next((status for kind, status in _OF_FAILURES if isinstance(failure, kind)), 502)
        return cls(status, failure.code or type(failure).__name__, str(failure))

    @classmethod
    def of_kubernetes(cls, error: kube.KubeError) -> Self:
        status = next((status for kind, status in _OF_KUBERNETES if isinstance(error, kind)), 502)
        mend = _PERMIT if isinstance(error, kube.Forbidden) else ""
        return cls(status, error.reason or type(error).__name__, f"{error}{mend}")


def not_found(what: str, name: str) -> Problem:
    return Problem(404, "NotFound", f"{what} {name!r} is not there")


def bad_value(field: str, value: object, rule: str) -> Problem:
    """`rule` says what the value must be, and how to mend it."""
    return Problem(400, "BadValue", f"{field}: {value!r} {rule}", field)


def forbidden(detail: str) -> Problem:
    return Problem(403, "Forbidden", detail)
