"""Where projected service account tokens come from: the API server's issuer, handed in by `programs/`."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a TokenRequest asks. The token is bound to the pod and dies with it."""

    namespace: str
    service_account: str
    audiences: tuple[str, ...]
    """Empty: the API server itself."""
    seconds: int
    pod: str
    pod_uid: str


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    expires_at: float
    """Seconds since the epoch."""


class TokenSource(Protocol):
    def issue(self, request: TokenRequest) -> Token:
        """Raises `Refused` when the service account does not exist."""
        ...
