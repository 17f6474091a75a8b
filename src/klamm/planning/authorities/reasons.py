"""Why certificates are made, renewed or kept: frozen values with the numbers inside, each a
sentence by `str`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NothingThere:
    """No certificate and no key yet."""

    def __str__(self) -> str:
        return "there is none yet"


@dataclass(frozen=True, slots=True)
class KeyMissing:
    """The certificate is there, its private key is not (or no longer readable)."""

    def __str__(self) -> str:
        return "its private key is missing"


@dataclass(frozen=True, slots=True)
class CertificateMissing:
    """The private key is there, the certificate is not (or no longer readable)."""

    def __str__(self) -> str:
        return "its certificate is missing"


@dataclass(frozen=True, slots=True)
class KeyDoesNotMatch:
    """Key and certificate belong to different pairs, e.g. after one Secret was restored from a backup."""

    def __str__(self) -> str:
        return "its private key does not belong to its certificate"


@dataclass(frozen=True, slots=True)
class AskedByAnnotation:
    """A person set `annotation` (strimzi.io/force-renew or strimzi.io/force-replace) to true."""

    annotation: str

    def __str__(self) -> str:
        return f"annotation {self.annotation} asks for it"


@dataclass(frozen=True, slots=True)
class Expiring:
    """The end of validity is nearer than the renewal period."""

    not_after: datetime
    renewal_days: int

    def __str__(self) -> str:
        return f"it ends at {self.not_after:%Y-%m-%d %H:%M} UTC, less than {self.renewal_days} days from now"


@dataclass(frozen=True, slots=True)
class Expired:
    """The end of validity has passed: no maintenance window is waited for, since nothing works any more."""

    not_after: datetime

    def __str__(self) -> str:
        return f"it ended at {self.not_after:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class NamesChanged:
    """The wanted alternative names differ from the certificate's."""

    added: Sequence[str]
    removed: Sequence[str]

    def __str__(self) -> str:
        parts = [f"{sign}{name}" for sign, names in (("+", self.added), ("-", self.removed)) for name in names]
        return f"its alternative names change: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class SignerChanged:
    """The authority's certificate has another generation than the one that signed the leaf."""

    signed_under: int | None
    generation: int

    def __str__(self) -> str:
        return f"it was signed under generation {self.signed_under} of its authority, which is now {self.generation}"


@dataclass(frozen=True, slots=True)
class Valid:
    """Nothing to do until `not_after` comes near."""

    not_after: datetime

    def __str__(self) -> str:
        return f"it is valid until {self.not_after:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class BroughtByUser:
    """`generateCertificateAuthority: false`: klamm only reads it."""

    def __str__(self) -> str:
        return "it is brought by the user, klamm only reads it"


Reason = (
    NothingThere
    | KeyMissing
    | CertificateMissing
    | KeyDoesNotMatch
    | AskedByAnnotation
    | Expiring
    | Expired
    | NamesChanged
    | SignerChanged
    | Valid
    | BroughtByUser
)
