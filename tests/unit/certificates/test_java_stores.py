"""Key stores and trust stores as Java's keytool writes them, and as we read them."""

import base64

import pytest

from klamm.certificates.java_stores import read_store
from klamm.certificates.pkcs12 import keystore, truststore
from klamm.certificates.read import key_matches
from klamm.certificates.stores import Unreadable

STORE_WORD, KEY_WORD = "store-word", "key-word1"
KEY_STORE = base64.b64decode(
    b"/u3+7QAAAAIAAAABAAAAAQACbWUAAAGiGRlBHQAAAH0wezAMBgorBgEEASoCEQEBBGtcptvzh6fi87IeSDoof7J/ptRLO9aGQkLQxNy1UHIo"
    b"F7cvas3CDms3kOJb4aRLQPx44Vn/WHxuY5yvF9cFTde7iMUqrnVwguQFTslilwzgxq5KwjyRRT8LNQHW4k6ZieXzPo9HSISk1lYrpQAAAAEA"
    b"BVguNTA5AAABQDCCATwwgeOgAwIBAgIIL8Cj65iJUTUwCgYIKoZIzj0EAwMwEjEQMA4GA1UEAxMHY29uc29sZTAgFw0yNjExMjYxODIzMzVa"
    b"GA8yMTI2MTEwMjE4MjMzNVowEjEQMA4GA1UEAxMHY29uc29sZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMBxcIQ2b7KeOzLQ9ZzW/reH"
    b"EMFE6m4HJdpDRkfBDHSWJyfh0fGD7XhcJ0GwhmmpsvV1D6794AjfIF6847s2UaejITAfMB0GA1UdDgQWBBQdZdJZgpEZbpG6amPrio79AIUR"
    b"qDAKBggqhkjOPQQDAwNIADBFAiA1QqA4fFKSZHNAK1LTJSfBPc4lZvdGwA2O9w8WBuJhlwIhAKcAnE1stUsHuA4a4UUSrojqo2uKCoo+jM52"
    b"KNGKYtVXfm3LBqZZpG8MhNXxZJwZke5GJB8="
)
"""keytool -genkeypair -alias me -keyalg EC -dname CN=console -storetype JKS -storepass store-word -keypass key-word1"""
TRUST_STORE = base64.b64decode(
    b"/u3+7QAAAAIAAAABAAAAAgACY2EAAAGiGRlEvgAFWC41MDkAAAFAMIIBPDCB46ADAgECAggvwKPrmIlRNTAKBggqhkjOPQQDAzASMRAwDgYD"
    b"VQQDEwdjb25zb2xlMCAXDTI2MTEyNjE4MjMzNVoYDzIxMjYxMTAyMTgyMzM1WjASMRAwDgYDVQQDEwdjb25zb2xlMFkwEwYHKoZIzj0CAQYI"
    b"KoZIzj0DAQcDQgAEwHFwhDZvsp47MtD1nNb+t4cQwUTqbgcl2kNGR8EMdJYnJ+HR8YPteFwnQbCGaamy9XUPrv3gCN8gXrzjuzZRp6MhMB8w"
    b"HQYDVR0OBBYEFB1l0lmCkRlukbpqY+uKjv0AhRGoMAoGCCqGSM49BAMDA0gAMEUCIDVCoDh8UpJkc0ArUtMlJ8E9ziVm90bADY73DxYG4mGX"
    b"AiEApwCcTWy1Swe4DhrhRRKuiOqja4oKij6MznYo0Ypi1VfU1KQCca6Ekv7XEGlB7dkDJ4+2vQ=="
)
"""keytool -importcert -alias ca -storetype JKS -storepass store-word, of the same certificate"""
CERTIFICATE = b"""\
-----BEGIN CERTIFICATE-----
MIIBPDCB46ADAgECAggvwKPrmIlRNTAKBggqhkjOPQQDAzASMRAwDgYDVQQDEwdj
b25zb2xlMCAXDTI2MTEyNjE4MjMzNVoYDzIxMjYxMTAyMTgyMzM1WjASMRAwDgYD
VQQDEwdjb25zb2xlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwHFwhDZvsp47
MtD1nNb+t4cQwUTqbgcl2kNGR8EMdJYnJ+HR8YPteFwnQbCGaamy9XUPrv3gCN8g
XrzjuzZRp6MhMB8wHQYDVR0OBBYEFB1l0lmCkRlukbpqY+uKjv0AhRGoMAoGCCqG
SM49BAMDA0gAMEUCIDVCoDh8UpJkc0ArUtMlJ8E9ziVm90bADY73DxYG4mGXAiEA
pwCcTWy1Swe4DhrhRRKuiOqja4oKij6MznYo0Ypi1Vc=
-----END CERTIFICATE-----
"""


def test_a_jks_key_store_gives_the_key_and_its_chain() -> None:
    store = read_store(KEY_STORE, STORE_WORD, KEY_WORD)
    assert store.trusted == ()
    assert store.chain == (CERTIFICATE,)
    assert store.key is not None
    assert key_matches(CERTIFICATE, store.key)


def test_a_jks_trust_store_gives_its_certificates() -> None:
    store = read_store(TRUST_STORE, STORE_WORD)
    assert (store.trusted, store.key, store.chain) == ((CERTIFICATE,), None, ())


@pytest.mark.parametrize(
    ("data", "password", "key_password", "why"),
    [
        (TRUST_STORE, "other", None, "the password is wrong, or the file is damaged"),
        (KEY_STORE, STORE_WORD, "other", "the password of its key is wrong"),
        (KEY_STORE, STORE_WORD, None, "the password of its key is wrong"),
        (TRUST_STORE[:-1], STORE_WORD, None, "the password is wrong, or the file is damaged"),
        (b"\x30\x82\x01\x00", STORE_WORD, None, "the password is wrong, or the file is damaged"),
        (b"certificate", STORE_WORD, None, "it is neither JKS nor PKCS#12 nor PEM"),
        (b"-----BEGIN RSA PUBLIC KEY-----\n-----END RSA PUBLIC KEY-----", "", None, "there is no certificate in it"),
        (
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ENCRYPTED PRIVATE KEY-----",
            "",
            None,
            "its key is encrypted; decrypt it with `openssl pkey`, or use a PKCS#12 store",
        ),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, password: str, key_password: str | None, why: str) -> None:
    with pytest.raises(Unreadable, match=f"^{why}$"):
        read_store(data, password, key_password)


def test_pkcs12_is_read_whatever_its_file_is_called() -> None:
    key = read_store(KEY_STORE, STORE_WORD, KEY_WORD).key
    assert key is not None
    both = read_store(keystore("me", CERTIFICATE, key, "word", chain=[CERTIFICATE]), "word")
    assert (both.key, both.chain, both.trusted) == (key, (CERTIFICATE, CERTIFICATE), ())
    trusted = read_store(truststore([("ca", CERTIFICATE)], "word"), "word")
    assert (trusted.key, trusted.trusted) == (None, (CERTIFICATE,))


def test_pem_is_a_store_too() -> None:
    key = read_store(KEY_STORE, STORE_WORD, KEY_WORD).key
    assert key is not None
    assert read_store(CERTIFICATE + CERTIFICATE, "").trusted == (CERTIFICATE, CERTIFICATE)
    assert read_store(b"# ours\n" + key + CERTIFICATE, "").chain == (CERTIFICATE,)
    assert read_store(key + CERTIFICATE, "").key == key
