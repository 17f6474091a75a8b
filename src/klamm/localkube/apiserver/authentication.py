"""Who calls: client certificates (checked by TLS) and service account tokens (JWT, ES256).

A certificate's CN is the user, its O are the groups, as Kubernetes has it. Tokens are signed with the home's key and
bound to a service account, and mostly to a pod: when either is gone (or another with the same name), the token is
worth nothing. Permissions are not checked: roles are stored, not enforced.
"""

import base64
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from klamm.base.clock import Clock

ISSUER = "https://kubernetes.default.svc.cluster.local"
_INVALID = "invalid bearer token"
_CREDENTIAL = "authentication.kubernetes.io/credential-id"
_REMEMBERED = 256
_HEADER = b'{"alg":"ES256","typ":"JWT"}'


@dataclass(frozen=True, slots=True)
class Identity:
    user: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a token is for: the service account, and the pod that holds it."""

    namespace: str
    account: str
    account_uid: str
    pod: str = ""
    pod_uid: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a token is worth: an identity and the audiences that it is for, or why it is worth nothing."""

    identity: Identity | None = None
    audiences: tuple[str, ...] = ()
    why: str = ""


Exists = Callable[[Bound], bool]
"""Whether account and pod are still the ones that the token was made for."""


def _listed(audiences: Sequence[str]) -> str:
    return "[" + " ".join(f'"{each}"' for each in audiences) + "]"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Tokens:
    """Signs and reads service account tokens."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, clock: Clock, new_id: Callable[[], str]) -> None:
        self._key = key
        self._clock = clock
        self._new_id = new_id
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def issue(self, bound: Bound, audiences: Sequence[str], seconds: int) -> tuple[str, int]:
        """(token, when it ends as seconds since the epoch)."""
        now = int(self._clock.now().timestamp())
        about: dict[str, Any] = {
            "namespace": bound.namespace,
            "serviceaccount": {"name": bound.account, "uid": bound.account_uid},
        }
        if bound.pod:
            about["pod"] = {"name": bound.pod, "uid": bound.pod_uid}
        claims = {
            "aud": list(audiences) or [ISSUER],
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": self._new_id(),
            "kubernetes.io": about,
            "nbf": now,
            "sub": f"system:serviceaccount:{bound.namespace}:{bound.account}",
        }
        signed = f"{_encode(_HEADER)}.{_encode(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}", now + seconds

    def read(self, token: str, exists: Exists) -> Identity | None:
        """None for what is no valid token of ours."""
        return self.examine(token, exists, (ISSUER,)).identity

    def examine(self, token: str, exists: Exists, audiences: Sequence[str]) -> Examined:
        """Whose token it is, and for which of these audiences."""
        claims = self._known.get(token) or self._verified(token)
        if claims is None or not claims["nbf"] - 60 <= self._clock.now().timestamp() < claims["exp"]:
            return Examined(why=_INVALID)
        shared = tuple(each for each in audiences if each in claims["aud"])
        if not shared:
            told = f"token audiences {_listed(claims['aud'])} is invalid for the target audiences {_listed(audiences)}"
            return Examined(why=f"[{_INVALID}, {told}]")
        about = claims["kubernetes.io"]
        account, pod = about["serviceaccount"], about.get("pod") or {}
        bound = Bound(about["namespace"], account["name"], account["uid"], pod.get("name", ""), pod.get("uid", ""))
        return Examined(_identity(claims, bound), shared) if exists(bound) else Examined(why=_INVALID)

    def _verified(self, token: str) -> dict[str, Any] | None:
        try:
            head, body, signature = token.split(".")
            raw = _decode(signature)
            if _decode(head) != _HEADER or len(raw) != 64:
                return None
            encoded = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
            self._key.public_key().verify(encoded, f"{head}.{body}".encode(), ec.ECDSA(SHA256()))
            claims: dict[str, Any] = msgspec.json.decode(_decode(body))
        except (ValueError, InvalidSignature, msgspec.DecodeError):
            return None
        self._known[token] = claims
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return claims


def _identity(claims: dict[str, Any], bound: Bound) -> Identity:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{bound.namespace}", "system:authenticated")
    extra: dict[str, Sequence[str]] = {_CREDENTIAL: [f"JTI={claims['jti']}"]}
    if bound.pod:
        extra["authentication.kubernetes.io/pod-name"] = [bound.pod]
        extra["authentication.kubernetes.io/pod-uid"] = [bound.pod_uid]
    return Identity(claims["sub"], groups, bound.account_uid, extra)


def from_certificate(certificate: Mapping[str, Any] | None, encoded: bytes | None = None) -> Identity | None:
    """`certificate` as `ssl.SSLSocket.getpeercert` gives it, and its bytes: TLS has checked its chain."""
    if not certificate:
        return None
    parts = [pair for group in certificate.get("subject", ()) for pair in group]
    user = next((value for name, value in parts if name == "commonName"), "")
    groups = [value for name, value in parts if name == "organizationName"]
    extra = {_CREDENTIAL: [f"X509SHA256={sha256(encoded).hexdigest()}"]} if encoded else {}
    return Identity(user, (*groups, "system:authenticated"), extra=extra) if user else None


class Authenticator:
    def __init__(self, tokens: Tokens, exists: Exists) -> None:
        self._tokens = tokens
        self._exists = exists

    def identify(
        self, certificate: Mapping[str, Any] | None, authorization: str | None, encoded: bytes | None = None
    ) -> Identity | None:
        """None: 401. A bearer token counts before a certificate."""
        if authorization and authorization[:7].lower() == "bearer ":
            return self._tokens.read(authorization[7:].strip(), self._exists)
        return from_certificate(certificate, encoded)

    def review(self, token: str, audiences: Sequence[str]) -> Examined:
        return self._tokens.examine(token, self._exists, audiences or (ISSUER,))
