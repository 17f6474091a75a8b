"""Hashes of passwords as settings hold them."""

import pytest

from klamm.console.identity.passwords import LONGEST, password, scrypt_hash


def _argon_hash() -> str:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    return Argon2id(salt=b"saltsalt", length=32, iterations=1, lanes=1, memory_cost=64).derive_phc_encoded(b"swordfish")


@pytest.mark.parametrize(
    "text",
    [
        "swordfish",
        "{noop}swordfish",
        scrypt_hash("swordfish", b"saltsalt"),
        _argon_hash(),
        f"{{argon2}}{_argon_hash()}",
    ],
    ids=lambda one: one[:12],
)
def test_the_right_password_fits_and_no_other(text: str) -> None:
    known = password(text)
    assert known.fits("swordfish")
    for wrong in ("", "Swordfish", "swordfish ", "swordfis", text, "\ud800", "x" * (LONGEST + 1), "a\0b"):
        assert known.fits(wrong) == (wrong == "swordfish"), wrong


@pytest.mark.parametrize("prefix", ["", "{bcrypt}"])
def test_a_bcrypt_hash_of_the_published_vectors(prefix: str) -> None:
    known = password(f"{prefix}$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i")
    assert known.fits("abc")
    assert not known.fits("abd")
    assert not known.fits("x" * 100)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "is empty"),
        ("{sha256}abc", "kind of hash that is not known"),
        ("$argon2i$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA", "is no argon2id hash"),
        ("$argon2id$v=19$m=9999999,t=1,p=1$c2FsdA$aGFzaA", "more than 256 MiB"),
        ("$scrypt$ln=15$x", "is no scrypt hash"),
        ("$scrypt$ln=24,r=8,p=1$c2FsdA$aGFzaA", "more than 256 MiB"),
        ("$scrypt$ln=15,r=8,p=1$c2FsdA$a", "no base64"),
        ("$2b$04$short", "is no bcrypt hash"),
        ("$2b$31$" + "a" * 53, "is no bcrypt hash"),
    ],
)
def test_what_is_no_password_is_refused_without_being_repeated(text: str, rule: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|names|takes|has) ") as error:
        password(text)
    assert rule in str(error.value)
    assert len(text) < 8 or text[5:] not in str(error.value)


def test_a_password_does_not_show_itself() -> None:
    assert "swordfish" not in repr(password("swordfish"))
