"""ID tokens: signed by whom, for whom, until when. Pure: keys and time come in.

Only signatures by a provider's own key are taken (RSA, elliptic curves, Ed25519). A token that names "none" or an HMAC
is none, whatever it says; a key counts only for the family that it is of, so a public key never serves as a secret.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

LEEWAY = 60.0
"""Seconds that two machines' clocks may differ."""

LONGEST = 64 << 10
_LEAST_RSA = 2048
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: Mapping[str, tuple[str, ec.EllipticCurve, int]] = {
    "ES256": ("P-256", ec.SECP256R1(), 32),
    "ES384": ("P-384", ec.SECP384R1(), 48),
    "ES512": ("P-521", ec.SECP521R1(), 66),
}
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", *_CURVES})


class BadToken(Exception):
    """Why a token is not believed. What it holds is not repeated."""


class UnknownKey(BadToken):
    """The provider may have changed its keys since they were read."""


def claims(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client: str, nonce: str, now: float
) -> Mapping[str, Any]:
    """What the token says, once it is believed. `keys`: a JWKS's; `now`: seconds since 1970."""
    found = _signed(token, keys)
    if issuer and found.get("iss") != issuer:
        raise BadToken("it was issued by somebody else")
    audience = found.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client not in audiences:
        raise BadToken("it is meant for somebody else")
    if (len(audiences) > 1 or "azp" in found) and found.get("azp") != client:
        raise BadToken("it was given to somebody else")
    if not hmac.compare_digest(str(found.get("nonce", "")).encode(), nonce.encode()):
        raise BadToken("it belongs to another log-in")
    _in_time(found, now)
    return found


def _in_time(found: Mapping[str, Any], now: float) -> None:
    expires: Any = found.get("exp")
    begins: Any = found.get("nbf", 0)
    if not _is_number(expires) or not _is_number(begins):
        raise BadToken("it does not say until when it holds")
    if now > expires + LEEWAY:
        raise BadToken("it holds no longer; are the clocks right?")
    if now < begins - LEEWAY or (_is_number(found.get("iat")) and now < found["iat"] - LEEWAY):
        raise BadToken("it does not hold yet; are the clocks right?")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _signed(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    parts = token.split(".")
    if len(token) > LONGEST or len(parts) != 3:
        raise BadToken("it is no signed token")
    header, found = _object(parts[0]), _object(parts[1])
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise BadToken(f"its signature is by {str(algorithm)[:20]!r}, which is not taken")
    if "crit" in header:
        raise BadToken("it has conditions that are not known here")
    signed, signature = f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2])
    fitting = [key for key in keys if _may_sign(key, algorithm, header.get("kid"))]
    if not fitting:
        raise UnknownKey("it is signed by a key that the provider does not name")
    if not any(_verifies(key, algorithm, signed, signature) for key in fitting):
        raise BadToken("its signature is wrong")
    return found


def _may_sign(key: Mapping[str, Any], algorithm: str, named: Any) -> bool:
    if named is not None and key.get("kid") not in (named, None):
        return False
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    if algorithm in _CURVES:
        return key.get("kty") == "EC" and key.get("crv") == _CURVES[algorithm][0]
    if algorithm == "EdDSA":
        return key.get("kty") == "OKP" and key.get("crv") == "Ed25519"
    return key.get("kty") == "RSA"


def _verifies(key: Mapping[str, Any], algorithm: str, signed: bytes, signature: bytes) -> bool:
    try:
        if algorithm in _CURVES:
            _verify_curve(key, algorithm, signed, signature)
        elif algorithm == "EdDSA":
            ed25519.Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(signature, signed)
        else:
            _verify_rsa(key, algorithm, signed, signature)
    except (InvalidSignature, ValueError, KeyError, TypeError, BadToken):
        return False
    return True


def _verify_curve(key: Mapping[str, Any], algorithm: str, signed: bytes, signature: bytes) -> None:
    _, curve, size = _CURVES[algorithm]
    if len(signature) != 2 * size:
        raise InvalidSignature
    public = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), curve).public_key()
    pair = encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
    public.verify(pair, signed, ec.ECDSA(_HASHES[algorithm[2:]]))


def _verify_rsa(key: Mapping[str, Any], algorithm: str, signed: bytes, signature: bytes) -> None:
    public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
    if public.key_size < _LEAST_RSA:
        raise InvalidSignature
    digest = _HASHES[algorithm[2:]]
    pad = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH) if algorithm[0] == "P" else padding.PKCS1v15()
    public.verify(signature, signed, pad, digest)


def _object(part: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(_bytes(part))
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadToken("it is no signed token") from error
    if not isinstance(found, dict):
        raise BadToken("it is no signed token")
    return found


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken("it is no signed token") from error
