"""What is known of a password: a hash by argon2id, scrypt or bcrypt, or itself, as kafka-ui's settings have it.

    $argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>        RFC 9106, PHC's string format
    $scrypt$ln=15,r=8,p=1$<salt>$<hash>                 RFC 7914; base64 without padding
    $2b$12$<salt and hash>                              bcrypt; needs the package of that name
    {noop}plain, plain                                  compared in constant time

Spring's prefixes {bcrypt} and {argon2} may stand before a hash. Checking takes time by design (some 0.1 s) and belongs
into a thread.
"""

import base64
import binascii
import hashlib
import hmac
import importlib
import re
from dataclasses import dataclass, field
from typing import Any, Literal

LONGEST = 1024
"""Characters of a password that are looked at; a longer one is wrong."""

_MOST_MEMORY = 256 << 20
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
_ARGON = re.compile(r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")


@dataclass(frozen=True, slots=True)
class Password:
    kind: Literal["argon2id", "scrypt", "bcrypt", "plain"]
    text: str = field(repr=False)

    def fits(self, given: str) -> bool:
        if len(given) > LONGEST:
            return False
        return _CHECKS[self.kind](self.text, given.encode(errors="surrogatepass"))


def password(text: str) -> Password:
    """Of a setting. A ValueError says what is wrong with it, and does not repeat it."""
    if text.startswith("{noop}"):
        return Password("plain", text.removeprefix("{noop}"))
    text = text.removeprefix("{bcrypt}").removeprefix("{argon2}")
    if text.startswith("$argon2"):
        return _argon(text)
    if text.startswith("$scrypt$"):
        return _scrypt(text)
    if re.match(r"\$2[aby]\$", text):
        return _bcrypt(text)
    if re.match(r"\{\w+\}", text):
        raise ValueError("names a kind of hash that is not known; write {noop}, {bcrypt} or {argon2} before it")
    if not text:
        raise ValueError("is empty; write a password or its hash")
    return Password("plain", text)


def _argon(text: str) -> Password:
    found = _ARGON.fullmatch(text)
    if found is None:
        raise ValueError("is no argon2id hash; write $argon2id$v=19$m=…,t=…,p=…$salt$hash")
    if int(found[1]) << 10 > _MOST_MEMORY:
        raise ValueError(f"takes more than {_MOST_MEMORY >> 20} MiB to check; make the hash with a smaller m")
    return Password("argon2id", text)


def _scrypt(text: str) -> Password:
    found = _SCRYPT.fullmatch(text)
    if found is None:
        raise ValueError("is no scrypt hash; write $scrypt$ln=15,r=8,p=1$salt$hash")
    ln, r, p = (int(found[at]) for at in (1, 2, 3))
    if not 1 <= ln <= 24 or not r or not p or 128 * r * (2**ln + p + 2) > _MOST_MEMORY:
        raise ValueError(f"takes more than {_MOST_MEMORY >> 20} MiB to check; make the hash with ln=15,r=8,p=1")
    try:
        _bytes(found[4]), _bytes(found[5])
    except binascii.Error as error:
        raise ValueError("has a salt or a hash that is no base64; make it anew") from error
    return Password("scrypt", text)


def _bcrypt(text: str) -> Password:
    found = _BCRYPT.fullmatch(text)
    if found is None or not 4 <= int(found[1]) <= 16:
        raise ValueError("is no bcrypt hash; write $2b$12$ and 53 more characters, a cost of 4 to 16")
    try:
        importlib.import_module("bcrypt")
    except ImportError as error:
        raise ValueError(
            "is a bcrypt hash, and bcrypt is not installed; install klamm[console], or make an argon2id hash"
        ) from error
    return Password("bcrypt", text)


def scrypt_hash(given: str, salt: bytes) -> str:
    """A hash as settings hold it. 32 MiB, some 0.1 s."""
    made = hashlib.scrypt(given.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=_MOST_MEMORY)
    return f"$scrypt$ln=15,r=8,p=1${_text(salt)}${_text(made)}"


def _fits_argon(text: str, given: bytes) -> bool:
    # Here, for a console without log-in does not start later because of it.
    from cryptography.exceptions import InvalidKey
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    try:
        Argon2id.verify_phc_encoded(given, text)
    except InvalidKey:
        return False
    return True


def _fits_scrypt(text: str, given: bytes) -> bool:
    found = _SCRYPT.fullmatch(text)
    assert found is not None
    wanted = _bytes(found[5])
    n, r, p = 2 ** int(found[1]), int(found[2]), int(found[3])
    made = hashlib.scrypt(given, salt=_bytes(found[4]), n=n, r=r, p=p, maxmem=2 * _MOST_MEMORY, dklen=len(wanted))
    return hmac.compare_digest(made, wanted)


def _fits_bcrypt(text: str, given: bytes) -> bool:
    bcrypt: Any = importlib.import_module("bcrypt")
    # Beyond 72 bytes bcrypt looks at nothing, which its package refuses to do in silence.
    return bool(bcrypt.checkpw(given[:72], text.encode()))


def _fits_plain(text: str, given: bytes) -> bool:
    return hmac.compare_digest(hashlib.sha256(text.encode()).digest(), hashlib.sha256(given).digest())


_CHECKS = {"argon2id": _fits_argon, "scrypt": _fits_scrypt, "bcrypt": _fits_bcrypt, "plain": _fits_plain}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
