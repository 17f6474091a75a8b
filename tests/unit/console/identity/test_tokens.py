"""ID tokens: what is believed, and every way in which one is not."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.builders.fake_provider import SigningKey, encoded

from klamm.console.identity.tokens import BadToken, UnknownKey, claims

_NOW = 1_800_000_000.0
_KEYS = {name: SigningKey(name) for name in ("RS256", "PS256", "ES256", "EdDSA")}
_KEY = _KEYS["ES256"]


def _claims(**changes: Any) -> dict[str, Any]:
    right = {"iss": "https://id", "aud": "console", "sub": "ann", "nonce": "n", "exp": _NOW + 60, "iat": _NOW}
    return {name: one for name, one in {**right, **changes}.items() if one is not None}


def _read(token: str, *keys: dict[str, Any]) -> Any:
    return claims(token, keys or [_KEY.public], issuer="https://id", client="console", nonce="n", now=_NOW)


@pytest.mark.parametrize("algorithm", _KEYS)
def test_a_right_token_is_believed(algorithm: str) -> None:
    key = _KEYS[algorithm]
    assert _read(key.token(_claims()), key.public)["sub"] == "ann"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://other"}, "issued by somebody else"),
        ({"iss": None}, "issued by somebody else"),
        ({"aud": "other"}, "meant for somebody else"),
        ({"aud": None}, "meant for somebody else"),
        ({"aud": ["console", "other"]}, "given to somebody else"),
        ({"aud": ["console", "other"], "azp": "other"}, "given to somebody else"),
        ({"azp": "other"}, "given to somebody else"),
        ({"nonce": "m"}, "another log-in"),
        ({"nonce": None}, "another log-in"),
        ({"exp": _NOW - 61}, "holds no longer"),
        ({"exp": None}, "until when"),
        ({"exp": "later"}, "until when"),
        ({"exp": True}, "until when"),
        ({"nbf": _NOW + 61}, "not hold yet"),
        ({"iat": _NOW + 61}, "not hold yet"),
    ],
    ids=repr,
)
def test_a_token_that_says_something_else_is_not_believed(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(BadToken, match=why):
        _read(_KEY.token(_claims(**changes)))


def test_a_token_for_several_that_names_us_is_believed() -> None:
    assert _read(_KEY.token(_claims(aud=["console", "other"], azp="console")))["sub"] == "ann"


def test_a_token_of_another_key_is_not_believed() -> None:
    with pytest.raises(BadToken, match="signature is wrong"):
        _read(SigningKey("ES256").token(_claims()))
    with pytest.raises(UnknownKey):
        _read(SigningKey("ES256", id="two").token(_claims()))


def test_a_changed_token_is_not_believed() -> None:
    head, _, signature = _KEY.token(_claims()).split(".")
    changed = encoded(json.dumps(_claims(sub="root")).encode())
    with pytest.raises(BadToken, match="signature is wrong"):
        _read(f"{head}.{changed}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES256K", None, ["ES256"]], ids=repr)
def test_other_kinds_of_signatures_are_not_taken(algorithm: Any) -> None:
    with pytest.raises(BadToken, match=r"not taken|no signed"):
        _read(_KEY.token(_claims(), alg=algorithm))


def test_a_public_key_is_no_secret_for_an_hmac() -> None:
    key = _KEYS["RS256"]
    head = encoded(json.dumps({"alg": "HS256", "kid": "one"}).encode())
    body = encoded(json.dumps(_claims()).encode())
    stamp = hmac.new(json.dumps(key.public).encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    with pytest.raises(BadToken, match="not taken"):
        _read(f"{head}.{body}.{encoded(stamp)}", key.public)


def test_a_key_serves_its_own_family_use_and_algorithm_only() -> None:
    token = _KEYS["RS256"].token(_claims())
    public = _KEYS["RS256"].public
    assert _read(token, public)
    for change in ({"kty": "EC"}, {"use": "enc"}, {"alg": "PS256"}):
        with pytest.raises(UnknownKey):
            _read(token, {**public, **change})
    with pytest.raises(BadToken, match="signature is wrong"):
        _read(token, {**public, "n": "!"})


def test_a_short_rsa_key_is_not_taken() -> None:
    key = SigningKey("RS256", private=rsa.generate_private_key(65537, 1024))
    with pytest.raises(BadToken, match="signature is wrong"):
        _read(key.token(_claims()), key.public)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "é.é.é",
        "x" * 100_000,
        "e30.e30.",
        f"{'W' * 6000}.{'W' * 6000}.x",
        "bnVsbA.bnVsbA.x",
        "W10.W10.x",
    ],
    ids=lambda one: one[:12],
)
def test_nonsense_is_no_token(token: str) -> None:
    with pytest.raises(BadToken):
        _read(token)


def test_conditions_that_are_not_known_are_not_passed_over() -> None:
    with pytest.raises(BadToken, match="conditions"):
        _read(_KEY.token(_claims(), crit=["b64"], b64=False))


def test_a_curve_signature_has_its_length() -> None:
    signed, _, signature = _KEY.token(_claims()).rpartition(".")
    with pytest.raises(BadToken, match="signature is wrong"):
        _read(f"{signed}.{signature[:-4]}")
