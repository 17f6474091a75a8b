"""What can go wrong between us and the Kubernetes API, sorted by what the caller does next.

    KubeError
    ├── Unreachable     no answer: no connection, cut, or too late           (transient)
    ├── Held            we may not write now, because another process may; nothing was sent   (transient)
    ├── TooBusy         429: come back after `retry_after` seconds           (transient)
    ├── ServerFault     5xx                                                  (transient)
    ├── Conflict        409: somebody wrote in between; read anew            (transient)
    │   └── AlreadyExists   409 on create
    ├── NotFound        404: no such object (or its namespace or kind)       (transient)
    ├── Gone            410: that resourceVersion or page is no longer kept  (transient)
    ├── Unauthorized    401: our token or certificate is not accepted        (transient: tokens are renewed)
    ├── Forbidden       403: our role lacks a right, or admission refuses    (transient: roles are mended from outside)
    ├── Invalid         400, 422: the object breaks a rule; `causes` say which field    (the user must change it)
    ├── Refused         any other 4xx: we asked what this server does not serve         (our bug)
    └── NotUnderstood   the answer is not what its type says                            (our bug)

Everything foreign (aiohttp, TLS, msgspec) is translated at this door. A message says what was being done to which
object: "apply ConfigMap kafka/my-cluster-kafka-0: 409 Conflict: …". Bodies never go into messages: they may be Secrets.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from klamm.base import faults
from klamm.resources.native.metadata import Status


class KubeError(Exception):
    """`doing` is what was being done, `message` what the other side said; `status` is the HTTP status or 0."""

    def __init__(self, doing: str, message: str, status: int = 0, reason: str = "") -> None:
        answer = " ".join(str(part) for part in (status, reason) if part)
        super().__init__(": ".join(part for part in (doing, answer, message) if part))
        self.doing = doing
        self.message = message
        self.status = status
        self.reason = reason


class Unreachable(KubeError, faults.Transient):
    """No answer. `sent`: the request may have arrived, so a write may or may not have happened."""

    def __init__(self, doing: str, message: str, sent: bool) -> None:
        super().__init__(doing, message)
        self.sent = sent


class Held(KubeError, faults.Transient):
    """Nothing was sent: see `exchange.Permit`."""


class TooBusy(KubeError, faults.Transient):
    """The server did nothing and asks for patience of `retry_after` seconds."""

    def __init__(self, doing: str, message: str, retry_after: float | None) -> None:
        super().__init__(doing, message, 429, "TooManyRequests")
        self.retry_after = retry_after


class ServerFault(KubeError, faults.Transient):
    """5xx. Whether a write happened is not known."""


class Conflict(KubeError, faults.Transient):
    """Read again and decide again; never write the same once more."""


class AlreadyExists(Conflict):
    """There is an object of that name: the cache that said otherwise was stale."""


class NotFound(KubeError, faults.Transient):
    pass


class Gone(KubeError, faults.Transient):
    """List again from the start."""


class Unauthorized(KubeError, faults.Transient):
    pass


class Forbidden(KubeError, faults.Transient):
    pass


@dataclass(frozen=True, slots=True)
class Cause:
    """One broken rule: field path, Kubernetes' name of the kind of mistake, and a sentence."""

    field: str
    reason: str
    message: str


class Invalid(KubeError, faults.Invalid):
    def __init__(self, doing: str, message: str, status: int, reason: str, causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(doing, message, status, reason)
        self.causes = causes


class Refused(KubeError):
    pass


class NotUnderstood(KubeError):
    pass


_BY_STATUS: dict[int, type[KubeError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: ServerFault,
    409: Conflict,
    410: Gone,
}


def of_answer(doing: str, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> KubeError:
    """The error for an answer with an HTTP status of 400 or more."""
    return of_status(doing, status, _status(body), _seconds((headers or {}).get("Retry-After")))


def of_status(doing: str, status: int, answer: Status, retry_after: float | None = None) -> KubeError:
    """The error for a Status object: of an answer, or of an ERROR event in a watch."""
    message, reason = answer.message, answer.reason
    if status == 429:
        hint = answer.details.get("retryAfterSeconds")
        return TooBusy(doing, message, retry_after if retry_after is not None else hint)
    if status in (400, 422):
        return Invalid(doing, message, status, reason, _causes(answer))
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExists(doing, message, status, reason)
    if status >= 500:
        # A namespace that is going away answers 403, an overloaded etcd 500 with a hint: only the latter is here.
        return ServerFault(doing, message, status, reason)
    return _BY_STATUS.get(status, Refused)(doing, message, status, reason)


def _status(body: bytes) -> Status:
    try:
        return msgspec.json.decode(body, type=Status)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # A proxy's page or an aggregated server's plain text: enough of it to recognise where it comes from.
        return Status(message=body[:200].decode("utf-8", "replace").strip())


def _causes(answer: Status) -> tuple[Cause, ...]:
    causes = answer.details.get("causes")
    if not isinstance(causes, list):
        return ()
    return tuple(
        Cause(str(cause.get("field", "")), str(cause.get("reason", "")), str(cause.get("message", "")))
        for cause in causes
        if isinstance(cause, dict)
    )


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.strip().isdigit() else None
